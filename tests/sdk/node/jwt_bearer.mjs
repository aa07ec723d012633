// An API behind express-oauth2-jwt-bearer, as its README says.
import express from "express";
import { auth, claimIncludes, requiredScopes } from "express-oauth2-jwt-bearer";

const app = express();
app.use(auth({ issuerBaseURL: process.env.ISSUER, audience: process.env.AUDIENCE }));
app.get("/me", (request, response) => response.json(request.auth.payload));
app.get("/notes", requiredScopes("read:notes"), (request, response) => response.json(request.auth.payload));
app.get("/deleted", requiredScopes("read:notes delete:notes"), (_, response) => response.json({}));
app.get("/aud", claimIncludes("aud", `${process.env.ISSUER}userinfo`), (_, response) => response.json({}));
// Express would print the stack and answer HTML; the SDK's own status, headers and words are what counts.
app.use((error, _request, response, _next) =>
  response.status(error.status ?? 500).set(error.headers).json({ error: error.code, error_description: error.message }));

const server = app.listen(0, "127.0.0.1", () => console.log(`READY http://127.0.0.1:${server.address().port}`));
