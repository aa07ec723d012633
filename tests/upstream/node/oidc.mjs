// npm's oidc-provider as somebody else's provider: as it comes, with its development interactions. One confidential client,
// Alice, and her claims at userinfo alone, where the standard puts them.

import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [callback, loggedOut] = process.argv.slice(2);
const ALICE = { email: 'alice@elsewhere.example', email_verified: true, name: 'Alice of Elsewhere' };

const configuration = {
  clients: [
    {
      client_id: 'understudy',
      client_secret: 'a-secret-between-us',
      redirect_uris: [callback],
      post_logout_redirect_uris: [loggedOut],
    },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ ...ALICE, sub }) }),
};

// The issuer is known once a port is: listen, then build.
let handle;
const server = createServer((request, response) => handle(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  handle = new Provider(issuer, configuration).callback();
  process.stdout.write(`READY ${issuer}\n`);
});
process.on('SIGTERM', () => process.exit(0));
