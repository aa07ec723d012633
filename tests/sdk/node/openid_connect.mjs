// A web application on express-openid-connect, as its README says; CHANGED holds what a scenario asks for besides.
import express from "express";
import openid from "express-openid-connect";

const app = express();
app.use(openid.auth({
  issuerBaseURL: process.env.ISSUER,
  baseURL: `http://localhost:${process.env.PORT}`,
  clientID: "web-app",
  clientSecret: process.env.CLIENT_SECRET,
  secret: "of the application, not of the server",
  authRequired: false,
  ...JSON.parse(process.env.CHANGED),
}));
app.get("/session", (request, response) => response.json({
  isAuthenticated: request.oidc.isAuthenticated(),
  user: request.oidc.user,
  accessToken: request.oidc.accessToken?.access_token,
  refreshToken: request.oidc.refreshToken,
}));
app.get("/refreshed", openid.requiresAuth(), async (request, response) =>
  response.json(await request.oidc.accessToken.refresh()));
app.get("/userinfo", openid.requiresAuth(), async (request, response) =>
  response.json(await request.oidc.fetchUserInfo()));
app.use((error, _request, response, _next) =>
  response.status(error.status ?? 500).json({ error: error.error, error_description: error.error_description ?? error.message }));

app.listen(Number(process.env.PORT), "127.0.0.1", () => console.log(`READY http://localhost:${process.env.PORT}`));
