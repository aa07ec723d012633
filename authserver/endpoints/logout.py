"""Logout: the browser's session ends, and the way back is one that was registered.

Done: OpenID Connect RP-Initiated Logout 1.0 §2, §3, §4 · Auth0's /v2/logout, with `federated`.
Left out: federated logout by /oidc/logout, or from SAML · back-channel logout. Tokens are not touched: an application
that wants its refresh token dead revokes it (RFC 7009).
"""

import logging
import secrets
from urllib.parse import quote

from sqlalchemy import Connection

from authserver import sessions
from authserver.endpoints import Endpoint, Room
from authserver.errors import UntrustedRequest
from authserver.events import LoggedOut
from authserver.messages import Answer, Cookie, Page, Params, Redirect, Request, Text
from authserver.outbound import OutboundError
from authserver.rules import logout as rules
from authserver.rules.redirects import form_target
from authserver.sessions import LoginSession
from authserver.store import journal, once
from authserver.store.connections import find_connection
from authserver.store.issued import digest
from authserver.store.registered import Client, find_client, find_tenant_setting
from authserver.store.upstream import add_upstream_logout, return_after_logout
from authserver.tenant import Tenant

log = logging.getLogger("authserver")

_MISMATCH = "The URL to return to is not in the list of Allowed Logout URLs."


def v2_logout(request: Request, tenant: Tenant) -> Answer:
    """Auth0's logout: no question asked."""
    _once(request.query)
    return_to, client_id = request.query.text("returnTo"), request.query.text("client_id")
    with tenant.database.read() as db:
        client = _known(db, client_id)
        allowed = (
            client.settings.allowed_logout_urls if client else find_tenant_setting(db, "allowed_logout_urls") or ()
        )
    if return_to is not None and not rules.is_allowed_return(return_to, allowed):
        raise UntrustedRequest(_MISMATCH)
    if return_to is None and client and allowed:
        return_to = allowed[0]
    elsewhere = _elsewhere(request, return_to, tenant)
    cookie = _end(request, tenant)
    if elsewhere is not None:
        return Redirect(elsewhere, (cookie,))
    return Redirect(return_to, (cookie,)) if return_to else Text("OK", cookies=(cookie,))


def _elsewhere(request: Request, return_to: str | None, tenant: Tenant) -> str | None:
    """Where the provider ends its own session, if `federated` asks for that, whatever its value. None for whoever has
    no session of a provider's, or when it cannot be asked: the logout here never depends on it.
    """
    if not any(name == "federated" for name, _ in request.query.pairs):
        return None
    with tenant.database.read() as db:
        session = sessions.current(db, request, tenant)
        connection = find_connection(db, session.connection) if session and session.connection else None
    if connection is None:
        return None
    from authserver.connections import oidc  # half a second, for those who need it

    state = secrets.token_urlsafe(32)
    try:
        url = oidc.logout_url(connection, state, tenant)
    except OutboundError as error:
        log.warning("federated logout: %s: %s", connection.name, error)
        return None
    if url is not None:
        with tenant.database.write() as db:
            add_upstream_logout(db, state, return_to, tenant.now() + tenant.settings.interaction_lifetime)
    return url


def after_federated_logout(request: Request, tenant: Tenant) -> Answer:
    """Back from a provider's logout, and on to where the application wanted. Only our own record says where."""
    state = request.query.opaque("state") or ""
    with tenant.database.write() as db:
        is_ours = once.spend_upstream_logout(db, digest(state), tenant.now())
        return_to = return_after_logout(db, state) if is_ours else None
    return Redirect(return_to) if return_to else Page("logged_out.html")


def oidc_logout(request: Request, tenant: Tenant) -> Answer:
    """The standard's logout: without proof that the application means this very session, the person is asked."""
    params = request.query + request.body
    _once(params)
    with tenant.database.read() as db:
        client, hinted_sid = _client_and_hint(db, params, tenant)
        session = sessions.current(db, request, tenant)
    back_to = params.text("post_logout_redirect_uri")
    if back_to is not None and (
        client is None or not rules.is_registered_post_logout(back_to, client.settings.allowed_logout_urls)
    ):
        raise UntrustedRequest(_MISMATCH)
    proofs, state = (hinted_sid, params.text("logout_hint")), params.text("state")
    if session is not None and session.sid not in proofs:
        return _ask(params, session, client, back_to)
    cookie = _end(request, tenant)
    if back_to is None:
        return Page("logged_out.html", cookies=(cookie,))
    return Redirect(_with_state(back_to, state), (cookie,))


def _client_and_hint(db: Connection, params: Params, tenant: Tenant) -> tuple[Client | None, str | None]:
    """The client that asks, and the session that its id_token_hint is about. An expired hint is as good."""
    client_id, hint = params.text("client_id"), params.opaque("id_token_hint")
    if hint is None:
        return _known(db, client_id), None
    claims = tenant.keyring.verify(db, hint)
    if claims is None or claims.get("iss") != tenant.issuer or not isinstance(claims.get("aud"), str):
        raise UntrustedRequest("id_token_hint is not an ID token of this server.")
    if client_id is not None and client_id != claims["aud"]:
        raise UntrustedRequest("id_token_hint was issued to another client.")
    return _known(db, claims["aud"]), claims.get("sid")


def _known(db: Connection, client_id: str | None) -> Client | None:
    client = find_client(db, client_id) if client_id is not None else None
    if client_id is not None and client is None:
        raise UntrustedRequest("The application is not known here: no client has this client_id.")
    return client


def _once(params: Params) -> None:
    if params.repeated:
        raise UntrustedRequest("A parameter was sent more than once.")


def _ask(params: Params, session: LoginSession, client: Client | None, back_to: str | None) -> Page:
    """The form sends the same request again, with the session's own `sid` as its hint: only a page of ours can know
    it.
    """
    names = ("client_id", "post_logout_redirect_uri", "id_token_hint", "state")
    hidden = {name: value for name in names if (value := params.text(name, limit=8192)) is not None}
    context = {"client": client, "hidden": {**hidden, "logout_hint": session.sid}}
    return Page("logout.html", context, form_targets=(form_target(back_to),) if back_to else ())


def _end(request: Request, tenant: Tenant) -> Cookie:
    with tenant.database.write() as db:
        session = sessions.current(db, request, tenant)
        if session is not None:
            journal.record(db, tenant.now(), LoggedOut(user_id=session.user_id))
        return sessions.end(db, request, tenant)


def _with_state(uri: str, state: str | None) -> str:
    if state is None:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}state={quote(state, safe='-._~')}"


def _metadata(tenant: Tenant) -> dict[str, object]:
    return {"end_session_endpoint": tenant.url("/oidc/logout")}


ROOM = Room(
    endpoints=(
        Endpoint("/v2/logout", {"GET": v2_logout}, "person"),
        Endpoint("/v2/logout/callback", {"GET": after_federated_logout}, "person"),
        Endpoint("/oidc/logout", {"GET": oidc_logout, "POST": oidc_logout}, "person"),
    ),
    metadata=_metadata,
)
