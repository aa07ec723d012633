import { afterEach, beforeEach, expect, test } from "vitest";
import { AUDIENCE, createApp } from "./things.mjs";
import { makeTenant, wrongTokens } from "./understudy.mjs";

// What express-oauth2-jwt-bearer lets in, and why: docs/wrong-tokens.md.
const KNOWN_GAPS = ["wrong-typ", "no-subject", "duplicated-claims", "scope-array"];

let tenant, server;

beforeEach(async () => {
  tenant = await makeTenant();
  await tenant.addApi(AUDIENCE, ["read:things", "write:things"]);
  server = createApp(tenant.issuer).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
});

afterEach(async () => {
  server.close();
  await tenant.drop();
});

async function ask(token) {
  const address = `http://127.0.0.1:${server.address().port}/things`;
  try {
    return (await fetch(address, { headers: { Authorization: `Bearer ${token}` } })).status;
  } catch (error) {
    // Node does not read a megabyte of headers to its end before it refuses them.
    if (["ECONNRESET", "EPIPE"].includes(error.cause?.code)) return 431;
    throw error;
  }
}

test("a good token", async () => {
  expect(await ask(await tenant.issueToken({ audience: AUDIENCE, scope: "read:things" }))).toBe(200);
});

test("too little scope", async () => {
  expect(await ask(await tenant.issueToken({ audience: AUDIENCE, scope: "write:things" }))).toBe(403);
});

test("too late", async () => {
  await tenant.turnClock({ advance: -3600 });
  expect(await ask(await tenant.issueToken({ audience: AUDIENCE, scope: "read:things", expires_in: 60 }))).toBe(401);
});

test("for another API", async () => {
  await tenant.addApi("https://other.example/api", ["read:things"]);
  expect(await ask(await tenant.issueToken({ audience: "https://other.example/api", scope: "read:things" }))).toBe(401);
});

for (const { name, sentence, statuses } of await wrongTokens()) {
  const wrong = KNOWN_GAPS.includes(name) ? test.fails : test;
  wrong(`${name}: ${sentence}`, async () => {
    expect(statuses).toContain(await ask(await tenant.wrongToken(name, { audience: AUDIENCE, scope: "read:things" })));
  });
}
