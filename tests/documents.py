"""The documents that are made and not written: `make docs` writes them, `test_docs` fails when one is stale.

`docs/map.md` from the door signs (the docstring of each room), the names of the tests, the mutants, and
`docs/rooms.toml`, which says what each room answers for. `docs/dialects.md` from the two policies. `docs/settings.md`
from the three `Settings`. Tests are read, never imported.
"""

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from rich.console import Console

import api.settings
import authserver.__main__
import authserver.settings
import client.settings
from authserver import errors
from authserver.dialects import POLICIES, Policy
from tests.mutants.listed import MUTANTS, THE_MOST_TELLING

ROOT = Path(__file__).parents[1]
SERVICES = {
    "authserver": "The authorization server",
    "api": "The API",
    "client": "The native app",
}

_ROW = re.compile(r"test_([A-Z]{1,3}\d+)_")
_STANDARD = re.compile(
    r"RFC \d{4}|OpenID Connect (?:Core|Discovery|RP-Initiated Logout|Front-Channel Logout)(?: 1\.0)?"
    r"|OAuth 2\.0 (?:Multiple Response Types|Form Post Response Mode)|NIST SP 800-63B|CSP level 3|Fetch standard"
)
_REMARK = re.compile(r" ?\((?!RFC |OpenID )[^()]*\)")
_SECTIONS = re.compile(r"(?:[,;]? ?(?:and|to)? ?(?:sections?|§|[Aa]ppendix)? ?(?:\d[\d.]*\d|\d|[A-Z](?![\w])))+")
_SECTION = re.compile(r"(to )?(?:sections? |§|[Aa]ppendix )?(\d[\d.]*\d|\d|[A-Z](?![\w]))")
_NOTE = "<!-- Made by `make docs`. Change what it is made from: {sources}. -->"

_ABOUT_THE_MAP = """\
A room is a module, and its docstring is its door sign. A row is a security case, and the tests that prove it are named
after it. *Mutants* are versions of the code with one protection taken out: `make mutants` demands that the row's tests
notice. ★ marks the most telling rows."""
_ABOUT_DIALECTS = """\
A dialect changes wording, status, claims and defaults, never a protection. It is chosen at start, see
[settings](settings.md)."""
_ABOUT_WORDING = """\
Status, code and description. Where a room has a more exact sentence than the one here, it is the same in both."""
_ABOUT_SETTINGS = """\
Every setting is an environment variable and a flag; the flag wins. What weakens a check is spelled
`allow_insecure_…`."""


class DocumentError(Exception):
    """What a page is made from does not fit together; the text says what to do."""


def documents() -> dict[str, str]:
    """Every generated page: its path, and its text as it should be."""
    return {"docs/map.md": map_page(), "docs/dialects.md": dialects_page(), "docs/settings.md": settings_page()}


def stale() -> list[str]:
    """The pages that are not what they should be."""
    return [path for path, text in documents().items() if not (ROOT / path).is_file() or _held(path) != text]


