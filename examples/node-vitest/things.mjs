// Somebody's API: it shows things to whoever brings an access token with the scope `read:things`.
import express from "express";
import { auth, requiredScopes } from "express-oauth2-jwt-bearer";

export const AUDIENCE = "https://things.example/api";

export function createApp(issuerBaseURL) {
  const app = express();
  app.get("/things", auth({ issuerBaseURL, audience: AUDIENCE }), requiredScopes("read:things"), (_, response) =>
    response.json(["a thing"]));
  app.use((error, _request, response, _next) => response.status(error.status ?? 500).set(error.headers).end());
  return app;
}
