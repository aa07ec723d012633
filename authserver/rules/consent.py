"""Consent: when the person has to be asked.

Done: RFC 6749 §10.2 and RFC 8252 §8.6 (a client that cannot prove who it is never gets a silent answer) · OpenID
Connect Core §3.1.2.4.
"""

from collections.abc import Iterable

from authserver.messages import AuthorizationRequest
from authserver.rules.redirects import is_verifiable
from authserver.rules.scopes import OFFLINE_ACCESS
from authserver.store.registered import Client, ResourceServer

_IDENTITY_SENTENCES = {
    "openid": "Know who you are",
    "profile": "See your profile: name, picture and the like",
    "email": "See your email address",
    "phone": "See your phone number",
    "address": "See your postal address",
    OFFLINE_ACCESS: "Stay connected when you are away",
}


def sentences(scope: Iterable[str], api: ResourceServer | None) -> list[tuple[str, str]]:
    """Each value of `scope` with what it means for the person who is asked."""
    known = {**(api.scopes if api else {}), **_IDENTITY_SENTENCES}
    return [(value, known[value] or value) for value in scope if value in known]


def needs_consent(
    asked: AuthorizationRequest, client: Client, api: ResourceServer | None, remembered: Iterable[set[str]]
) -> bool:
    """True unless an earlier approval suffices, or the client is ours and provably the receiver.

    `remembered` are the scope sets of live grants. Where any program can be the receiver (loopback, private-use
    scheme), a public client is asked about each time: its client_id proves nothing.
    """
    if "consent" in asked.prompt:
        return True
    skips = client.settings.skip_non_verifiable_callback_uri_confirmation_prompt
    provable = is_verifiable(asked.redirect_uri) or skips
    if client.is_public and not provable:
        return True
    if client.is_first_party and provable and (api is None or api.skip_consent_for_verifiable_first_party_clients):
        return False
    return not any(scopes.issuperset(asked.scope) for scopes in remembered)
