import { createAuth0Client } from "/auth0-spa-js.js";

const { domain, clientId, audience, api } = await (await fetch("/auth_config.json")).json();
const element = (id) => document.getElementById(id);
element("domain").textContent = domain;

const auth0 = await createAuth0Client({
  domain,
  clientId,
  authorizationParams: {
    audience,
    redirect_uri: location.origin,
    scope: "openid profile email offline_access read:notes write:notes",
  },
  // Tokens stay in this page's memory; after a reload the SDK asks in a hidden frame whether the person is still known.
  useRefreshTokens: true,
  useRefreshTokensFallback: true,
});

async function call(method, path, body) {
  const response = await fetch(api + path, {
    method,
    headers: {
      Authorization: `Bearer ${await auth0.getTokenSilently()}`,
      ...(body && { "Content-Type": "application/json" }),
    },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${answer.error ?? ""}: ${answer.error_description}`);
  return answer;
}

async function show() {
  const user = await auth0.getUser();
  element("outside").hidden = Boolean(user);
  element("inside").hidden = !user;
  if (!user) return;
  element("user").textContent = user.email;
  const items = (await call("GET", "/notes")).map((note) => {
    const item = document.createElement("li");
    item.textContent = note.text;
    return item;
  });
  element("notes").replaceChildren(...items);
}

/** What a button does; whatever goes wrong is said on the page. */
const on = (id, event, action) => element(id).addEventListener(event, async (happened) => {
  happened.preventDefault();
  element("error").hidden = true;
  element("told").textContent = "";
  await attempt(action);
});

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    element("error").textContent = error.error_description ?? error.message;
    element("error").hidden = false;
  }
}

on("login", "click", () => auth0.loginWithRedirect());
on("login-popup", "click", () => auth0.loginWithPopup().then(show));
on("logout", "click", () => auth0.logout({ logoutParams: { returnTo: location.origin } }));
on("renew", "click", async () => {
  await auth0.getTokenSilently({ cacheMode: "off" });
  element("told").textContent = "The access token is a new one, and so is the refresh token.";
});
on("add", "submit", async () => {
  await call("POST", "/notes", { text: element("text").value });
  element("text").value = "";
  await show();
});

const answer = new URLSearchParams(location.search);
await attempt(async () => {
  if (answer.has("state") && (answer.has("code") || answer.has("error"))) {
    history.replaceState({}, "", "/");
    await auth0.handleRedirectCallback(`${location.origin}/?${answer}`);
  }
});
await attempt(show);
