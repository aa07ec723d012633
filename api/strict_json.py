"""JSON as RFC 8259 means it, for everything that comes from outside: tokens, metadata, request bodies.

Python's reader takes the last of two equal names, NaN, UTF-16 and a byte order mark. Two readers who disagree
about one text are how checks get bypassed (RFC 7519 section 4, RFC 8725 section 2.6), so all of it is
refused.
"""

import json
from typing import Any


def decode_object(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`; ValueError for anything else."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        # One exception for every way of being unreadable keeps the callers to one `except`.
        raise ValueError("not a JSON object")  # noqa: TRY004 - see the line above
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name appears twice")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
