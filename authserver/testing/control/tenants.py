"""Tenants, and what is registered in them."""

import secrets

from fastapi import APIRouter
from starlette.responses import Response

from authserver.dialects import POLICIES
from authserver.tenant_file.models import ClientGrantModel
from authserver.testing.control import models
from authserver.testing.control.asking import ONE, Chosen, Hosting, Refused
from authserver.testing.host import Exposed, NameTaken, Rehearsal, Stays, TooMany

router = APIRouter()


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
        made = host.make(new.name, new.dialect, new.base_url)
    except NameTaken:
        raise Refused("name: another living tenant has it", 409) from None
    except Exposed:
        raise Refused("base_url: an http one must be on loopback; use https, or allow_insecure_http_issuer") from None
    except TooMany:
        raise Refused("too many tenants: drop some first", 409) from None
    return _described(made)


@router.get(ONE)
def describe_tenant(of: Chosen) -> models.MadeTenant:
    """Where it is. `root` is the server's own, for SDKs that know no issuer with a path: one for all, and it stays."""
    return _described(of)


@router.delete(ONE, status_code=204)
def drop_tenant(name: str, host: Hosting) -> Response:
    """End it; its name may come again, its data never."""
    try:
        host.drop(name)
    except Stays:
        raise Refused("the server's own tenant stays", 409) from None
    return Response(status_code=204)


@router.post(f"{ONE}/users", status_code=201)
def add_user(new: models.NewUser, of: Chosen, host: Hosting) -> models.MadeUser:
    """A person; one with the same `user_id` is replaced."""
    host.register(of, "users", ("user_id",), new)
    of.recording.remember(new.password or "")
    return models.MadeUser(user_id=new.user_id, email=new.email, password=new.password or "")


@router.post(f"{ONE}/clients", status_code=201)
def register_client(new: models.NewClient, of: Chosen, host: Hosting) -> models.MadeClient:
    """An application; one with the same `client_id` is replaced."""
    if new.token_endpoint_auth_method != "none" and new.client_secret is None:
        new = new.model_copy(update={"client_secret": secrets.token_urlsafe(48)})
    host.register(of, "clients", ("client_id",), new)
    of.recording.remember(new.client_secret or "")
    return models.MadeClient(client_id=new.client_id, client_secret=new.client_secret, callbacks=new.callbacks)


@router.post(f"{ONE}/apis", status_code=201)
def add_api(new: models.NewApi, of: Chosen, host: Hosting) -> models.NewApi:
    """An API; one with the same `identifier` is replaced."""
    host.register(of, "resourceServers", ("identifier",), new)
    return new


@router.post(f"{ONE}/client-grants", status_code=201)
def grant_client(new: models.NewClientGrant, of: Chosen, host: Hosting) -> models.NewClientGrant:
    """What a client may have in its own name (RFC 6749 §4.4)."""
    host.register(of, "clientGrants", ("client_id", "audience"), ClientGrantModel(**new.model_dump()))
    return new


def _described(of: Rehearsal) -> models.MadeTenant:
    return models.MadeTenant(
        name=of.name,
        issuer=of.tenant.issuer,
        metadata_url=of.tenant.url("/.well-known/openid-configuration"),
        jwks_uri=of.tenant.url("/.well-known/jwks.json"),
    )
