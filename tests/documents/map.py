"""docs/map.md: from the standards to the rooms to the tests.

Made from the door signs (the docstring of each room), the names of the tests, the mutants, and `docs/rooms.toml`,
which says what each room answers for. Tests are read, never imported.
"""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.documents.layout import NOTE, ROOT, table
from tests.mutants.listed import MUTANTS, THE_MOST_TELLING

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
_ABOUT_THE_MAP = """\
A room is a module, and its docstring is its door sign. A row is a security case, and the tests that prove it are named
after it. *Mutants* are versions of the code with one protection taken out: `make mutants` demands that the row's tests
notice. ★ marks the most telling rows."""


class DocumentError(Exception):
    """What the page is made from does not fit together; the text says what to do."""


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
            NOTE.format(sources="door signs, names of tests, tests/mutants/listed, docs/rooms.toml"),
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
            *table(("Room", "Not done here"), ((_link(s.path), s.left_out) for s in signs if s.left_out)),
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
        yield from table(
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
    yield from table(
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
    yield from table(
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
