"""Clients of an export: they have names and no ids, and Auth0 accepts of them what is refused here.

Ids and secrets come from the caller's mapping; an id that nobody gives is derived from the name, so that the same
file always means the same client. What is refused here (wildcards, http beyond loopback, grants that are not played)
is left out with its reason, and the client stays.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import yaml
from pydantic import TypeAdapter, ValidationError

from authserver.store.registered import AUTHORIZATION_CODE, REFRESH_TOKEN
from authserver.tenant_file import auth0_names
from authserver.tenant_file.findings import Findings
from authserver.tenant_file.keywords import is_unresolved
from authserver.tenant_file.models import ClientModel, Destination
from authserver.tenant_file.nodes import drop, is_nothing, items, keep, line_of, member, members, put, text

CLIENT_CREDENTIALS = "client_credentials"

_DESTINATION = TypeAdapter[str](Destination)
_HERE = ("native", "spa", "regular_web", "non_interactive")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client is known by outside of the file."""

    client_id: str | None = None
    client_secret: str | None = None


def derived_id(name: str) -> str:
    """As long as Auth0's, and the same for the same name."""
    return hashlib.sha256(f"understudy client: {name}".encode()).hexdigest()[:32]


def translate(node: yaml.Node, given: Mapping[str, Credentials], findings: Findings) -> bool:
    """Make it a client of ours; False if it is none that is played. Says in `findings` what was changed."""
    name = text(member(node, "name"))
    of = f"clients {name}".strip()
    app_type = text(member(node, "app_type"))
    if app_type in auth0_names.APP_TYPES and app_type not in _HERE:
        findings.add("ignored", of, f"app_type {app_type} is not played", line_of(node))
        return False
    _identify(node, name, given.get(name, Credentials()), findings)
    _authenticate(node, of, findings)
    _clean(node, of, findings)
    _grant_types(node, of, findings)
    return True


def _identify(node: yaml.Node, name: str, given: Credentials, findings: Findings) -> None:
    if given.client_id:
        put(node, "client_id", given.client_id)
    elif not member(node, "client_id") and name:
        put(node, "client_id", derived_id(name))
        why = f"client_id {derived_id(name)}, derived from its name; --client-id gives another"
        findings.add("adapted", f"clients {name}", why, line_of(node))
    if given.client_secret:
        put(node, "client_secret", given.client_secret)


def _authenticate(node: yaml.Node, of: str, findings: Findings) -> None:
    method, app_type = member(node, "token_endpoint_auth_method"), text(member(node, "app_type"))
    if method is None:
        put(node, "token_endpoint_auth_method", "none" if app_type in ("native", "spa") else "client_secret_post")
    elif app_type in ("native", "spa") and text(method) in ("client_secret_post", "client_secret_basic"):
        why = f"an app of type {app_type} keeps no secret: PKCE protects it, its secret is not asked for"
        findings.add("not protected", f"{of}: token_endpoint_auth_method", why, line_of(method))
        put(node, "token_endpoint_auth_method", "none", at=method)
    is_public = text(member(node, "token_endpoint_auth_method")) == "none"
    if not app_type:
        chosen = "native" if is_public else "regular_web"
        put(node, "app_type", chosen)
        findings.add("adapted", of, f"app_type {chosen}: the file says none", line_of(node))
    secret = member(node, "client_secret")
    if secret is not None and is_public:
        drop(node, "client_secret")
        findings.add("ignored", f"{of}: client_secret", "a public client has none", line_of(secret))


def _clean(node: yaml.Node, of: str, findings: Findings) -> None:
    clean_nothing(node)
    for name in ("callbacks", "allowed_logout_urls"):
        clean_destinations(member(node, name), f"{of}: {name}", findings)
    origins = member(node, "web_origins")
    if isinstance(origins, yaml.SequenceNode):
        for each in [each for each in items(origins) if "*" in text(each)]:
            findings.add("ignored", f"{of}: web_origins", f"{text(each)}: wildcards are refused", line_of(each))
        keep(origins, [each for each in items(origins) if "*" not in text(each)])
    alg = member(member(node, "jwt_configuration"), "alg")
    if text(alg) in ("HS256", "PS256", "RS512", "PS384"):
        findings.add("adapted", f"{of}: jwt_configuration.alg", "ID tokens are signed with RS256", line_of(alg or node))
        drop(member(node, "jwt_configuration") or node, "alg")


def clean_nothing(node: yaml.Node) -> None:
    """Take out members that say null or "": in an export they mean the same as absent ones."""
    for name, value in members(node):
        if is_nothing(value):
            drop(node, name)
        elif isinstance(value, yaml.MappingNode) and name not in ("options", "user_metadata", "app_metadata"):
            clean_nothing(value)


def clean_destinations(node: yaml.Node | None, what: str, findings: Findings) -> None:
    """Leave out the addresses that are refused here."""
    if not isinstance(node, yaml.SequenceNode):
        return
    kept = []
    for each in items(node):
        reason = "" if not isinstance(each, yaml.ScalarNode) or is_unresolved(each.value) else _refusal(each.value)
        if reason:
            findings.add("ignored", what, reason, line_of(each))
        else:
            kept.append(each)
    keep(node, kept)


def _refusal(uri: str) -> str:
    try:
        _DESTINATION.validate_python(uri)
    except ValidationError:
        shown = uri if len(uri) <= 60 else uri[:57] + "..."
        if "*" in uri:
            return f"{shown}: wildcards are refused"
        if uri.startswith("http://"):
            return f"{shown}: http is for loopback alone"
        return f"{shown}: is no destination that may be registered here"
    return ""


def _grant_types(node: yaml.Node, of: str, findings: Findings) -> None:
    is_public = text(member(node, "token_endpoint_auth_method")) == "none"
    asked = member(node, "grant_types")
    if asked is None:
        default = [AUTHORIZATION_CODE, REFRESH_TOKEN] + ([] if is_public else [CLIENT_CREDENTIALS])
        put(node, "grant_types", default)
        findings.add("adapted", f"{of}: grant_types", f"Auth0's default: {', '.join(default)}", line_of(node))
    elif not isinstance(asked, yaml.SequenceNode):
        return
    grants = member(node, "grant_types")
    kept = []
    for each in items(grants):
        reason = _no_grant(text(each), node, is_public=is_public)
        if reason and text(each) in auth0_names.GRANT_TYPES:
            findings.add("ignored", f"{of}: grant type {text(each)}", reason, line_of(each))
        else:
            kept.append(each)
    keep(grants or node, kept)


def _no_grant(grant_type: str, node: yaml.Node, *, is_public: bool) -> str:
    if grant_type not in _played():
        return "is not played"
    if grant_type == CLIENT_CREDENTIALS and is_public:
        return "a public client cannot use it"
    if grant_type == AUTHORIZATION_CODE and not items(member(node, "callbacks")):
        return "it has no callback that may be registered here"
    if grant_type == REFRESH_TOKEN and text(member(node, "app_type")) == "spa":
        if text(member(member(node, "refresh_token"), "rotation_type")) != "rotating":
            return "app_type spa needs refresh_token.rotation_type rotating"
    return ""


def _played() -> set[Any]:
    return {each for inner in get_args(ClientModel.model_fields["grant_types"].annotation) for each in get_args(inner)}