def _held(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


# The map ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Room:
    """A module and what its door sign says. `standards` pairs each with its sections, as they are written there."""

    path: str
    title: str
    standards: dict[str, tuple[str, ...]]
    left_out: str


@dataclass(frozen=True, slots=True)
class Test:
    """A test function. `row` is the security case in its name, if there is one."""

    file: str
    name: str
    row: str | None


def rooms() -> list[Room]:
    """Every module of the three services that says something, in the order of the tree."""
    found = []
    for service in SERVICES:
        for path in sorted((ROOT / service).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            sign = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            if sign and "/versions/" not in name:
                found.append(read_sign(name, sign))
    return found


def read_sign(path: str, sign: str) -> Room:
    """Title, standards and gaps of one door sign: `Done:` and `Left out:`, or a paragraph that opens with citations."""
    title, _, rest = sign.partition("\n\n")
    said = " ".join(rest.split())
    opening = " ".join(rest.partition("\n\n")[0].split())
    done = said.partition("Done: ")[2] or (opening if _STANDARD.match(opening) else "")
    left_out = re.search(r"Left out[^:]*: (.+?\.)(?= [A-Z]|\Z)", said)
    return Room(
        path, " ".join(title.split()), standards(done.partition("Left out")[0]), left_out[1] if left_out else ""
    )


def standards(text: str) -> dict[str, tuple[str, ...]]:
    """What a text cites, with its sections; remarks in parentheses are passed over."""
    while (shorter := _REMARK.sub("", text)) != text:
        text = shorter
    cited: dict[str, tuple[str, ...]] = {}
    for found in _STANDARD.finditer(text):
        listed = _SECTIONS.match(text, found.end())
        name = found[0].removesuffix(" 1.0")
        cited[name] = cited.get(name, ()) + tuple(_sections(listed[0] if listed else ""))
    return cited


def _sections(listed: str) -> Iterator[str]:
    for up_to, number in _SECTION.findall(listed):
        mark = "appendix " if number.isalpha() else "§"
        yield f"to {mark}{number}" if up_to else f"{mark}{number}"


def tests() -> list[Test]:
    """Every test function of the suite, by reading the files."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                row = _ROW.match(node.name)
                found.append(Test(file, node.name, row[1] if row else None))
    return found


def rows_of_rooms() -> dict[str, list[str]]:
    """`docs/rooms.toml`: the security cases that each room answers for."""
    with (ROOT / "docs/rooms.toml").open("rb") as file:
        return {room: rows.split() for room, rows in tomllib.load(file).items()}


def check_rooms(known: Mapping[str, Iterable[str]], rooms: Iterable[Room], proved: Iterable[str]) -> None:
    """Raise DocumentError unless every room exists and every row that a test proves belongs to one."""
    if gone := sorted(set(known) - {room.path for room in rooms}):
        raise DocumentError(f"docs/rooms.toml names {', '.join(gone)}, which is no room with a door sign")
    if homeless := sorted(set(proved) - {row for rows in known.values() for row in rows}, key=in_order):
        raise DocumentError(f"tests prove {', '.join(homeless)}: say in docs/rooms.toml which room answers for it")


def in_order(row: str) -> tuple[str, int]:
    """AZ2 before AZ10."""
    letters = row.rstrip("0123456789")
    return letters, int(row.removeprefix(letters))


def map_page() -> str:
    """Standard → room → row → test, and back."""
    signs, known = rooms(), rows_of_rooms()
    by_row: dict[str, list[Test]] = defaultdict(list)
    for test in tests():
        if test.row:
            by_row[test.row].append(test)
    check_rooms(known, signs, by_row)
    # Tests about the API's own behaviour prove nothing about the authorization server's, whatever the row.
    proofs = {room.path: [test for row in known.get(room.path, ()) for test in by_row[row]] for room in signs}
    proofs = {path: [test for test in found if _is_about(test, path)] for path, found in proofs.items()}
    return "\n".join(
        [
            "# Map: from the standards to the rooms to the tests",
            "",
            _NOTE.format(sources="door signs, names of tests, tests/mutants/listed.py, docs/rooms.toml"),
            "",
            _ABOUT_THE_MAP,
            "",
            *_rooms_part(signs, proofs),
            "## Rows",
            "",
            *_rows_part(by_row),
            "",
            "## Standards",
            "",
            *_standards_part(signs),
            "",
            "## Left out on purpose",
            "",
            *_table(("Room", "Not done here"), ((_link(s.path), s.left_out) for s in signs if s.left_out)),
            "",
        ]
    )


def _is_about(test: Test, path: str) -> bool:
    """Tests in a service's own directory are about that service alone; all others are about the server."""
    home = test.file.split("/")[1]
    return path.startswith(f"{home if home in SERVICES else 'authserver'}/")


def _rooms_part(signs: list[Room], proofs: Mapping[str, list[Test]]) -> Iterator[str]:
    for service, name in SERVICES.items():
        yield f"## {name}"
        yield ""
        yield from _table(
            ("Room", "What it is", "Standards", "Rows", "Tests"),
            (
                (
                    _link(room.path),
                    room.title,
                    "; ".join(_cited(name, sections) for name, sections in room.standards.items()),
                    ", ".join(sorted({str(test.row) for test in proofs[room.path]}, key=in_order)),
                    "<br>".join(sorted({_link(test.file) for test in proofs[room.path]})),
                )
                for room in signs
                if room.path.startswith(f"{service}/")
            ),
        )
        yield ""


def _rows_part(by_row: Mapping[str, list[Test]]) -> Iterator[str]:
    starred = {mutant.row for mutant in THE_MOST_TELLING}
    mutants: dict[str, list[str]] = defaultdict(list)
    for mutant in MUTANTS:
        mutants[mutant.row].append(mutant.id)
    yield from _table(
        ("Row", "Proved by", "Mutants"),
        (
            (
                row + (" ★" if row in starred else ""),
                "<br>".join(f"{_link(test.file)} `{test.name}`" for test in by_row[row]),
                "<br>".join(mutants[row]),
            )
            for row in sorted((row for row in by_row if by_row[row]), key=in_order)
        ),
    )


def _standards_part(signs: Iterable[Room]) -> Iterator[str]:
    done: dict[str, list[str]] = defaultdict(list)
    for room in signs:
        for name, sections in room.standards.items():
            done[name].append(f"{_link(room.path)}{' ' if sections else ''}{_list(sections)}")
    proved: dict[str, list[str]] = defaultdict(list)
    for file, name, sections in spec_files():
        proved[name].append(f"{_link(file)} {_list(sections)}".strip())
    yield from _table(
        ("Standard", "Rooms and sections", "Tests and sections"),
        ((name, "<br>".join(done[name]), "<br>".join(proved[name])) for name in sorted({*done, *proved})),
    )


def spec_files() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each file of tests/spec with each standard that its title cites; the sections that its tests open with count for
    the one that the title opens with.
    """
    for path in sorted((ROOT / "tests/spec").glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        title = " ".join((ast.get_docstring(tree) or "").partition("\n\n")[0].split())
        signs = [ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.FunctionDef)]
        named = [found[0] for sign in signs if re.match("§|Appendix", sign) and (found := _SECTIONS.match(sign))]
        by_tests = {number for sections in named for number in _sections(sections)}
        for standard, sections in standards(title).items():
            counted = {*sections, *(by_tests if title.startswith(standard) else ())}
            yield path.relative_to(ROOT).as_posix(), standard, tuple(sorted(counted, key=_natural))


def _natural(section: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (999, part) for part in section.removeprefix("§").split(".")]


def _cited(name: str, sections: tuple[str, ...]) -> str:
    return f"{name} {_list(sections)}".strip()


def _list(sections: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(sections)).replace(", to ", " to ")


def _link(path: str) -> str:
    return f"[{path.removeprefix('tests/')}](../{path})"


# The dialects ----------------------------------------------------------------------------------------------------


def dialects_page() -> str:
    """Question by question, and error by error."""
    names = tuple(POLICIES)
    questions = [
        (f"`{name}`", question, *(_value(getattr(POLICIES[dialect], name)) for dialect in names))
        for name, question in _questions()
    ]
    said = [
        (f"`{error.__name__}`", *(_wording(POLICIES[dialect], error) for dialect in names))
        for error in _error_classes(errors.ProtocolError)
        if len({POLICIES[dialect].say(_instance(error)) for dialect in names}) > 1
    ]
    return "\n".join(
        [
            "# Dialects: what differs, and nothing else does",
            "",
            _NOTE.format(sources="authserver/dialects and authserver/errors.py"),
            "",
            _ABOUT_DIALECTS,
            "",
            "## Questions",
            "",
            *_table(("Row", "Question", *(f"`{name}`" for name in names)), questions),
            "",
            "## Errors that are said differently",
            "",
            _ABOUT_WORDING,
            "",
            *_table(("Error", *(f"`{name}`" for name in names)), said),
            "",
        ]
    )


def _questions() -> Iterator[tuple[str, str]]:
    """Each field of Policy with the docstring after it."""
    tree = ast.parse((ROOT / "authserver/dialects/policy.py").read_text(encoding="utf-8"))
    policy = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == Policy.__name__)
    for field, after in zip(policy.body, policy.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and field.target.id != "wording":
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                yield field.target.id, " ".join(str(after.value.value).split())


def _value(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _error_classes(of: type[errors.ProtocolError]) -> Iterator[type[errors.ProtocolError]]:
    for each in of.__subclasses__():
        yield each
        yield from _error_classes(each)


def _instance(error: type[errors.ProtocolError]) -> errors.ProtocolError:
    """One without a sentence of its own, whatever its constructor would like to know."""
    made = error.__new__(error)
    errors.ProtocolError.__init__(made)
    return made


def _wording(policy: Policy, error: type[errors.ProtocolError]) -> str:
    status, code, description = policy.say(_instance(error))
    return f"{status} `{code}`<br>{description}"


# The settings ----------------------------------------------------------------------------------------------------


def settings_page() -> str:
    """Variable, flag, default and meaning, for each service."""
    served = authserver.settings.Settings
    commands = (authserver.__main__.Seed, authserver.__main__.RotateKeys)
    extra = [row for command in commands for row in _pydantic_rows(command, besides=served)]
    header = ("Variable", "Flag", "Default", "Meaning")
    return "\n".join(
        [
            "# Settings",
            "",
            _NOTE.format(sources="the Settings of authserver, api and client"),
            "",
            _ABOUT_SETTINGS,
            "",
            "## Authorization server",
            "",
            "`python -m authserver serve`; the other commands take the same.",
            "",
            *_table(header, _pydantic_rows(served)),
            "",
            "Of one command alone (`seed`, `rotate-keys`):",
            "",
            *_table(header, extra),
            "",
            "## API",
            "",
            "`python -m api`",
            "",
            *_table(header, _pydantic_rows(api.settings.Settings)),
            "",
            "## Native app",
            "",
            "`python -m client`, every command.",
            "",
            *_table(header, _client_rows()),
            "",
        ]
    )


def _pydantic_rows(of: type[BaseSettings], besides: type[BaseSettings] | None = None) -> Iterator[tuple[str, ...]]:
    prefix = of.model_config.get("env_prefix", "")
    for name, field in of.model_fields.items():
        if besides is None or name not in besides.model_fields:
            flag = f"`--{name.replace('_', '-')}`"
            yield f"`{prefix}{name.upper()}`", flag, _default(field.default), _meaning(field)


def _meaning(field: FieldInfo) -> str:
    sentence = _sentence(field.description or "")
    if get_origin(field.annotation) is Literal:
        sentence += f" One of {', '.join(f'`{value}`' for value in get_args(field.annotation))}."
    return sentence


def _sentence(text: str) -> str:
    begins = text.partition(" ")[0].isalpha()
    return (text[:1].upper() if begins else text[:1]) + text[1:] + ("" if text.endswith((".", "/")) else ".")


def _default(value: object) -> str:
    if isinstance(value, Path):  # the one that we bring along; where it is installed is nobody's business
        return f"`{value.resolve().relative_to(ROOT).as_posix()}`"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value in (None, "", ()) else f"`{value}`"


def _client_rows() -> Iterator[tuple[str, ...]]:
    for item in fields(client.settings.Settings):
        flag = f"`--{item.name.replace('_', '-')}`"
        yield f"`{item.metadata['env']}`", flag, _default(item.default), _sentence(item.metadata["help"])


# -----------------------------------------------------------------------------------------------------------------


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = list(header)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"


def main(arguments: list[str]) -> int:
    """Write the pages; with `--check` only say which are stale."""
    out = Console(highlight=False, soft_wrap=True)
    try:
        old = stale()
    except DocumentError as error:
        out.print(f"[bold red]✗[/] {error}")
        return 1
    if "--check" in arguments:
        out.print(f"stale: {', '.join(old)} (run make docs)" if old else "All generated pages are fresh.")
        return 1 if old else 0
    for path, text in documents().items():
        (ROOT / path).write_text(text, encoding="utf-8")
    out.print(f"Written: {', '.join(old)}." if old else "Nothing had changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
