"""The YAML tree of a tenant file, in which every mistake keeps its line.

Done: what YAML has and a tenant file does not need is refused here, before anything looks at it: tags, names that
stand twice, aliases that contain themselves or multiply, characters that no database stores. Aliases and merge keys
are spelled out, so that one place can be changed without another.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _SafeLoader  # twenty times as fast, wherever PyYAML was built with libyaml
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment] # slower, and words a syntax error a little differently

_DEEPEST = 60
_MOST = 200_000

_KINDS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq")}
_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"


class TenantFileError(Exception):
    """Where the mistake is and what was expected, one line each: `tenant.yaml:12: clients[0].callbacks: …`."""


class _Loader(_SafeLoader):
    """Without dates: what looks like one is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _SafeLoader.yaml_implicit_resolvers.items()
}


def parse(path: Path, text: str) -> yaml.Node | None:
    """The tree; None for an empty file. Raises TenantFileError."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TenantFileError(f"{path}:{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise TenantFileError(f"{path}:1: not YAML: {error}") from None
    except RecursionError:
        raise TenantFileError(f"{path}:1: not YAML that ends: it is nested too deeply") from None
    return _Expansion(path).of(root) if root is not None else None


class _Expansion:
    def __init__(self, path: Path) -> None:
        self._path, self._left = path, _MOST

    def of(self, node: yaml.Node, above: tuple[int, ...] = ()) -> yaml.Node:
        self._left -= 1
        if id(node) in above or len(above) > _DEEPEST or self._left < 0:
            raise self._refused(node, "not YAML that ends: an alias contains itself, or it is nested too deeply")
        if node.tag not in _KINDS:
            raise self._refused(node, f"values of the kind {node.tag.rpartition(':')[2]} are not read here")
        below = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            members = [(self._name(key), self.of(value, below)) for key, value in self._members(node)]
            return yaml.MappingNode(node.tag, members, node.start_mark, node.end_mark)
        if isinstance(node, yaml.SequenceNode):
            items = [self.of(item, below) for item in node.value]
            return yaml.SequenceNode(node.tag, items, node.start_mark, node.end_mark)
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - there are three kinds of nodes
        return self._scalar(node)

    def _members(self, node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = self._name(key).value
            if name in seen:
                raise self._refused(key, f"{name} stands twice; keep one")
            seen.add(name)
        try:
            _Loader("").flatten_mapping(node)  # merge keys: what was merged stands first, and what is said here wins
        except (yaml.YAMLError, RecursionError):
            raise self._refused(node, "not YAML that ends: what is merged here is no mapping, or itself") from None
        last = {key.value: number for number, (key, _) in enumerate(node.value)}
        return [pair for number, pair in enumerate(node.value) if last[pair[0].value] == number]

    def _name(self, key: yaml.Node) -> yaml.ScalarNode:
        if not isinstance(key, yaml.ScalarNode):
            raise self._refused(key, "a name was expected here")
        tag = key.tag if key.tag == _MERGE else _TEXT
        return self._scalar(yaml.ScalarNode(tag, key.value, key.start_mark, key.end_mark))

    def _scalar(self, node: yaml.ScalarNode) -> yaml.ScalarNode:
        if any(ch == "\0" or "\ud800" <= ch <= "\udfff" for ch in node.value):
            raise self._refused(node, "contains a character that cannot be stored")
        if node.tag in _KINDS and node.tag != _TEXT:
            try:
                value = plain(node)
            except (yaml.YAMLError, ValueError, KeyError, OverflowError):
                raise self._refused(node, f"is not of the kind {node.tag.rpartition(':')[2]}") from None
            if isinstance(value, float) and not math.isfinite(value):
                raise self._refused(node, "must be a finite number")
        return yaml.ScalarNode(node.tag, node.value, node.start_mark, node.end_mark, style=node.style)

    def _refused(self, node: yaml.Node, why: str) -> TenantFileError:
        return TenantFileError(f"{self._path}:{line_of(node)}: {why}")


def plain(node: yaml.Node) -> Any:
    """The value of a node as JSON has it."""
    return _Loader("").construct_document(node)


def line_of(node: yaml.Node) -> int:
    """The line on which it begins, counted from one."""
    return int(node.start_mark.line) + 1


def members(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """Names and values of a mapping; nothing for anything else."""
    if isinstance(node, yaml.MappingNode):
        for key, value in list(node.value):
            yield key.value, value


def items(node: yaml.Node | None) -> list[yaml.Node]:
    """The items of a sequence; none for anything else."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def member(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """The value of this name, if it is there and says something: null, "" and absent mean the same."""
    found = next((value for key, value in members(node) if key == name), None)
    return None if found is None or is_nothing(found) else found


def is_nothing(node: yaml.Node) -> bool:
    """Whether it is null or the empty string."""
    return isinstance(node, yaml.ScalarNode) and (node.tag.endswith(":null") or (node.tag == _TEXT and not node.value))


def text(node: yaml.Node | None) -> str:
    """What a scalar says; nothing for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) and not is_nothing(node) else ""


def drop(node: yaml.Node, name: str) -> None:
    """Take a member out."""
    node.value = [pair for pair in node.value if pair[0].value != name]


def put(node: yaml.Node, name: str, value: object, *, at: yaml.Node | None = None) -> None:
    """Say a member anew; mistakes in it are told with the line of `at`, or of the whole."""
    drop(node, name)
    begin, end = (at or node).start_mark, (at or node).end_mark
    made = yaml.compose(json.dumps(value, ensure_ascii=False), Loader=_Loader)
    for each in _all(made):
        each.start_mark, each.end_mark = begin, end
    node.value.append((yaml.ScalarNode(_TEXT, name, begin, end), made))


def keep(node: yaml.Node, kept: list[yaml.Node]) -> None:
    """Reduce a sequence to these of its items."""
    node.value = kept


def _all(node: yaml.Node | None) -> Iterator[yaml.Node]:
    if node is not None:
        yield node
    for child in [value for _, value in members(node)] + items(node):
        yield from _all(child)


def explain(path: Path, root: yaml.Node, mistake: dict[str, Any]) -> str:
    """One of pydantic's mistakes as a line for people."""
    place, node = "", root
    for step in mistake["loc"]:
        child = _child(node, step)
        if child is None and mistake["type"] not in ("missing", "extra_forbidden"):
            break  # pydantic's own steps into unions; the node above is where the mistake stands
        node = child or node
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    message = str(mistake["msg"]).removeprefix("Value error, ")
    if mistake["type"] == "extra_forbidden":
        message = "is not known here; check the spelling, or take it out"
    elif mistake["type"] == "missing":
        message = "is missing here"
    return f"{path}:{line_of(node)}: {place.lstrip('.') or 'file'}: {message}"


def _child(node: yaml.Node, step: object) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        child: yaml.Node = node.value[step]
        return child
    return None
