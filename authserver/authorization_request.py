"""The authorization request: the ordered checks, and the trust line through them.

Done: RFC 6749 §3.1, §4.1.1, §4.1.2.1 · RFC 7636 §4.3, §4.4.1 · RFC 8252 §7.3 · RFC 8707 §2 · RFC 9700 §2.1, §4.11 ·
OpenID Connect Core §3.1.2.1, §3.1.2.2, §6.
Left out: response types other than code (RFC 9700 §2.1.2) · request objects (RFC 9101) · pushed requests (RFC 9126).

Above the line nobody knows yet who is asking or where an answer would go, so a failure is a page. Below it, a failure
is an answer to the application.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from authserver import trace
from authserver.errors import (
    ConnectionUnknown,
    InvalidRequest,
    InvalidTarget,
    OAuthError,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
    UntrustedRequest,
)
from authserver.messages import AuthorizationRequest, Params, is_text
from authserver.rules import pkce, redirects
from authserver.rules.authorization_response import RESPONSE_MODES
from authserver.rules.scopes import grantable, parse_scope
from authserver.store.connections import find_connection
from authserver.store.registered import (
    AUTHORIZATION_CODE,
    DEFAULT_AUDIENCE,
    Client,
    ResourceServer,
    find_client,
    find_resource_server,
    find_tenant_setting,
)
from authserver.tenant import Tenant

RESPONSE_TYPES = ("code",)
PROMPTS = ("none", "login", "consent", "select_account")

_NEVER_KEPT = ("id_token_hint", "client_secret", "client_assertion", "code_verifier", "access_token", "password")
"""Tokens and secrets, also where an application sends them by mistake."""

_MAX_AGE = re.compile(r"0|[1-9][0-9]{0,8}")


class Refused(Exception):
    """Below the trust line: `error` goes to `redirect_uri` with `state`."""

    def __init__(self, error: OAuthError, redirect_uri: str, response_mode: str, state: str | None) -> None:
        self.error, self.redirect_uri, self.response_mode, self.state = error, redirect_uri, response_mode, state
        super().__init__(str(error))


@dataclass(slots=True)
class _Draft:
    """What is known so far; each check reads what the earlier ones wrote."""

    params: Params
    db: Connection
    tenant: Tenant
    client: Client
    redirect_uri: str = ""
    response_mode: str = "query"
    state: str | None = None
    api: ResourceServer | None = None
    scope: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    expected_user: str | None = None
    connection: str | None = None


def validate(params: Params, db: Connection, tenant: Tenant) -> AuthorizationRequest:
    """Run the checks in order. Raises UntrustedRequest above the trust line, Refused below it."""
    try:
        draft = _Draft(params, db, tenant, _known_client(params, db))
        for check in ABOVE_THE_TRUST_LINE:
            check(draft)
    except InvalidRequest as error:  # an unreadable client_id or redirect_uri
        raise UntrustedRequest(str(error)) from None
    try:
        for check in BELOW_THE_TRUST_LINE:
            check(draft)
        return AuthorizationRequest(
            client_id=draft.client.client_id,
            redirect_uri=draft.redirect_uri,
            response_mode=draft.response_mode,
            scope=draft.scope,
            audience=draft.api.identifier if draft.api else None,
            state=draft.state,
            nonce=params.text("nonce"),
            code_challenge=params.text("code_challenge"),
            prompt=draft.prompt,
            max_age=draft.max_age,
            login_hint=params.text("login_hint"),
            expected_user=draft.expected_user,
            connection=draft.connection,
            screen_hint=params.text("screen_hint"),
            extra=_readable(params) if tenant.actions.post_login else {},
        )
    except OAuthError as error:
        raise Refused(error, draft.redirect_uri, draft.response_mode, draft.state) from None


def _readable(params: Params) -> dict[str, str]:
    """What a tenant's Actions may look at besides: whatever was sent, known to us or not, but no secret.

    It is stored with the interaction; where there is no Action, nothing of it is.
    """
    sent = {name: value for name, value in params.pairs if value and name not in _NEVER_KEPT}
    return {name: value for name, value in sent.items() if len(value) <= 2048 and is_text(name) and is_text(value)}


def _known_client(params: Params, db: Connection) -> Client:
    if params.repeated & {"client_id", "redirect_uri"}:
        raise UntrustedRequest("client_id and redirect_uri must be sent once.")
    client = find_client(db, params.required("client_id"))
    if client is None:
        raise UntrustedRequest("The application is not known here: no client has this client_id.")
    trace.note_client(client.client_id)
    return client


def _registered_redirect_uri(draft: _Draft) -> None:
    redirect_uri = draft.params.required("redirect_uri")
    any_port = draft.tenant.policy.loopback_any_port
    if not redirects.is_wellformed(redirect_uri) or not any(
        redirects.matches(redirect_uri, registered, any_port=any_port) for registered in draft.client.settings.callbacks
    ):
        raise UntrustedRequest(
            "Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs."
        )
    draft.redirect_uri = redirect_uri


def _known_receiver_of_messages(draft: _Draft) -> None:
    # A message goes to whichever window asked, so the window's origin is registered by itself; without that, there is
    # nobody who may be told even of the mistake.
    if "response_mode" in draft.params.repeated or draft.params.opaque("response_mode") != "web_message":
        return
    if redirects.origin(draft.redirect_uri) not in draft.client.settings.web_origins:
        raise UntrustedRequest(
            "response_mode=web_message: the origin of the redirect_uri is not in the list of Allowed Web Origins."
        )


def _way_back(draft: _Draft) -> None:
    # First below the line, so that every later answer goes as it was asked for and carries the state. A repeated or
    # unreadable one is never sent back.
    if "response_mode" not in draft.params.repeated:
        asked = draft.params.opaque("response_mode")
        draft.response_mode = asked if asked in RESPONSE_MODES else draft.response_mode
    if "state" in draft.params.repeated:
        raise InvalidRequest("The parameter state was sent more than once.")
    draft.state = draft.params.text("state")


def _nothing_repeated(draft: _Draft) -> None:
    if draft.params.repeated:
        raise InvalidRequest("A parameter was sent more than once.")


def _supported_response(draft: _Draft) -> None:
    if draft.params.opaque("response_mode") not in (None, draft.response_mode):
        raise InvalidRequest("response_mode is not supported.")
    if draft.params.required("response_type") not in RESPONSE_TYPES:
        raise UnsupportedResponseType


def _client_may_ask(draft: _Draft) -> None:
    if not draft.client.may_use(AUTHORIZATION_CODE):
        raise UnauthorizedClient


def _no_request_object(draft: _Draft) -> None:
    if "request" in draft.params:
        raise RequestNotSupported
    if "request_uri" in draft.params:
        raise RequestUriNotSupported


def _proof_key(draft: _Draft) -> None:
    challenge, method = draft.params.text("code_challenge"), draft.params.text("code_challenge_method")
    waived = draft.client.settings.allow_insecure_missing_pkce and not draft.client.is_public
    pkce.check_challenge(challenge, method, required=not waived)


def api_and_scope(
    params: Params, client: Client, db: Connection, tenant: Tenant
) -> tuple[ResourceServer | None, tuple[str, ...]]:
    """The API that is meant, and what of the scope may be granted. Raises InvalidTarget and InvalidScope."""
    identifier, api = params.text("audience"), None
    if tenant.policy.resource_parameter:
        resource = params.text("resource")
        if resource and identifier and resource != identifier:
            raise InvalidTarget
        identifier = identifier or resource
    identifier = identifier or find_tenant_setting(db, DEFAULT_AUDIENCE)
    requested = parse_scope(params.opaque("scope"))
    if identifier is not None:
        api = find_resource_server(db, identifier)
        if api is None:
            raise InvalidTarget
    return api, grantable(requested, client, api, tenant.policy)


def _known_api_and_scope(draft: _Draft) -> None:
    draft.api, draft.scope = api_and_scope(draft.params, draft.client, draft.db, draft.tenant)


def _prompt_and_age(draft: _Draft) -> None:
    draft.prompt = tuple((draft.params.text("prompt") or "").split())
    if not set(PROMPTS).issuperset(draft.prompt):
        raise InvalidRequest("prompt must be none, login, consent or select_account.")
    if "none" in draft.prompt and len(draft.prompt) > 1:
        raise InvalidRequest("prompt=none cannot be combined with another value.")
    max_age = draft.params.text("max_age")
    if max_age is not None:
        # int() would also take signs, underscores, spaces and the digits of other scripts.
        if not _MAX_AGE.fullmatch(max_age):
            raise InvalidRequest("max_age must be a number of seconds.")
        draft.max_age = int(max_age)


def _hinted_user(draft: _Draft) -> None:
    # An expired hint is welcome (OpenID Connect Core §3.1.2.2); one that is not ours, or another client's, is not.
    hint = draft.params.opaque("id_token_hint")
    if hint is None:
        return
    claims = draft.tenant.keyring.verify(draft.db, hint)
    if claims is None or claims.get("iss") != draft.tenant.issuer or claims.get("aud") != draft.client.client_id:
        raise InvalidRequest("id_token_hint is not an ID token that this server issued to this client.")
    draft.expected_user = str(claims["sub"])


def _known_connection(draft: _Draft) -> None:
    name = draft.params.text("connection")
    if name is not None:
        connection = find_connection(draft.db, name)
        if connection is None or not connection.serves(draft.client.client_id):
            raise ConnectionUnknown
        draft.connection = name


Check = Callable[[_Draft], None]

ABOVE_THE_TRUST_LINE: tuple[Check, ...] = (_registered_redirect_uri, _known_receiver_of_messages)
# ------------------------------------------------ the trust line ------------------------------------------------
BELOW_THE_TRUST_LINE: tuple[Check, ...] = (
    _way_back,
    _nothing_repeated,
    _supported_response,
    _client_may_ask,
    _no_request_object,
    _proof_key,
    _known_api_and_scope,
    _prompt_and_age,
    _hinted_user,
    _known_connection,
)
