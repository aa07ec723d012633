"""Whatever is dropped from an export or mangled in it: it is taken, or refused with a line; never a traceback."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from authserver import seed
from authserver.settings import Settings
from authserver.store.engine import Database
from authserver.tenant_file import Besides, Reading, TenantFileError, read_tenant, with_users
from authserver.tenant_file.keywords import replaced
from tests.conftest import Prepared
from tests.tenants import ENVIRONMENT, EXPORTED, USERS, read_export

WHOLE = yaml.safe_load(replaced(EXPORTED, EXPORTED.read_text(), ENVIRONMENT))
PEOPLE = json.loads(USERS.read_text())
DROPPED, RENAMED = object(), object()
INSTEAD = [DROPPED, RENAMED, None, "", "text", "x" * 3000, 7, -1.5, True, [], {}, [None], [{}], {"name": "x"}, [["x"]], "##X##", "\x85 \u202e"]  # fmt: skip

Path_ = tuple[str | int, ...]


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Every node below the root."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in below:
        yield (*at, step)
        yield from places(child, (*at, step))


def mangled(whole: Any, at: Path_, instead: Any) -> Any:
    copy = json.loads(json.dumps(whole))
    parent = copy
    for step in at[:-1]:
        parent = parent[step]
    if instead is DROPPED:
        del parent[at[-1]]
    elif instead is RENAMED:
        if isinstance(parent, dict):
            parent[f"{at[-1]}x"] = parent.pop(at[-1])
    else:
        parent[at[-1]] = instead
    return copy


def check(file: Path, settings: Settings, database: Database, *, is_users: bool) -> bool:
    """Whether it was taken."""
    try:
        reading = with_users(EXPORT, file) if is_users else read_tenant(file, Besides(environment=ENVIRONMENT))
    except TenantFileError as error:
        for line in str(error).splitlines():
            assert re.match(rf"{re.escape(str(file))}:[1-9]\d*: ", line), line
        return False
    seed.rehearse(database, settings, reading, lambda: 1_800_000_000)
    return True


EXPORT: Reading = read_export()


@pytest.mark.parametrize("which", ["tenant", "users"])
def test_no_mangled_export_ends_in_a_traceback(which: str, prepared: Prepared, tmp_path: Path, thorough: bool) -> None:
    whole = WHOLE if which == "tenant" else PEOPLE
    cases = [(at, instead) for at in places(whole) for instead in INSTEAD]
    number = random.SystemRandom().randrange(2**32)
    chosen = random.Random(number).sample(cases, min(len(cases), 400 if thorough else 30))  # noqa: S311 - a sample, repeatable by its number
    database = Database(prepared.copy(tmp_path))
    settings = Settings(database_url=database.url.render_as_string(hide_password=False), issuer="http://127.0.0.1:9/")
    file = tmp_path / ("tenant.yaml" if which == "tenant" else "users.json")
    verdicts = set()
    for at, instead in chosen:
        content = mangled(whole, at, instead)
        file.write_text(yaml.safe_dump(content) if which == "tenant" else json.dumps(content))
        try:
            verdicts.add(check(file, settings, database, is_users=which == "users"))
        except Exception as error:
            error.add_note(f"seed {number}: at {at}: {instead!r}")
            raise
    database.close()
    assert verdicts == {True, False}, "the mutations reach both ends"
