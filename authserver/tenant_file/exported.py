"""An export of auth0-deploy-cli becomes a tenant file of ours, in the same tree and with the same lines.

A file counts as an export when it has something that only an export has: a client without client_id, or a name of
Auth0's that is not played. In any other file all that is refused is a mistake. What an export says about things that
are not in it (Auth0's Management API, clients that were left out) is left out, too; nothing becomes wider than it was.
"""

import re
from collections.abc import Callable, Mapping

import yaml

from authserver.tenant_file import auth0_names, exported_clients
from authserver.tenant_file.exported_clients import Credentials, clean_destinations, clean_nothing
from authserver.tenant_file.findings import Findings
from authserver.tenant_file.nodes import drop, items, keep, line_of, member, members, put, text

HIDDEN = "_VALUE_NOT_SHOWN_"
"""Stands in exports where a secret was."""

_MANAGEMENT_API = re.compile(r"https://[^/]+/api/v2/")
_JAVASCRIPT = re.compile(r"\.(?:[mc]?js|ts)$|\n|=>|\bexports\b|\bfunction\b")
_TRIGGERS_HERE = ("post-login", "credentials-exchange")


def set_aside(root: yaml.Node, findings: Findings) -> None:
    """Take out what only looks like something of ours: grants for people's tokens, and Auth0's global client."""

    def is_ours(node: yaml.Node) -> bool:
        if text(member(node, "subject_type")) == "user":
            what = f"clientGrants of {text(member(node, 'client_id'))}"
            findings.add("ignored", what, "is for tokens of people, not of the client itself", line_of(node))
            return False
        if text(member(node, "global")) == "true":
            findings.add("ignored", f"clients {text(member(node, 'name'))}", "is Auth0's global client", line_of(node))
            return False
        return True

    _filter(root, "clientGrants", is_ours)
    _filter(root, "clients", is_ours)


def is_export(root: yaml.Node, findings: Findings) -> bool:
    """Whether something in it stands in exports alone."""
    return bool(
        findings.found
        or any(member(each, "client_id") is None for each in items(member(root, "clients")))
        or any(_is_javascript(each) for each in items(member(root, "actions")))
        or any(_is_unplayed_strategy(each) for each in items(member(root, "connections")))
        or any(
            name not in _TRIGGERS_HERE and name in auth0_names.TRIGGERS for name, _ in members(member(root, "triggers"))
        )
    )


def translate(root: yaml.Node, given: Mapping[str, Credentials], findings: Findings) -> None:
    """Make it a file of ours."""
    for name, value in members(root):
        if member(root, name) is None:
            drop(root, name)
        for each in [value, *items(value)]:
            if isinstance(each, yaml.MappingNode) and name != "clients":
                clean_nothing(each)
    clean_destinations(member(member(root, "tenant"), "allowed_logout_urls"), "tenant: allowed_logout_urls", findings)
    _filter(root, "clients", lambda each: exported_clients.translate(each, given, findings))
    _filter(root, "resourceServers", lambda each: _api(each, findings))
    ids = {text(member(each, "name")): text(member(each, "client_id")) for each in items(member(root, "clients"))}
    apis = {text(member(each, "identifier")) for each in items(member(root, "resourceServers"))}
    _default_audience(member(root, "tenant"), apis, findings)
    _filter(root, "clientGrants", lambda each: _grant(each, ids, apis, findings))
    for role in items(member(root, "roles")):
        _filter(role, "permissions", lambda each, role=role: _permission(each, role, apis, findings))  # type: ignore[misc] # a default in a lambda
    _filter(root, "connections", lambda each: _connection(each, findings))
    for section in ("databases", "connections"):
        for each in items(member(root, section)):
            _source(each, section, ids, findings)
    _filter(root, "actions", lambda each: _action(each, findings))
    _triggers(root, findings)


def _default_audience(tenant: yaml.Node | None, apis: set[str], findings: Findings) -> None:
    default = member(tenant, "default_audience")
    if tenant is None or default is None or text(default) in apis:
        return
    if text(default):
        why = f"{text(default)} is no API of this file"
        findings.add("ignored", "tenant.default_audience", why, line_of(default))
    drop(tenant, "default_audience")


def _filter(node: yaml.Node, name: str, wanted: Callable[[yaml.Node], bool]) -> None:
    found = member(node, name)
    if isinstance(found, yaml.SequenceNode):
        keep(found, [each for each in items(found) if not isinstance(each, yaml.MappingNode) or wanted(each)])


