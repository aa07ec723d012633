"""docs/dialects.md: question by question and error by error, from the two policies."""

import ast
from collections.abc import Iterator

from authserver import errors
from authserver.dialects import POLICIES, Policy
from tests.documents.layout import NOTE, ROOT, table

_ABOUT_DIALECTS = """\
A dialect changes wording, status, claims and defaults, never a protection. It is chosen at start, see
[settings](settings.md)."""
_ABOUT_WORDING = """\
Status, code and description. Where a room has a more exact sentence than the one here, it is the same in both."""


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
        if len({POLICIES[dialect].say(instance(error)) for dialect in names}) > 1
    ]
    return "\n".join(
        [
            "# Dialects: what differs, and nothing else does",
            "",
            NOTE.format(sources="authserver/dialects and authserver/errors.py"),
            "",
            _ABOUT_DIALECTS,
            "",
            "## Questions",
            "",
            *table(("Row", "Question", *(f"`{name}`" for name in names)), questions),
            "",
            "## Errors that are said differently",
            "",
            _ABOUT_WORDING,
            "",
            *table(("Error", *(f"`{name}`" for name in names)), said),
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


def instance(error: type[errors.ProtocolError]) -> errors.ProtocolError:
    """One without a sentence of its own, whatever its constructor would like to know."""
    made = error.__new__(error)
    errors.ProtocolError.__init__(made)
    return made


def _wording(policy: Policy, error: type[errors.ProtocolError]) -> str:
    status, code, description = policy.say(instance(error))
    return f"{status} `{code}`<br>{description}"
