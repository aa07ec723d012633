"""Tokens without a login: good ones, and those of the catalogue."""

from dataclasses import asdict, replace

from fastapi import APIRouter

from authserver.store.registered import Client, ClientSettings, RefreshTokenSettings, find_client, find_resource_server
from authserver.testing import forging, wrong_tokens
from authserver.testing.control import models
from authserver.testing.control.asking import ONE, Chosen, Refused
from authserver.testing.host import Rehearsal
from authserver.tokens import signed_access_token

router = APIRouter()


@router.get("/wrong-tokens")
def list_wrong_tokens() -> list[models.DescribedWrongToken]:
    """The catalogue of what an API must refuse."""
    return [models.DescribedWrongToken(**asdict(each)) for each in wrong_tokens.CATALOGUE]


@router.post(f"{ONE}/tokens", status_code=201)
def issue_token(order: models.TokenOrder, of: Chosen) -> models.IssuedToken:
    """A good access token for an API, without a login. It hangs on no grant, so userinfo does not take it."""
    return _issue(of, order)


@router.post(f"{ONE}/wrong-tokens", status_code=201)
def forge_tokens(order: models.WrongTokenOrder, of: Chosen) -> list[models.ForgedToken]:
    """Every wrong token of the catalogue, made for this API."""
    good = forging.good(of.tenant, order.subject, order.audience, order.scope, order.client_id)
    return [models.ForgedToken(**asdict(each), token=forging.forge(each.name, good)) for each in wrong_tokens.CATALOGUE]


@router.post(f"{ONE}/wrong-tokens/{{kind}}", status_code=201)
def forge_token(kind: str, order: models.WrongTokenOrder, of: Chosen) -> models.ForgedToken:
    """One wrong token of the catalogue."""
    try:
        wrong = wrong_tokens.find(kind)
    except LookupError:
        raise Refused("the catalogue has no such wrong token", 404) from None
    good = forging.good(of.tenant, order.subject, order.audience, order.scope, order.client_id)
    return models.ForgedToken(**asdict(wrong), token=forging.forge(kind, good))


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
    of.recording.remember_token("access_token", token)
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
