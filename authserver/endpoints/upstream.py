"""Logins elsewhere: a person leaves for an upstream provider, and comes back as somebody.

Done: SAML 2.0 Profiles §4.1 (by a second step on our own site, because cookies do not travel with other sites' posts) ·
RFC 6749 §4.1.2, §10.12 · RFC 9700 §4.4 (mix-up), §4.7 · RFC 9207 §2.4.
Left out: linking accounts; logins that a provider begins by itself.

The `state` that travels is the interaction's own and a second part that is new each time. The first leads back to the
interaction, which only the browser that began it can continue; the whole is spent when the answer comes. Whatever a
provider does wrong ends on a page with two ways out, to the login page and to the application, and within ten seconds.
"""

import secrets
from dataclasses import asdict

from authserver import interactions
from authserver.arrivals import arrive
from authserver.connections import saml
from authserver.connections.identity import Identity, admit
from authserver.connections.options import SAML
from authserver.endpoints import Endpoint, Room
from authserver.errors import InteractionLost, UntrustedRequest
from authserver.events import LoginFailed
from authserver.interactions import Interaction
from authserver.messages import Answer, Cookie, Page, Redirect, Request, Text
from authserver.outbound import OutboundError, Unavailable, Unusable
from authserver.rules.redirects import form_target
from authserver.store import journal, once
from authserver.store.connections import Connection, all_connections, find_connection
from authserver.store.issued import digest
from authserver.store.registered import find_client
from authserver.store.upstream import UpstreamLogin, add_upstream_login, find_upstream_login
from authserver.tenant import Tenant

_GIVE_UP = ("unavailable", "failed")


def choose(request: Request, tenant: Tenant) -> Answer:
    """A button of the login page, or of the page that says what went wrong."""
    interactions.same_origin(request, tenant)
    state, action = request.body.opaque("state"), request.body.opaque("action")
    interaction = interactions.find(request, state, tenant)
    if action in _GIVE_UP:
        with tenant.database.write() as db:
            interactions.authenticated(db, interaction, None, tenant.now(), decision=action)
        return Redirect(tenant.url(f"/authorize/resume?state={state}"))
    return _leave(request, interaction, state or "", request.body.opaque("connection"), tenant)


def go(request: Request, tenant: Tenant) -> Answer:
    """The application said where the person comes from. Only what it said counts, nothing in this URL."""
    state = request.query.opaque("state")
    interaction = interactions.find(request, state, tenant)
    return _leave(request, interaction, state or "", interaction.request.connection, tenant)


def _leave(request: Request, interaction: Interaction, state: str, name: str | None, tenant: Tenant) -> Answer:
    connection, alone = _upstream(interaction, name, tenant)
    travelling, now = f"{state}.{secrets.token_urlsafe(24)}", tenant.now()
    try:
        url = _departure(request, connection, travelling, interaction, tenant, alone=alone)
    except OutboundError as error:
        return _failed(interaction, state, connection, error, tenant)
    with tenant.database.write() as db:
        ends_at = now + tenant.settings.interaction_lifetime
        add_upstream_login(db, travelling, connection.name, ends_at, interaction.request.oldest_login(now))
    return _onward(request, url, f"You are on your way to {_called(connection)}.")


def _departure(
    request: Request, connection: Connection, state: str, interaction: Interaction, tenant: Tenant, *, alone: bool
) -> str:
    if connection.strategy == SAML:
        return saml.departure(connection, state, tenant, afresh=interaction.request.must_be_recent)
    from authserver.connections import oidc  # half a second, for those who need it

    journey = oidc.Journey(connection, state, _browser(request, tenant), interaction.request)
    return oidc.departure(journey, tenant, alone=alone)


def callback(request: Request, tenant: Tenant) -> Answer:
    """Back from a provider. This browser, then this state and its one use, then what it brought."""
    if request.query.repeated:
        raise InteractionLost
    travelling = request.query.opaque("state") or ""
    state = travelling.partition(".")[0]
    interaction = interactions.find(request, state, tenant)
    with tenant.database.read() as db:
        login = find_upstream_login(db, travelling)
    if login is None:
        raise InteractionLost
    connection, alone = _upstream(interaction, login.connection, tenant)
    if connection.strategy == SAML and not _holds_ticket(request, login):
        return _failed(interaction, state, connection, Unusable("it came back without the ticket"), tenant)
    with tenant.database.write() as db:
        if not once.spend_upstream_login(db, login.digest, tenant.now()):
            raise InteractionLost
    try:
        if connection.strategy == SAML:
            identity: Identity | None = Identity(**(login.identity or {}))
        else:
            identity = _identify(request, connection, travelling, interaction, login, tenant, alone=alone)
    except OutboundError as error:
        return _failed(interaction, state, connection, error, tenant)
    return _arrived(request, interaction, state, connection, identity, tenant)


def _identify(
    request: Request,
    connection: Connection,
    state: str,
    interaction: Interaction,
    login: UpstreamLogin,
    tenant: Tenant,
    *,
    alone: bool,
) -> Identity | None:
    """Who came back from an OpenID provider; None who does not want to."""
    from authserver.connections import oidc

    journey = oidc.Journey(connection, state, _browser(request, tenant), interaction.request)
    said = request.query
    answer = oidc.Answer(said.opaque("code"), said.opaque("error"), said.opaque("iss"), said.opaque("connection"))
    try:
        return oidc.arrival(journey, answer, tenant, alone=alone, logged_in_since=login.logged_in_since)
    except oidc.Declined:
        return None


