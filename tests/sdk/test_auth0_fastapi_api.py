"""`auth0-fastapi-api`, unmodified: a FastAPI app whose routes need tokens and scopes of ours."""

import socket
import threading
from contextlib import contextmanager
from typing import Annotated

import pytest
import uvicorn
from catalogue import expected, found, status
from fastapi import Depends, FastAPI
from fastapi_plugin import Auth0FastAPI
from house import API, call
from proves import proves
from tokens import native_tokens, wrong_tokens


@contextmanager
def guarded(server):
    """An app that takes the tokens of `server`: its address."""
    auth = Auth0FastAPI(domain=server.domain, audience=API)
    app = FastAPI()

    @app.get("/me")
    def me(claims: Annotated[dict, Depends(auth.require_auth())]):
        return claims

    @app.get("/notes")
    def notes(claims: Annotated[dict, Depends(auth.require_auth(scopes="read:notes"))]):
        return {"azp": claims["azp"]}

    @app.get("/deleted")
    def deleted(claims: Annotated[dict, Depends(auth.require_auth(scopes=["read:notes", "delete:notes"]))]):
        return claims

    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    running.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def app(secure_server):
    with guarded(secure_server) as address:
        yield address


@proves("GET /.well-known/openid-configuration", "GET /.well-known/jwks.json", "POST /oauth/token", "access_token", "scope")  # fmt: skip
def test_a_call_with_the_scope_passes(secure_server, app):
    token = native_tokens(secure_server)["access_token"]
    for path in ("/me", "/notes"):
        status, claims, _ = call(app + path, token)
        assert (status, claims["azp"]) == (200, "native-app")


@proves("POST /oauth/token", "scope")
def test_a_call_without_the_scope_is_refused(secure_server, app):
    status, body, _ = call(f"{app}/deleted", native_tokens(secure_server)["access_token"])
    assert (status, body["detail"]["error"]) == (403, "insufficient_scope")


@proves("POST /oauth/token", "access_token", "id_token")
def test_wrong_tokens_are_refused(secure_server, app):
    for name, token in wrong_tokens(secure_server).items():
        status, body, headers = call(f"{app}/me", token)
        assert (status, body["detail"]["error"]) == (401, "invalid_token"), name
        assert "www-authenticate" in {each.lower() for each in headers}
    assert call(f"{app}/me")[0] == 400


@proves("GET /.well-known/jwks.json", "POST /oauth/token", "access_token")
def test_the_catalogue_of_wrong_tokens(steered, good, wrong):
    with guarded(steered) as address:
        assert status(f"{address}/notes", good) == 200
        assert found(f"{address}/notes", wrong) == expected("auth0-fastapi-api", wrong)
