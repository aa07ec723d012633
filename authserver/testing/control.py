"""The control API: `/_testing/…`, JSON in and out, described by `/_testing/openapi.json`.

Left out: faults, recorded exchanges, problems of the client under test.

Nothing here is reachable but through `gate`, which asks for the token first.
"""

import secrets
from dataclasses import asdict, replace
from typing import Annotated, Any

import httpx2
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from authserver.dialects import POLICIES
from authserver.log_types import log_type_of
from authserver.store import journal
from authserver.store.registered import Client, ClientSettings, RefreshTokenSettings, find_client, find_resource_server
from authserver.tenant_file import TenantFileError
from authserver.tenant_file.models import ClientGrantModel
from authserver.testing import control_models as models
from authserver.testing import forging, wrong_tokens
from authserver.testing.host import Host, NameTaken, NoSuchTenant, Rehearsal, TooMany
from authserver.testing.person import Person, walk
from authserver.tokens import signed_access_token

PREFIX = "/_testing"
_ONE = "/tenants/{name}"

router = APIRouter(prefix=PREFIX)


class Refused(HTTPException):
    """The request contradicts what the tenant holds; the sentence says how."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(status, sentence)


def control(host: Host, application: ASGIApp) -> FastAPI:
    """The API over `host`. `application` is where virtual people go."""
    app = FastAPI(
        title="Understudy test control",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.host, app.state.application = host, application
    app.include_router(router)
    for kind in (RequestValidationError, ValidationError, TenantFileError, HTTPException, NoSuchTenant):
        app.add_exception_handler(kind, _refuse)
    return app


async def _host(request: Request) -> Host:
    host: Host = request.app.state.host
    return host


Hosting = Annotated[Host, Depends(_host)]


async def _rehearsal(name: str, host: Hosting) -> Rehearsal:
    return host.find(name)


Chosen = Annotated[Rehearsal, Depends(_rehearsal)]


@router.get("/wrong-tokens")
def list_wrong_tokens() -> list[models.DescribedWrongToken]:
    """The catalogue of what an API must refuse."""
    return [models.DescribedWrongToken(**asdict(each)) for each in wrong_tokens.CATALOGUE]


@router.get("/tenants")
def list_tenants(host: Hosting) -> list[str]:
    """The names of all that live."""
    return host.names()


@router.post("/tenants", status_code=201)
def make_tenant(host: Hosting, new: models.NewTenant | None = None) -> models.MadeTenant:
    """An empty tenant: no people, clients or APIs."""
    new = new or models.NewTenant()
    if new.dialect is not None and new.dialect not in POLICIES:
        raise Refused("dialect: there is no such one")
    try:
        made = host.make(new.name, new.dialect)
    except NameTaken:
        raise Refused("name: another living tenant has it", 409) from None
    except TooMany:
        raise Refused("too many tenants: drop some first", 409) from None
    return models.MadeTenant(
        name=made.name,
        issuer=made.tenant.issuer,
        metadata_url=made.tenant.url("/.well-known/openid-configuration"),
        jwks_uri=made.tenant.url("/.well-known/jwks.json"),
    )


@router.delete(_ONE, status_code=204)
def drop_tenant(name: str, host: Hosting) -> Response:
    """End it; its name may come again, its data never."""
    host.drop(name)
    return Response(status_code=204)


@router.post(f"{_ONE}/users", status_code=201)
def add_user(new: models.NewUser, of: Chosen, host: Hosting) -> models.MadeUser:
    """A person; one with the same `user_id` is replaced."""
    host.register(of, "users", ("user_id",), new)
    return models.MadeUser(user_id=new.user_id, email=new.email, password=new.password or "")


@router.post(f"{_ONE}/clients", status_code=201)
def register_client(new: models.NewClient, of: Chosen, host: Hosting) -> models.MadeClient:
    """An application; one with the same `client_id` is replaced."""
    if new.token_endpoint_auth_method != "none" and new.client_secret is None:
        new = new.model_copy(update={"client_secret": secrets.token_urlsafe(48)})
    host.register(of, "clients", ("client_id",), new)
    return models.MadeClient(client_id=new.client_id, client_secret=new.client_secret, callbacks=new.callbacks)


@router.post(f"{_ONE}/apis", status_code=201)
def add_api(new: models.NewApi, of: Chosen, host: Hosting) -> models.NewApi:
    """An API; one with the same `identifier` is replaced."""
    host.register(of, "resourceServers", ("identifier",), new)
    return new


@router.post(f"{_ONE}/client-grants", status_code=201)
def grant_client(new: models.NewClientGrant, of: Chosen, host: Hosting) -> models.NewClientGrant:
    """What a client may have in its own name (RFC 6749 §4.4)."""
    host.register(of, "clientGrants", ("client_id", "audience"), ClientGrantModel(**new.model_dump()))
    return new


@router.post(f"{_ONE}/tokens", status_code=201)
def issue_token(order: models.TokenOrder, of: Chosen) -> models.IssuedToken:
    """A good access token for an API, without a login. It hangs on no grant, so userinfo does not take it."""
    return _issue(of, order)


@router.post(f"{_ONE}/wrong-tokens", status_code=201)
def forge_tokens(order: models.WrongTokenOrder, of: Chosen) -> list[models.ForgedToken]:
    """Every wrong token of the catalogue, made for this API."""
    good = forging.good(of.tenant, order.subject, order.audience, order.scope, order.client_id)
    return [models.ForgedToken(**asdict(each), token=forging.forge(each.name, good)) for each in wrong_tokens.CATALOGUE]


@router.post(f"{_ONE}/wrong-tokens/{{kind}}", status_code=201)
def forge_token(kind: str, order: models.WrongTokenOrder, of: Chosen) -> models.ForgedToken:
    """One wrong token of the catalogue."""
    try:
        wrong = wrong_tokens.find(kind)
    except LookupError:
        raise Refused("the catalogue has no such wrong token", 404) from None
    good = forging.good(of.tenant, order.subject, order.audience, order.scope, order.client_id)
    return models.ForgedToken(**asdict(wrong), token=forging.forge(kind, good))


@router.post(f"{_ONE}/login")
async def log_in(login: models.Login, of: Chosen, request: Request) -> models.LoginOutcome:
    """A virtual person opens the URL in a browser, logs in and decides."""
    if not login.url.startswith(of.tenant.issuer):
        raise Refused("url: must be one of this tenant")
    cookies = of.browsers.setdefault(login.browser, httpx2.Cookies()) if login.browser else httpx2.Cookies()
    person = Person(login.username, login.password, login.decision)
    walked = await walk(request.app.state.application, of.tenant.issuer, login.url, person, cookies)
    return models.LoginOutcome(**{**asdict(walked), "parameters": walked.parameters})


@router.get(f"{_ONE}/clock")
def read_clock(of: Chosen) -> models.ClockReading:
    """The tenant's time."""
    return models.ClockReading(now=of.clock(), frozen=of.clock.is_frozen)


