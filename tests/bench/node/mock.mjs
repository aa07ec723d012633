// `node mock.mjs SECONDS`: npm's oauth2-mock-server as its README uses it; tells the same as tests/bench/rehearsals.

import { request } from 'node:http';

const seconds = Number(process.argv[2]);
const WARM_UP = seconds ? 20 : 0;

async function once(story) {
  const wall = performance.now();
  const cpu = process.cpuUsage();
  await story();
  const used = process.cpuUsage(cpu);
  return [performance.now() - wall, (used.user + used.system) / 1000];
}

async function repeated(story) {
  for (let number = 0; number < WARM_UP; number += 1) await story();
  const end = performance.now() + seconds * 1000;
  const took = [await once(story)];
  while (performance.now() < end) took.push(await once(story));
  return took;
}

// The cheapest client that there is, in its favour.
function ask(method, url, body = '') {
  return new Promise((resolve, reject) => {
    const headers = body ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {};
    const asking = request(url, { method, headers, agent: false }, (answer) => {
      let said = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => { said += part; });
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(said));
        else reject(new Error(`${url}: ${answer.statusCode} ${said}`));
      });
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

function expect(right, what) {
  if (!right) throw new Error(what);
}

const isJwt = (token) => token.split('.').length === 3;

let OAuth2Server;
let server;
const first = await once(async () => {
  ({ OAuth2Server } = await import('oauth2-mock-server'));
  server = new OAuth2Server();
  await server.issuer.keys.generate('RS256');
  await server.start(0, 'localhost');
  const metadata = await ask('GET', `${server.issuer.url}/.well-known/openid-configuration`);
  expect(metadata.issuer === server.issuer.url, 'another issuer');
});

const [key] = server.issuer.keys.toJSON(true);
const fresh = await repeated(async () => {
  const another = new OAuth2Server();
  await another.issuer.keys.add(key);
  await another.start(0, 'localhost');
  await another.stop();
});

const token = await repeated(async () => {
  expect(isJwt(await server.issuer.buildToken()), 'no token');
});

const form = 'grant_type=client_credentials&scope=read%3Athings&client_id=app&client_secret=any';
const http = await repeated(async () => {
  expect(isJwt((await ask('POST', `${server.issuer.url}/token`, form)).access_token), 'no token');
});

await server.stop();
process.stdout.write(`${JSON.stringify({ first: [first], fresh, token, http })}\n`);
