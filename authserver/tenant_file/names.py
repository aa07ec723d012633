"""Names: which of them the models know, which are Auth0's and not played, and which are nobody's.

What is Auth0's alone is taken out of the tree and reported; what nobody knows stays, and the models refuse it.
"""

from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel

from authserver.tenant_file import auth0_names
from authserver.tenant_file.auth0_names import Unplayed
from authserver.tenant_file.findings import Findings
from authserver.tenant_file.nodes import drop, items, line_of, member, members, plain, text
from authserver.tenant_file.whole import TenantFile

THE_TENANT = "the tenant"


def sort_names(root: yaml.Node, findings: Findings) -> None:
    """Take out what is not played."""
    for section, why in auth0_names.NOT_RUN.items():
        for each in items(member(root, section)):
            _not_run(section, each, why, findings)
        drop(root, section)
    _walk(root, TenantFile, "", findings)


def not_protected(findings: Findings, name: str, unplayed: Unplayed, node: yaml.Node, whose: str) -> None:
    """Report a name that is not played; as a warning if its value protects something."""
    if unplayed.lost and unplayed.when(plain(node)):
        findings.add("not protected", _called(whose, name), unplayed.lost, line_of(node))
    else:
        findings.add("ignored", name, unplayed.why, line_of(node))


def _called(whose: str, name: str) -> str:
    return f"{whose}: {name.rpartition('.')[2]}" if whose != THE_TENANT else name


def whose(place: str, node: yaml.Node) -> str:
    """What an item of a list is called, beside the list's own name."""
    if place == "tenant":
        return THE_TENANT
    called = next((text(member(node, name)) for name in ("name", "identifier", "client_id") if member(node, name)), "")
    section = place.partition("[")[0].partition(".")[0]
    return f"{section} {called}".strip() if section else THE_TENANT


def _walk(node: yaml.Node | None, model: type[BaseModel], place: str, findings: Findings, of: str = "") -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    of = of or whose(place, node)
    unplayed = auth0_names.MEMBERS.get(place, {})
    for name, value in members(node):
        field = model.model_fields.get(name)
        if field is not None:
            _walk_value(value, field.annotation, f"{place}.{name}".lstrip("."), findings, of if place else "")
        elif name in unplayed:
            not_protected(findings, f"{place}.{name}".lstrip("."), unplayed[name], value, of)
            drop(node, name)


def _walk_value(value: yaml.Node, annotation: Any, place: str, findings: Findings, of: str) -> None:
    """Into a model, a list of models, or a mapping to lists of models."""
    model, is_list = _model_in(annotation)
    if model is None:
        return
    if not is_list:
        _walk(value, model, place, findings, of)
        return
    for lists in [value] if isinstance(value, yaml.SequenceNode) else [child for _, child in members(value)]:
        for each in items(lists):
            _walk(each, model, f"{place}[]", findings, of)


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for inner in get_args(annotation):
        model, _ = _model_in(inner)
        if model is not None:
            return model, get_origin(annotation) in (tuple, dict)
    return None, False


def _not_run(section: str, node: yaml.Node, why: str, findings: Findings) -> None:
    called = f"{section}: {text(member(node, 'name')) or '(without a name)'}"
    findings.add("not run", called, why, line_of(node))
    if text(member(node, "enabled")) != "false":
        findings.add("not protected", called, "what it refuses is not refused", line_of(node))
