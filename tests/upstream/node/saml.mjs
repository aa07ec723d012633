// npm's samlp, which Auth0 wrote, as a company's identity provider: everybody is Alice, and logged in already.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import samlp from 'samlp';

const [keyFile, certFile, acs, issuer, how] = process.argv.slice(2);
const ALICE = {
  id: 'alice',
  displayName: 'Alice of Corp',
  name: { givenName: 'Alice', familyName: 'Corp' },
  emails: [{ value: 'alice@corp.example' }],
};

const signIn = samlp.auth({
  issuer,
  key: readFileSync(keyFile),
  cert: readFileSync(certFile),
  signResponse: how !== 'assertion',
  signAssertion: how !== 'response',
  recipient: acs,
  destination: acs,
  getUserFromRequest: () => ALICE,
  getPostURL: (_audience, _request, _req, done) => done(null, acs),
});

// samlp expects Express, of which it uses this much.
const server = createServer((req, res) => {
  const url = new URL(req.url, 'http://127.0.0.1');
  Object.assign(req, { query: Object.fromEntries(url.searchParams), body: {} });
  Object.assign(res, {
    set: (name, value) => res.setHeader(name, value),
    send: (body) => res.end(String(body)),
  });
  signIn(req, res, (error) => {
    res.statusCode = 500;
    res.end(String(error));
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`READY http://127.0.0.1:${server.address().port}\n`));
process.on('SIGTERM', () => process.exit(0));
