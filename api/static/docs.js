// Starts Swagger UI, and does the part of the login in which Swagger UI is not careful enough.
"use strict";

let waiting = null; // the one login that is under way: {state, flow}

function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// In place of Swagger UI's popup, whose `state` is the time of day (RFC 6749 section 10.12 wants an unguessable one).
// `audience` is added here: as an "additional parameter" Swagger UI would put it into the token endpoint's URL as well.
function login(about) {
  const authPopup = () => (url, flow) => {
    const target = new URL(url);
    const state = random();
    target.searchParams.set("state", state);
    target.searchParams.set("audience", about.audience);
    waiting = { state, flow };
    if (!window.open(target)) {
      fail("The browser did not open a window for the login. Allow pop-ups for this page and try again.");
    }
  };
  return () => ({ statePlugins: { auth: { wrapActions: { authPopup } } } });
}

function fail(message) {
  const { flow } = waiting;
  waiting = null;
  flow.errCb({ authId: flow.auth.name, source: "auth", level: "error", message });
}

// What the redirect page brings back. Whether it was for this page, which then shows what became of it.
function receive(about, search) {
  const answer = new URLSearchParams(search);
  const names = [...answer.keys()];
  if (waiting === null || answer.get("state") !== waiting.state) {
    return false;
  }
  const iss = answer.get("iss");
  if (new Set(names).size !== names.length) {
    fail("The answer says something twice, so it is not the authorization server's.");
  } else if (iss === null ? about.iss_required : iss !== about.issuer) {
    fail("Another authorization server answered than the one that was asked (RFC 9207).");
  } else if (answer.has("error")) {
    fail([answer.get("error"), answer.get("error_description")].filter(Boolean).join(": "));
  } else if (!answer.has("code")) {
    fail("The answer has neither a code nor an error.");
  } else {
    const { flow } = waiting;
    waiting = null;
    flow.auth.code = answer.get("code");
    flow.callback({ auth: flow.auth, redirectUrl: flow.redirectUrl });
  }
  return true;
}

function notice(text) {
  const element = document.getElementById("notice");
  element.textContent = text;
  element.hidden = false;
}

async function start() {
  const about = await (await fetch("docs/login.json")).json();
  window.receiveAuthorizationResponse = (search) => receive(about, search);
  if (about.problem) {
    notice(
      `Nobody can log in here yet. The authorization server is ${about.issuer}, and ${about.problem}. ` +
      "Start it and reload this page; what is wrong stands in this API's log. " +
      "Meanwhile Authorize takes an access token that you have from elsewhere.",
    );
  }
  const ui = SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    validatorUrl: null,
    oauth2RedirectUrl: new URL("docs/oauth2-redirect", location.href).href,
    plugins: [login(about)],
  });
  ui.initOAuth({ clientId: about.client_id, scopes: about.scopes, usePkceWithAuthorizationCodeGrant: true });
}

start().catch((error) => notice(`This page could not be loaded: ${error.message}. Reload it.`));
