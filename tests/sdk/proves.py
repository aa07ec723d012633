"""What a scenario proves: endpoints and parameters, on the test as a decorator of plain strings.

    @proves("POST /oauth/token", "grant_type=refresh_token")
    def test_refresh_rotates(server): …

An endpoint is a method and a path; whatever follows it, up to the next endpoint, is a parameter, a header or an error
code of that endpoint. `python tests/sdk/proves.py` prints all of it as JSON: the sources are read, nothing is imported.
"""

import ast
import json
import re
import sys
from pathlib import Path

_ENDPOINT = re.compile(r"[A-Z]+ /")


def proves(*_said):
    """Changes nothing about the test; `_said` is read from the source."""
    return lambda test: test


def told():
    """Every scenario: `sdk`, `scenario`, `test` (a node id) and `proves` (endpoint → what of it).

    Raises ValueError for one that proves nothing.
    """
    return [each for path in sorted(Path(__file__).parent.glob("test_*.py")) for each in _of_file(path)]


def title(path, name):
    """SDK and scenario, as they are printed: from a docstring that begins with the package's name, and a test's name."""
    sdk = re.match(r"`([^`]+)`", ast.get_docstring(ast.parse(Path(path).read_text(encoding="utf-8"))) or "")
    return sdk[1] if sdk else Path(path).stem, name.removeprefix("test_").replace("_", " ")


def _of_file(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        said = [
            ast.literal_eval(argument)
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "proves"
            for argument in decorator.args
        ]
        if not said or not _ENDPOINT.match(said[0]):
            raise ValueError(f"{path.name}: {node.name} must begin with an endpoint that it proves")
        sdk, scenario = title(path, node.name)
        proved: dict[str, list[str]] = {}
        for each in said:
            if _ENDPOINT.match(each):
                parts = proved.setdefault(each, [])
            else:
                parts.append(each)
        yield {"sdk": sdk, "scenario": scenario, "test": f"tests/sdk/{path.name}::{node.name}", "proves": proved}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(told(), indent=2) + "\n")
