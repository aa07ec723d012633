"""What registering changed, and the one way in which a table is brought up to date."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, Table, insert, select, update


@dataclass(frozen=True, slots=True)
class Change:
    """`what` names it in the words of the file; `only here` is in the database and not in the file."""

    kind: Literal["new", "changed", "only here"]
    what: str
    why: str = ""


@dataclass(slots=True)
class Changes:
    """Collects them. `secrets` maps client_id to a secret that was generated: the only moment to read it."""

    found: list[Change] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    unchanged: int = 0


def as_json(value: Any) -> Any:
    """As the database gives it back: tuples are lists, and names are text."""
    return value if isinstance(value, bytes) else json.loads(json.dumps(value))


def bring(
    db: Connection,
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    name: Callable[[Mapping[str, Any]], str],
    changes: Changes,
) -> None:
    """Insert rows that are not there, update those that differ, leave and report those that `rows` does not have."""
    keys = [column.name for column in table.primary_key.columns]
    there = {tuple(row[key] for key in keys): dict(row) for row in db.execute(select(table)).mappings()}
    for row in rows:
        key = tuple(row[each] for each in keys)
        before = there.pop(key, None)
        different = {each: value for each, value in row.items() if before is None or as_json(value) != before[each]}
        if before is None:
            db.execute(insert(table), dict(row))
            changes.found.append(Change("new", name(row)))
        elif different:
            mine = [table.c[each] == value for each, value in zip(keys, key, strict=True)]
            db.execute(update(table).where(*mine).values(**different))
            changes.found.append(Change("changed", name(row), ", ".join(sorted(_inner(before, different)))))
        else:
            changes.unchanged += 1
    changes.found += [Change("only here", name(row), "the file does not name it; it stays") for row in there.values()]


def _inner(before: Mapping[str, Any], different: Mapping[str, Any]) -> Iterable[str]:
    """The names that differ, one level into `settings`."""
    for name, value in different.items():
        if isinstance(value, dict) and isinstance(before[name], dict):
            after = as_json(value)
            yield from (
                each for each in after.keys() | before[name].keys() if after.get(each) != before[name].get(each)
            )
        else:
            yield name