def assertion_consumer(request: Request, tenant: Tenant) -> Answer:
    """A SAML response, which another site's page makes the browser post: so our cookies are not with it.

    What it proves waits in the row for the browser that began, which comes next with a ticket that this answer alone
    holds. So whoever brings a response has to be the one who asked for it.
    """
    travelling = request.body.opaque("RelayState") or ""
    with tenant.database.read() as db:
        login = find_upstream_login(db, travelling)
        connection = find_connection(db, login.connection) if login else None
    is_meant = connection is not None and request.query.opaque("connection") == connection.name
    if login is None or connection is None or connection.strategy != SAML or not is_meant:
        raise InteractionLost
    back = f"/login/callback?state={travelling}"
    try:
        ticket = _assert(request, login, connection, travelling, tenant)
    except Unusable as error:
        tenant.record(LoginFailed(reason=str(error), connection=connection.name))
        return _onward(request, tenant.url(back), "One more moment.")
    return _onward(request, tenant.url(f"{back}&ticket={ticket}"), "You are on your way back.")


def _assert(request: Request, login: UpstreamLogin, connection: Connection, state: str, tenant: Tenant) -> str:
    """The ticket for the identity in this response. Raises Unusable, or InteractionLost for what was used or is old."""
    from authserver.connections import saml_response

    asserted = saml_response.verify(
        request.body.opaque("SAMLResponse") or "", connection, state, tenant, logged_in_since=login.logged_in_since
    )
    ticket, now = secrets.token_urlsafe(32), tenant.now()
    with tenant.database.write() as db:
        of = digest(f"{connection.name} {asserted.assertion_id}")
        if not once.spend_assertion(db, of, asserted.expires_at):
            raise Unusable("the SAML response was refused: its assertion was used before")
        if not once.keep_identity(db, login.digest, digest(ticket), asdict(asserted.identity), now):
            raise InteractionLost
    return ticket


def _holds_ticket(request: Request, login: UpstreamLogin) -> bool:
    ticket = request.query.opaque("ticket")
    return ticket is not None and login.ticket_digest is not None and digest(ticket) == login.ticket_digest


def metadata(request: Request, tenant: Tenant) -> Answer:
    """For the provider of a SAML connection, which is no secret."""
    name = request.query.opaque("connection") or ""
    with tenant.database.read() as db:
        connection = find_connection(db, name)
    if connection is None or connection.strategy != SAML:
        raise UntrustedRequest("There is no SAML connection of this name.")
    return Text(saml.metadata(connection, tenant), headers={"Content-Type": "application/samlmetadata+xml"})


def _arrived(
    request: Request,
    interaction: Interaction,
    state: str,
    connection: Connection,
    identity: Identity | None,
    tenant: Tenant,
) -> Answer:
    client_id, now = interaction.request.client_id, tenant.now()
    cookies: tuple[Cookie, ...] = ()
    with tenant.database.write() as db:
        user = admit(db, identity, now) if identity else None
        if user is None:
            reason = "user id taken" if identity else "declined there"
            interactions.authenticated(db, interaction, None, now, decision="refused")
            journal.record(db, now, LoginFailed(client_id, reason=reason, connection=connection.name))
        else:
            cookies = arrive(db, request, interaction, user, tenant, connection.name)
    return _onward(request, tenant.url(f"/authorize/resume?state={state}"), "You are logged in.", cookies)


def _upstream(interaction: Interaction, name: str | None, tenant: Tenant) -> tuple[Connection, bool]:
    """The connection, which serves this client; and whether no other one speaks the same protocol. Raises
    InteractionLost.
    """
    with tenant.database.read() as db:
        connection = find_connection(db, name) if name else None
        if connection is None or not connection.is_upstream or not connection.serves(interaction.request.client_id):
            raise InteractionLost
        alike = [each for each in all_connections(db) if each.strategy == connection.strategy]
    return connection, len(alike) == 1


def _browser(request: Request, tenant: Tenant) -> str:
    return request.cookies[tenant.cookie_name("browser")]  # interactions.find has seen it


def _called(connection: Connection) -> str:
    return connection.display_name or connection.name


def _failed(interaction: Interaction, state: str, connection: Connection, error: OutboundError, tenant: Tenant) -> Page:
    client_id = interaction.request.client_id
    tenant.record(LoginFailed(client_id, reason=str(error), connection=connection.name))
    is_down = isinstance(error, Unavailable)
    with tenant.database.read() as db:
        client = find_client(db, client_id)
    if client is None:
        raise InteractionLost
    context = {
        "state": state,
        "client": client,
        "description": f"{_called(connection)} cannot be reached at the moment."
        if is_down
        else f"{_called(connection)} gave no answer that could be accepted.",
        "action": "unavailable" if is_down else "failed",
    }
    target = form_target(interaction.request.redirect_uri)
    return Page("upstream_failed.html", context, 503 if is_down else 400, form_targets=(target,))


def _onward(request: Request, url: str, sentence: str, cookies: tuple[Cookie, ...] = ()) -> Answer:
    """A redirect; for a browser a page that goes on by itself.

    Chromium holds every redirect after a form to the `form-action` of the page that the form stood on: of our login
    page on the way out, and on the way back of the provider's, which has never heard of the application.
    """
    if request.fetch_site is None:
        return Redirect(url, cookies)
    return Page("onward.html", {"url": url, "sentence": sentence}, cookies=cookies)


ROOM = Room(
    endpoints=(
        Endpoint("/u/login/connection", {"GET": go, "POST": choose}, "person"),
        Endpoint("/login/callback", {"GET": callback, "POST": assertion_consumer}, "person"),
        Endpoint("/samlp/metadata", {"GET": metadata}, "person"),
    ),
)
