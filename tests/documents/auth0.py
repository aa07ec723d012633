"""docs/auth0-compatibility.md: what of Auth0 is played, proved by which SDK or by which test, and what is not."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from authserver import database_errors, errors
from authserver.dialects import POLICIES
from tests.documents.auth0_surface import SURFACE
from tests.documents.dialects import instance
from tests.documents.layout import NOTE, ROOT, table

_ENDPOINT = re.compile(r"[A-Z]+ /|the log$|the API$|Actions$")
_SDK_TESTS = ROOT / "tests/sdk"
_ABOUT = """\
Take an app on an Auth0 SDK, change its domain, and this is what it meets. Each row is proved by a test that is named, or says
why it is not played. *SDK* means that Auth0's own package does it, unmodified, in `make test-sdk`; the other tests run in
`make test-all`."""
_ABOUT_NATIVE = """\
Auth0.swift, Auth0.Android and react-native-auth0 run on devices alone: their requests are replayed member by member
([spec/test_native_sdks.py](../tests/spec/test_native_sdks.py))."""
_ABOUT_TEXTS = """\
How errors are said in the dialect `auth0`, from its one table (`authserver/dialects/auth0.py`). Texts that SDKs compare are exact.
Where *seen* says no, nobody could verify what Auth0 says: the status or the words are a guess, and a correction is one line."""


class DocumentError(Exception):
    """The page cannot be made; the text says which row is wrong."""


@dataclass(slots=True)
class Proof:
    """Who proves one row."""

    sdks: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)


Proofs = dict[str, dict[str, Proof]]


def compatibility_page() -> str:
    """Each endpoint, each parameter, and its status."""
    proofs = proofs_in_the_tests()
    return "\n".join(
        [
            "# What of Auth0 is played",
            "",
            NOTE.format(
                sources="tests marked `@proves`, tests/documents/auth0_surface.py, authserver/dialects/auth0.py"
            ),
            "",
            _ABOUT,
            "",
            *(line for endpoint, rows in SURFACE.items() for line in _section(endpoint, rows, proofs)),
            "## Official SDKs",
            "",
            *table(("SDK", "Scenarios"), _sdks()),
            "",
            _ABOUT_NATIVE,
            "",
            "## Texts",
            "",
            _ABOUT_TEXTS,
            "",
            *table(("Error", "Status", "Code", "Text", "Seen"), _texts()),
            "",
        ]
    )


def proofs_in_the_tests() -> Proofs:
    """Endpoint → parameter → who proves it; "" for the endpoint as such."""
    found: Proofs = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                _note(found, path, tree, _said(node))
    return found


def _said(node: ast.FunctionDef) -> list[str]:
    return [
        ast.literal_eval(argument)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "proves"
        for argument in decorator.args
    ]


def _note(found: Proofs, path: Path, tree: ast.Module, said: list[str]) -> None:
    endpoint = ""
    for each in said:
        if _ENDPOINT.match(each):
            endpoint, parameter = each, ""
        else:
            parameter = each
        proof = found.setdefault(endpoint, {}).setdefault(parameter, Proof())
        if path.parent == _SDK_TESTS:
            proof.sdks.add(_sdk(path, tree))
        else:
            proof.tests.add(path.relative_to(ROOT / "tests").as_posix())


def _sdk(path: Path, tree: ast.Module) -> str:
    named = re.match(r"`([^`]+)`", ast.get_docstring(tree) or "")
    return named[1] if named else path.stem


def _section(endpoint: str, rows: dict[str, str], proofs: Proofs) -> Iterator[str]:
    yield f"## {endpoint}"
    yield ""
    yield from table(("", "Status", "Proved by"), (_row(endpoint, *row, proofs) for row in rows.items()))
    more = sorted(set(proofs.get(endpoint, {})) - set(rows) - {""})
    if more:
        yield ""
        yield f"Also proved: {', '.join(f'`{each}`' for each in more)}."
    yield ""


def _row(endpoint: str, parameter: str, why_not: str, proofs: Proofs) -> tuple[str, str, str]:
    proof = proofs.get(endpoint, {}).get(parameter)
    if why_not and proof:
        raise DocumentError(f"{endpoint}: {parameter} is proved, so it cannot be said to be not played")
    if why_not:
        return f"`{parameter}`", "not played", why_not
    if proof is None:
        raise DocumentError(f"{endpoint}: no test says @proves({endpoint!r}, {parameter!r})")
    by = [f"SDK: {', '.join(sorted(proof.sdks))}"] if proof.sdks else []
    by += [f"[{each}](../tests/{each})" for each in sorted(proof.tests)]
    return f"`{parameter}`", "played", "<br>".join(by)


def _sdks() -> Iterator[tuple[str, str]]:
    scenarios: dict[str, list[str]] = {}
    for path in sorted(_SDK_TESTS.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [each.name for each in tree.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")]
        said = [name.removeprefix("test_").replace("_", " ") for name in names]
        scenarios.setdefault(_sdk(path, tree), []).extend(said)
    return ((f"`{sdk}`", "; ".join(said)) for sdk, said in sorted(scenarios.items()))


def _texts() -> Iterator[tuple[str, ...]]:
    policy = POLICIES["auth0"]
    for cls, wording in policy.wording.items():
        status, code, description = policy.say(instance(cls))
        module = database_errors if cls.__module__ == database_errors.__name__ else errors
        yield (
            f"`{getattr(module, cls.__name__).__name__}`",
            str(status),
            f"`{code}`",
            description,
            "no" if wording.unverified else "yes",
        )