def _api(node: yaml.Node, findings: Findings) -> bool:
    identifier = text(member(node, "identifier"))
    if _MANAGEMENT_API.fullmatch(identifier):
        findings.add("ignored", f"resourceServers {identifier}", "the Management API is not played", line_of(node))
        return False
    for scope in items(member(node, "scopes")):
        clean_nothing(scope)
    alg = member(node, "signing_alg")
    if text(alg) in ("HS256", "PS256"):
        why = f"its tokens are signed with RS256: what verifies {text(alg)} refuses them"
        findings.add("adapted", f"resourceServers {identifier}: signing_alg", why, line_of(alg or node))
        drop(node, "signing_alg")
    return True


def _grant(node: yaml.Node, ids: dict[str, str], apis: set[str], findings: Findings) -> bool:
    client, audience = text(member(node, "client_id")), text(member(node, "audience"))
    known = ids.get(client, client if client in ids.values() else "")
    what = f"clientGrants of {client}"
    if client and not known:
        findings.add("ignored", what, "its client is not in this file, or not played", line_of(node))
    elif audience and audience not in apis:
        findings.add("ignored", what, f"{audience} is no API of this file", line_of(node))
    else:
        if known:
            put(node, "client_id", known, at=member(node, "client_id"))
        return True
    return False


def _permission(node: yaml.Node, role: yaml.Node, apis: set[str], findings: Findings) -> bool:
    api = text(member(node, "resource_server_identifier"))
    if not api or api in apis:
        return True
    what = f"roles {text(member(role, 'name'))}: {text(member(node, 'permission_name'))}"
    findings.add("ignored", what, f"{api} is no API of this file", line_of(node))
    return False


def _is_unplayed_strategy(node: yaml.Node) -> bool:
    strategy = text(member(node, "strategy"))
    return strategy in auth0_names.STRATEGIES and strategy not in ("oidc", "samlp")


def _connection(node: yaml.Node, findings: Findings) -> bool:
    if not _is_unplayed_strategy(node):
        return True
    why = f"strategy {text(member(node, 'strategy'))} is not played: its people cannot log in"
    findings.add("ignored", f"connections {text(member(node, 'name'))}", why, line_of(node))
    return False


def _source(node: yaml.Node, section: str, ids: dict[str, str], findings: Findings) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    what = f"{section} {text(member(node, 'name'))}: enabled_clients"
    enabled = member(node, "enabled_clients")
    if enabled is None:
        # An export names the clients whenever there are any; absent, ours would serve them all.
        put(node, "enabled_clients", [])
        findings.add("adapted", what, "the file names none, so nobody logs in with it", line_of(node))
    elif isinstance(enabled, yaml.SequenceNode):
        known = {*ids, *ids.values()}
        for each in [each for each in items(enabled) if text(each) not in known]:
            findings.add("ignored", what, f"{text(each)} is not in this file, or not played", line_of(each))
        keep(enabled, [each for each in items(enabled) if text(each) in known])


def _is_javascript(node: yaml.Node) -> bool:
    code = text(member(node, "code"))
    return not code.endswith(".py") and _JAVASCRIPT.search(code) is not None


def _action(node: yaml.Node, findings: Findings) -> bool:
    called = f"actions: {text(member(node, 'name'))}"
    if _is_javascript(node):
        findings.add("not run", called, "JavaScript; Actions here are Python files", line_of(node))
        if text(member(node, "deployed")) != "false":
            lost = "what it refuses is not refused, what it adds is not added"
            findings.add("not protected", called, lost, line_of(node))
        return False
    _filter(node, "supported_triggers", lambda each: _trigger(each, called, findings))
    for secret in [each for each in items(member(node, "secrets")) if text(member(each, "value")) == HIDDEN]:
        findings.add(
            "ignored", f"{called}: secret {text(member(secret, 'name'))}", "an export does not hold it", line_of(secret)
        )
    _filter(node, "secrets", lambda each: text(member(each, "value")) != HIDDEN)
    return True


def _trigger(node: yaml.Node, called: str, findings: Findings) -> bool:
    trigger = text(member(node, "id"))
    if trigger not in auth0_names.TRIGGERS or trigger in _TRIGGERS_HERE:
        return True
    findings.add("ignored", f"{called}: trigger {trigger}", "is not played", line_of(node))
    return False


def _triggers(root: yaml.Node, findings: Findings) -> None:
    run = {text(member(each, "name")) for each in items(member(root, "actions"))}
    triggers = member(root, "triggers")
    for name, bound in members(triggers):
        is_played = name in _TRIGGERS_HERE
        kept = [each for each in items(bound) if is_played and text(member(each, "action_name")) in run]
        for each in [each for each in items(bound) if each not in kept]:
            called = text(member(each, "action_name"))
            why = "its Action is not run" if is_played else "this trigger is not played"
            findings.add("not run", f"triggers.{name}: {called}", why, line_of(each))
        if name in auth0_names.TRIGGERS and not is_played:
            drop(triggers or root, name)
        elif isinstance(bound, yaml.SequenceNode):
            keep(bound, kept)
