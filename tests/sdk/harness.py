"""The harness of a server of ours, over HTTP, in nothing but the standard library."""

import json
import urllib.request

from house import Server

TOKEN = "the-tests-own-token-of-the-harness"


def steer(server: Server, method: str, path: str, body: dict | None = None):
    """The JSON that `/_testing/tenants/root/PATH` answers: the server's own tenant is steered."""
    asked = urllib.request.Request(  # noqa: S310 - an address of ours
        f"{server.issuer}_testing/tenants/root/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    handlers = [urllib.request.ProxyHandler({})]
    if server.context:
        handlers.append(urllib.request.HTTPSHandler(context=server.context))
    with urllib.request.build_opener(*handlers).open(asked, timeout=30) as answer:
        return json.load(answer)
