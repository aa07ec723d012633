"""What seeding says: what was taken, what not and why, and what changed in the database. For people, and as JSON.

Plain text in 100 columns, whatever reads it. What is not protected here comes last, where the eye ends.
"""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from authserver.registration.changes import Changes
from authserver.tenant_file import Finding, Reading

WIDTH = 100
_LINES, _WHAT = 9, 42

_HEADINGS = {
    "adapted": "Taken otherwise than it is written",
    "ignored": "Ignored",
    "not run": "Not run",
    "not protected": "WARNING: protected in Auth0, and not protected here",
}


def as_text(path: Path, reading: Reading, changes: Changes | None, *, is_rehearsal: bool) -> Iterator[str]:
    """The lines of the table."""
    yield f"Taken from {_plain(str(path))}"
    for section, names in taken(reading).items():
        yield from _row(str(len(names)), section, ", ".join(names), column=16)
    for verdict, heading in _HEADINGS.items():
        if verdict != "not protected":
            yield from _findings(heading, [each for each in reading.findings if each.verdict == verdict])
    if changes is not None:
        yield from _changes(changes, is_rehearsal=is_rehearsal)
    if reading.file.actions:
        yield ""
        yield "Actions stand in no database: start the server with this file, too (--tenant, or AUTHSERVER_TENANT)."
    warnings = [each for each in reading.findings if each.verdict == "not protected"]
    yield from _findings(_HEADINGS["not protected"], warnings)
    yield ""


def as_json(
    path: Path, reading: Reading, changes: Changes | None, secrets: dict[str, str], *, is_rehearsal: bool
) -> str:
    """The same, and the secrets that were made."""
    changes = changes or Changes()
    said: dict[str, Any] = {
        "file": str(path),
        "dry_run": is_rehearsal,
        "taken": taken(reading),
        "client_ids": {client.name: client.client_id for client in reading.file.clients},
        "findings": [
            {"verdict": each.verdict, "what": each.what, "why": each.why, "line": each.line}
            for each in reading.findings
        ],
        "changes": [{"kind": each.kind, "what": each.what, "why": each.why} for each in changes.found],
        "unchanged": changes.unchanged,
        "secrets": {} if is_rehearsal else secrets,
    }
    return json.dumps(said, indent=2)


def taken(reading: Reading) -> dict[str, list[str]]:
    """By section, the names of what is registered."""
    file = reading.file
    names = {client.client_id: client.name for client in file.clients}
    found = {
        "tenant": sorted(file.tenant.model_fields_set),
        "clients": [client.name for client in file.clients],
        "resourceServers": [api.identifier for api in file.resourceServers],
        "clientGrants": [f"{names[grant.client_id]} at {grant.audience}" for grant in file.clientGrants],
        "databases": [source.name for source in file.databases],
        "connections": [source.name for source in file.connections],
        "roles": [role.name for role in file.roles],
        "actions": [action.name for action in file.actions],
        "users": [user.email for user in reading.users],
    }
    return {section: names for section, names in found.items() if names}


def _findings(heading: str, findings: list[Finding]) -> Iterator[str]:
    """Names that are ignored go together by their reason; what concerns one thing stands alone, with its line."""
    if not findings:
        return
    yield ""
    yield f"{heading} ({len(findings)})"
    together: dict[tuple[str, str], list[str]] = {}
    alone: dict[tuple[str, str], int] = {}
    for each in findings:
        if each.verdict == "ignored" and " " not in each.what:
            place, _, name = each.what.rpartition(".")
            together.setdefault((place, each.why), []).append(name)
        else:
            alone.setdefault((each.what, each.why), each.line)
    for (place, why), names in together.items():
        yield from _row(str(len(names)), place or "(sections)", f"{', '.join(dict.fromkeys(names))}: {why}", column=28)
    for (what, why), line in sorted(alone.items(), key=lambda found: found[1]):
        yield from _row(f"line {line}", what, why)


def _changes(changes: Changes, *, is_rehearsal: bool) -> Iterator[str]:
    yield ""
    count = Counter(each.kind for each in changes.found)
    told = ", ".join(f"{count[kind]} {kind}" for kind in ("new", "changed", "only here") if count[kind])
    would = "In the database, without --dry-run" if is_rehearsal else "In the database"
    yield f"{would}: {told + ', ' if told else ''}{changes.unchanged} unchanged"
    for each in changes.found:
        yield from _row(each.kind, each.what, each.why)


def _row(first: str, what: str, why: str, *, column: int = _WHAT) -> Iterator[str]:
    """`first`, `what` and `why` in columns; what is long goes on below."""
    rest = WIDTH - _LINES - 4
    left = textwrap.wrap(_plain(what), column if why else rest, break_on_hyphens=False) or [""]
    right = textwrap.wrap(_plain(why), rest - column - 2, break_on_hyphens=False) or [""]
    for number in range(max(len(left), len(right))):
        cells = (
            first if number == 0 else "",
            left[number] if number < len(left) else "",
            right[number] if number < len(right) else "",
        )
        yield f"  {cells[0]:>{_LINES}}  {cells[1]:<{column}}  {cells[2]}".rstrip()


def _plain(text: str) -> str:
    """Names come from a file: nothing of them may speak to the terminal."""
    return "".join(ch if ch.isprintable() else "?" for ch in text)
