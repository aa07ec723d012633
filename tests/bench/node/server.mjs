// npm's oidc-provider in the part of the same server: one public client, one API with signed access tokens, rotation.
// As it comes: its in-memory adapter, its development interactions, its rule that a session which has said yes is not
// asked again. Ours: one RS256 key, Alice's claims, and that they stand in the ID token.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const API = 'https://notes.example/api';
const CALLBACK = 'https://app.example/callback';
const SCOPES = 'read:notes write:notes';
const ALICE = {
  sub: 'alice',
  email: 'alice@example.com',
  email_verified: true,
  name: 'Alice Liddell',
  given_name: 'Alice',
  family_name: 'Liddell',
  nickname: 'alice',
  picture: 'https://alice.example.com/portrait.png',
};

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' };

const configuration = {
  jwks: { keys: [jwk] },
  clients: [
    {
      client_id: 'bench',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [CALLBACK],
    },
  ],
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'given_name', 'family_name', 'nickname', 'picture'],
  },
  conformIdTokenClaims: false, // the claims stand in the ID token, as they do in ours
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ ...ALICE, sub }) }),
  features: {
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: SCOPES, audience: API, accessTokenTTL: 86400, accessTokenFormat: 'jwt' }),
    },
  },
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
