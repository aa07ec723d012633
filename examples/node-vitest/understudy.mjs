// The harness of a running Understudy, for tests in JavaScript: every test gets a tenant of its own.
const url = process.env.AUTHSERVER_TESTING_URL ?? "http://localhost:9000/";
const token = process.env.AUTHSERVER_TESTING_TOKEN;

async function call(method, path, body) {
  const response = await fetch(`${url}_testing/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const said = response.status === 204 ? undefined : await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${said.error_description}`);
  return said;
}

export const wrongTokens = () => call("GET", "wrong-tokens");

export async function makeTenant() {
  const { name, issuer } = await call("POST", "tenants", { base_url: url });
  const of = (method, path, body) => call(method, `tenants/${name}/${path}`, body);
  return {
    issuer,
    addUser: (user = {}) => of("POST", "users", user),
    registerClient: (client = {}) => of("POST", "clients", client),
    addApi: (identifier, scopes) => of("POST", "apis", { identifier, scopes: scopes.map((value) => ({ value })) }),
    issueToken: async (order) => (await of("POST", "tokens", { subject: "auth0|alice", ...order })).access_token,
    wrongToken: async (kind, order) => (await of("POST", `wrong-tokens/${kind}`, order)).token,
    turnClock: (change) => of("POST", "clock", change),
    addFault: (fault) => of("POST", "faults", fault),
    exchanges: () => of("GET", "exchanges"),
    problems: () => of("GET", "problems"),
    drop: () => call("DELETE", `tenants/${name}`),
  };
}
