// Serves the page, the SDK as its package brings it, and auth_config.json, in which the environment has the last word.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const PORT = Number(process.env.PORT ?? 3000);
const SDK = "node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.esm.js";
const FILES = {
  "/": ["index.html", "text/html"],
  "/app.js": ["app.js", "text/javascript"],
  "/app.css": ["app.css", "text/css"],
  "/auth0-spa-js.js": [SDK, "text/javascript"],
};

const config = JSON.parse(await readFile(new URL("auth_config.json", import.meta.url)));
config.domain = process.env.AUTH0_DOMAIN ?? config.domain;
config.clientId = process.env.AUTH0_CLIENT_ID ?? config.clientId;
config.api = process.env.NOTES_API ?? config.api;

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname === "/auth_config.json") {
    response.setHeader("Content-Type", "application/json").end(JSON.stringify(config));
  } else if (pathname in FILES) {
    const [file, type] = FILES[pathname];
    response.setHeader("Content-Type", `${type}; charset=utf-8`).end(await readFile(new URL(file, import.meta.url)));
  } else {
    response.writeHead(404).end();
  }
}).listen(PORT, "127.0.0.1", () => console.log(`Open http://localhost:${PORT}/   (logging in at ${config.domain})`));
