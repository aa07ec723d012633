"""Somebody's API: it shows things to whoever brings an access token with the scope `read:things`."""

import json
import time
import urllib.request
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

AUDIENCE = "https://things.example/api"


@cache
def keys_of(issuer: str) -> KeySet:
    """The issuer's keys. (A real API fetches them anew when it meets an unknown one.)"""
    with urllib.request.urlopen(issuer + ".well-known/jwks.json", timeout=10) as answer:  # noqa: S310 - configured
        return KeySet.import_key_set(json.load(answer))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names stand in it once."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("doubled")
    return dict(pairs)


def scopes(request: Request, authorization: Annotated[str, Header()] = "") -> set[str]:
    """The scopes of a good access token. Raises HTTPException 401 for any other."""
    issuer, now = request.app.state.issuer, time.time()
    scheme, _, token = authorization.partition(" ")
    try:
        if scheme.lower() != "bearer" or len(token) > 8192:
            raise ValueError("no token")
        opened = jws.deserialize_compact(token, keys_of(issuer), algorithms=["RS256"])
        claims = json.loads(opened.payload, object_pairs_hook=once)
        audience = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
        good = (
            opened.headers().get("typ") in ("JWT", "at+jwt")
            and claims["iss"] == issuer
            and AUDIENCE in audience
            and claims.get("nbf", 0) <= now < claims["exp"]
            and isinstance(claims["sub"], str)
        )
    except (JoseError, ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    scope = claims.get("scope")
    return set(scope.split()) if isinstance(scope, str) else set()


def create_app(issuer: str) -> FastAPI:
    """The API, for the access tokens of one issuer."""
    app = FastAPI()
    app.state.issuer = issuer

    @app.get("/things")
    def things(granted: Annotated[set[str], Depends(scopes)]) -> list[str]:
        if "read:things" not in granted:
            raise HTTPException(403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
        return ["a thing"]

    return app
