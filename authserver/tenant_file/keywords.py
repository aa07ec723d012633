"""Keywords: `##KEY##` and `@@KEY@@`, which auth0-deploy-cli replaces before it reads the file.

`@@KEY@@` becomes the value as JSON, with or without quotes around it; `##KEY##` becomes the value as it is. Values come
from `AUTH0_KEYWORD_REPLACE_MAPPINGS` (a JSON object), else from the environment variable of that name.
A keyword without a value is a mistake only where it would be read: sections that are not played may keep theirs.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from authserver.tenant_file.nodes import TenantFileError, items, line_of, members

MAPPINGS = "AUTH0_KEYWORD_REPLACE_MAPPINGS"

_KEY = r"[A-Za-z_][A-Za-z0-9_.-]*"
_ARRAY = re.compile(rf"(['\"]?)@@({_KEY})@@\1")
_RAW = re.compile(rf"##({_KEY})##")
_COMMENT = re.compile(rf"^\s*#(?!#{_KEY}##)")

# Private-use characters: they pass through YAML, and nobody types them.
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_UNRESOLVED = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")


def replaced(path: Path, text: str, environment: Mapping[str, str]) -> str:
    """The text with its keywords replaced; those without a value are marked for `refuse_unresolved`.

    Raises TenantFileError for mappings that are no JSON object.
    """
    if "##" not in text and "@@" not in text:
        return text
    mappings = _mappings(environment)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not _COMMENT.match(line):
            line = _ARRAY.sub(lambda found: _array(found, mappings, environment), line)
            lines[number] = _RAW.sub(lambda found: _raw(found, mappings, environment), line)
            if "\n" in lines[number]:
                raise TenantFileError(
                    f"{path}:{number + 1}: the value of a ##keyword## has line breaks; use @@keyword@@"
                )
    return "\n".join(lines)


def refuse_unresolved(path: Path, node: yaml.Node) -> None:
    """Raises TenantFileError with line and key for a keyword that has no value."""
    if isinstance(node, yaml.ScalarNode) and (found := _UNRESOLVED.search(node.value)):
        raise TenantFileError(
            f"{path}:{line_of(node)}: the keyword {found[1]} has no value; set it in the environment, or in {MAPPINGS}"
        )
    for name, child in members(node):
        if found := _UNRESOLVED.search(name):
            raise TenantFileError(f"{path}:{line_of(child)}: the keyword {found[1]} has no value, and stands in a name")
        refuse_unresolved(path, child)
    for child in items(node):
        refuse_unresolved(path, child)


def is_unresolved(value: str) -> bool:
    """Whether a keyword without a value is in it."""
    return _UNRESOLVED.search(value) is not None


def _mappings(environment: Mapping[str, str]) -> dict[str, Any]:
    given = environment.get(MAPPINGS, "").strip()
    try:
        found = json.loads(given) if given else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TenantFileError(f"{MAPPINGS}: expected a JSON object of keywords and their values")
    return found


def _array(found: re.Match[str], mappings: dict[str, Any], environment: Mapping[str, str]) -> str:
    value = mappings.get(found[2], environment.get(found[2]))
    return _mark(found[2]) if value is None else json.dumps(value, ensure_ascii=False)


def _raw(found: re.Match[str], mappings: dict[str, Any], environment: Mapping[str, str]) -> str:
    value = mappings.get(found[1], environment.get(found[1]))
    if value is None:
        return f"{_OPEN}{found[1]}{_CLOSE}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _mark(key: str) -> str:
    return json.dumps(f"{_OPEN}{key}{_CLOSE}", ensure_ascii=False)
