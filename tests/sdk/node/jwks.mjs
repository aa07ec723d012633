// jwks-rsa: the keys of a server, asked for in the lines that come in; an answer in JSON for each.
import { createInterface } from "node:readline";
import { verify } from "node:crypto";
import jwksClient from "jwks-rsa";

const client = jwksClient({ jwksUri: process.env.JWKS_URI });
const decoded = (part) => JSON.parse(Buffer.from(part, "base64url"));

const asked = {
  kids: async () => (await client.getSigningKeys()).map((key) => key.kid),
  key: async (kid) => (await client.getSigningKey(kid)).getPublicKey(),
  signature: async (token) => {
    const [header, payload, signature] = token.split(".");
    const key = await client.getSigningKey(decoded(header).kid);
    return verify("RSA-SHA256", `${header}.${payload}`, key.getPublicKey(), Buffer.from(signature, "base64url"));
  },
};

console.log("READY here");
for await (const line of createInterface({ input: process.stdin })) {
  const [what, argument] = JSON.parse(line);
  try {
    console.log(JSON.stringify(await asked[what](argument)));
  } catch (error) {
    console.log(JSON.stringify({ error: error.name }));
  }
}
