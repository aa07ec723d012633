"""The story of a tenant: its exchanges as lines that a person reads, each within 120 columns.

Nothing but the standard library is imported here: it is told by the server, and in a test by whoever asked it.
"""

import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

WIDTH = 120

_ASKED = ("grant_type", "response_type", "response_mode", "prompt", "audience", "scope", "username", "action")
_INDENT = " " * 6
_SHORT = 7
"""Characters of a fingerprint that are enough to tell one from another."""

_OWN = re.compile(r"https?://[^/]+/t/[a-z0-9-]+(?=/)")

Exchange = Mapping[str, Any]


def story(exchanges: Sequence[Exchange], pointed_at: Collection[int] = ()) -> str:
    """One paragraph for each exchange; `pointed_at` are the numbers of those that are meant."""
    if not exchanges:
        return "Nothing came in."
    width = min(max(len(_where(each)) for each in exchanges), 44)
    clients = min(max(len(each["client_id"] or "-") for each in exchanges), 20)
    told, before = list[str](), exchanges[0]["at"]
    for each in exchanges:
        if abs(gap := each["at"] - before) > 30:
            told.append(f"{_INDENT}… {lasting(abs(gap))} {'later' if gap > 0 else 'earlier: the clock was set back'} …")
        before = each["at"]
        told += _lines(each, width, clients, ">" if each["number"] in pointed_at else " ")
    return "\n".join(told)


def short(fingerprint: str) -> str:
    """The beginning of a fingerprint; asked for, it stands for the whole."""
    return fingerprint[:_SHORT]


def lasting(seconds: int) -> str:
    """In words: `1 h 5 min`."""
    units, said = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)), list[str]()
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            said.append(f"{count} {name}")
    return " ".join(said[:2]) or "0 s"


def wrapped(text: str, indent: str, first: str = "") -> list[str]:
    """Lines of WIDTH columns; what does not fit goes on below, further to the right."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=True, break_on_hyphens=False
    ) or [first]


def _lines(each: Exchange, width: int, clients: int, mark: str) -> list[str]:
    client = _cut(each["client_id"] or "-", clients)
    head = f"{mark}{'#' + str(each['number']):<4} {_cut(_where(each), width):<{width}} {client:<{clients}}  "
    told = wrapped(f"{_asked(each)} → {_answered(each)}".strip(), " " * 8, head)
    if each["error"]:
        said = f"✗ {each['error']}: {each['error_description'] or 'no description'}"
        told += wrapped(said + (f" [{each['refusal']}]" if each["refusal"] else ""), " " * 8, _INDENT)
    elif each["status"] >= 400 and each["error_description"]:
        told += wrapped(f"✗ {each['error_description']}", " " * 8, _INDENT)
    if each["fault"]:
        told += wrapped(f"! fault: {each['fault']}", " " * 8, _INDENT)
    return told


def _where(each: Exchange) -> str:
    return f"{each['method']} {each['path']}"


def _asked(each: Exchange) -> str:
    given = {**each["query"], **each["body"]}
    said = [str(given[name]) if name == "grant_type" else f"{name}={given[name]}" for name in _ASKED if given.get(name)]
    said += [f"{kind}={short(fingerprint)}" for kind, fingerprint in each["presented"].items()]
    return " ".join(_cut(one, 60) for one in said)


def _answered(each: Exchange) -> str:
    status = str(each["status"]) if each["status"] else "no answer"
    said = [status if each["is_complete"] or not each["status"] else f"{status} (cut off)"]
    said += [f"{kind}={short(fingerprint)}" for kind, fingerprint in each["issued"].items()]
    said += [f"to {_OWN.sub('', each['location'].partition('?')[0])}"] if each["location"] else []
    told = (None, "", each["refusal"])
    happened = [
        str(one["type"]) + (f" ({one['reason']})" if one["reason"] not in told else "") for one in each["events"]
    ]
    return " ".join(_cut(one, 60) for one in said) + (f"   {', '.join(happened)}" if happened else "")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