@router.post(f"{_ONE}/clock")
def turn_clock(change: models.ClockChange, of: Chosen) -> models.ClockReading:
    """Turn it, stop it, let it run on."""
    if change.resume:
        of.clock.resume()
    if change.set is not None:
        of.clock.set(change.set)
    of.clock.advance(change.advance)
    if change.freeze:
        of.clock.freeze()
    return models.ClockReading(now=of.clock(), frozen=of.clock.is_frozen)


@router.post(f"{_ONE}/keys/rotate", status_code=201)
def rotate_keys(rotation: models.Rotation, of: Chosen, host: Hosting) -> models.RotatedKey:
    """A new signing key; the old one stays published."""
    return models.RotatedKey(kid=host.rotate_keys(of, rotation.lead))


@router.get(f"{_ONE}/events")
def list_events(of: Chosen) -> list[models.HappenedEvent]:
    """What happened, oldest first."""
    with of.tenant.database.read() as db:
        rows: list[dict[str, Any]] = journal.read(db)
    return [models.HappenedEvent(**row, log_type=log_type_of(row["type"], row["reason"])) for row in rows]


def _issue(of: Rehearsal, order: models.TokenOrder) -> models.IssuedToken:
    tenant, now, scope = of.tenant, of.clock(), tuple(order.scope.split())
    with tenant.database.read() as db:
        api = find_resource_server(db, order.audience)
        client = find_client(db, order.client_id)
        if api is None:
            raise Refused("audience: the tenant has no such API; add it first")
        if client is None and order.client_id != models.CLIENT_ID:
            raise Refused("client_id: the tenant has no such client; register it first")
        if unknown := set(scope) - set(api.scopes):
            raise Refused(f"scope: the API defines {len(unknown)} of these values not")
        if order.expires_in is not None:
            api = replace(api, token_lifetime=order.expires_in)
        token = signed_access_token(
            tenant.keyring.signer(db, now),
            tenant,
            client or _NOBODYS_CLIENT,
            api,
            subject=order.subject,
            audience=[order.audience],
            scope=scope,
            permissions=scope,
            now=now,
            gty=None,
            custom=order.claims,
        )
    return models.IssuedToken(access_token=token, expires_in=api.token_lifetime, scope=" ".join(scope))


_NOBODYS_CLIENT = Client(
    client_id=models.CLIENT_ID,
    name="Testing",
    app_type="native",
    token_endpoint_auth_method="none",
    secret_digest=None,
    is_first_party=True,
    settings=ClientSettings(),
    refresh_token=RefreshTokenSettings(),
)


async def _refuse(_: Request, error: Exception) -> Response:
    """In one form, and without what was sent."""
    match error:
        case RequestValidationError() | ValidationError():
            mistakes = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
            return _said(422, "; ".join(mistakes))
        case TenantFileError():
            return _said(422, str(error))
        case NoSuchTenant():
            return _said(404, "There is no such tenant.")
        case HTTPException():
            return _said(error.status_code, str(error.detail))
    raise error


def _said(status: int, description: str) -> Response:
    kind = {404: "not_found", 405: "method_not_allowed", 409: "conflict"}.get(status, "invalid_request")
    return JSONResponse({"error": kind, "error_description": description}, status)
