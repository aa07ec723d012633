"""Personalising: what the tenant's Actions make of a login, a refresh, or a client in its own name.

Done: the facts of Auth0's `event` objects, as far as they exist here.
Left out: organization, geoip, custom_domain.

A tenant without Actions pays nothing for this room: no look at the database, no object.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from authserver.actions import running
from authserver.actions.outcome import Outcome
from authserver.errors import ActionDenied
from authserver.events import ActionDenied as Denied
from authserver.messages import AuthorizationRequest, Params, Request, TokenRequest
from authserver.rules import claims
from authserver.store import journal, people
from authserver.store.connections import DATABASE_STRATEGY, find_connection
from authserver.store.issued import Grant, RefreshToken
from authserver.store.permissions import roles_of
from authserver.store.registered import Client, User, find_client
from authserver.tenant import Tenant

LOGIN, DEVICE, REFRESH = "oidc-basic-profile", "oauth2-device-code", "oauth2-refresh-token"
"""`event.transaction.protocol`."""

_SECRET = ("client_secret", "client_assertion", "refresh_token", "code", "code_verifier", "password", "device_code")


def at_login(
    request: Request, asked: AuthorizationRequest, grant: Grant, user: User, tenant: Tenant, protocol: str = LOGIN
) -> Outcome:
    """What Actions want of somebody who is about to get a code. Raises ActionFailed."""
    if not tenant.actions.post_login:
        return Outcome()
    transaction = {
        "protocol": protocol,
        "requested_scopes": list(asked.scope),
        "redirect_uri": asked.redirect_uri,
        "response_type": ["code"],
        "response_mode": asked.response_mode,
        "prompt": list(asked.prompt),
        "state": asked.state,
        "login_hint": asked.login_hint,
        "acr_values": asked.extra.get("acr_values", "").split(),
        "ui_locales": asked.extra.get("ui_locales", "").split(),
    }
    with tenant.database.read() as db:
        facts = _about_person(db, grant, user, tenant)
    facts |= {"transaction": transaction, "request": _about_request(request, asked.extra, {}, tenant)}
    return running.post_login(tenant.actions.post_login, facts)


def at_refresh(
    request: TokenRequest, grant: Grant, token: RefreshToken, scope: tuple[str, ...], user: User, tenant: Tenant
) -> Outcome:
    """What Actions want of a refresh. Raises ActionFailed."""
    if not tenant.actions.post_login:
        return Outcome()
    with tenant.database.read() as db:
        facts = _about_person(db, grant, user, tenant)
    facts |= {
        "transaction": {"protocol": REFRESH, "requested_scopes": list(scope), "response_type": [], "prompt": []},
        "request": _about_request(request.http, {}, _readable(request.params), tenant),
        "refresh_token": {
            "created_at": _iso(token.issued_at),
            "expires_at": _iso(token.expires_at),
            "idle_expires_at": _iso(token.idle_expires_at),
            "client_id": grant.client_id,
            "session_id": grant.sid,
        },
    }
    return running.post_login(tenant.actions.post_login, facts)


def at_credentials_exchange(
    request: TokenRequest,
    client: Client,
    audience: str,
    scope: tuple[str, ...],
    granted: tuple[str, ...],
    tenant: Tenant,
) -> Outcome:
    """What Actions want of a client in its own name, which may have `granted`. Raises ActionFailed."""
    if not tenant.actions.credentials_exchange:
        return Outcome()
    facts = {
        "client": _about_client(client),
        "resource_server": {"identifier": audience},
        "tenant": _about_tenant(tenant),
        "accessToken": {"customClaims": {}, "scope": list(scope)},
        "transaction": {"requested_scopes": (request.params.opaque("scope") or "").split()},
        "request": _about_request(request.http, {}, _readable(request.params), tenant),
    }
    return running.credentials_exchange(tenant.actions.credentials_exchange, facts, granted)


def settle(db: Connection, outcome: Outcome, client_id: str, user_id: str | None, tenant: Tenant) -> None:
    """Write what Actions wrote about the person, and that one denied; in the exchange's own transaction."""
    now = tenant.now()
    if user_id is not None and outcome.changes_user:
        people.write_metadata(db, user_id, outcome.user_metadata, outcome.app_metadata, now)
    if outcome.denied is not None:
        journal.record(db, now, Denied(client_id, user_id, reason=outcome.by))


def refusal(outcome: Outcome) -> ActionDenied | None:
    """The error to answer with, when an Action denied."""
    return ActionDenied(outcome.denied, outcome.error) if outcome.denied is not None else None


def obey(outcome: Outcome, client_id: str, user_id: str | None, tenant: Tenant) -> None:
    """Where there is nothing to end but the request: raises ActionDenied when an Action denied."""
    if denied := refusal(outcome):
        with tenant.database.write() as db:
            settle(db, outcome, client_id, user_id, tenant)
        raise denied


def _about_person(db: Connection, grant: Grant, user: User, tenant: Tenant) -> dict[str, Any]:
    client = find_client(db, grant.client_id)
    connection = find_connection(db, user.connection)
    return {
        "client": _about_client(client) if client else {"client_id": grant.client_id},
        "connection": {"id": user.connection, "name": user.connection, "strategy": connection and connection.strategy},
        "user": _about_user(user, tenant),
        "authentication": {"methods": [{"name": _method(user), "timestamp": _iso(grant.auth_time)}]},
        "authorization": {"roles": roles_of(db, user.user_id)},
        "resource_server": {"identifier": grant.audience} if grant.audience else None,
        "stats": {"logins_count": user.logins_count},
        "session": {"id": grant.sid, "created_at": _iso(grant.auth_time), "user_id": user.user_id},
        "tenant": _about_tenant(tenant),
    }


def _about_user(user: User, tenant: Tenant) -> dict[str, Any]:
    said = claims.about(user, ("profile", "email", "phone", "address"), tenant.policy)
    provider, _, local_id = user.user_id.rpartition("|")
    return {
        **{name: value for name, value in said.items() if name != "sub"},
        "user_id": user.user_id,
        "user_metadata": user.user_metadata or {},
        "app_metadata": user.app_metadata or {},
        "identities": [
            {
                "connection": user.connection,
                "provider": provider or DATABASE_STRATEGY,
                "user_id": local_id,
                "isSocial": provider not in ("", DATABASE_STRATEGY),
            }
        ],
        "created_at": _iso(user.created_at),
        "updated_at": _iso(user.updated_at),
        "last_login": _iso(user.last_login),
        "logins_count": user.logins_count,
    }


def _method(user: User) -> str:
    return "pwd" if user.user_id.startswith(DATABASE_STRATEGY + "|") else "federated"


def _about_client(client: Client) -> dict[str, Any]:
    return {"client_id": client.client_id, "name": client.name, "metadata": dict(client.settings.client_metadata)}


def _about_tenant(tenant: Tenant) -> dict[str, Any]:
    return {"id": urlsplit(tenant.issuer).hostname}


def _about_request(request: Request, query: dict[str, str], body: dict[str, str], tenant: Tenant) -> dict[str, Any]:
    return {
        "ip": request.source,
        "method": request.method,
        "query": query,
        "body": body,
        "hostname": urlsplit(tenant.issuer).hostname,
        "user_agent": request.user_agent,
        "language": request.language,
    }


def _readable(params: Params) -> dict[str, str]:
    return {name: value for name, value in params.pairs if value and name not in _SECRET}


def _iso(at: int | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
