"""Examples that need an engine or somebody else's CI: what they name exists here. (Those for pytest and Node are run.)"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from authserver.settings import Settings
from authserver.testing.handle import Control
from authserver.testing.wrong_tokens import CATALOGUE

EXAMPLES = Path(__file__).parents[2] / "examples"
JAVA = EXAMPLES / "java-testcontainers/src/test/java/example"
SOURCES = [
    JAVA / "Understudy.java",
    EXAMPLES / "compose-testing/compose.yml",
    EXAMPLES / "github-actions/ci.yml",
    EXAMPLES / "github-actions/README.md",
    EXAMPLES / "node-vitest/README.md",
]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_variable_is_one_of_ours(source: Path) -> None:
    named = set(re.findall(r"AUTHSERVER_([A-Z_]+)", text(source))) - {
        "TESTING_URL"
    }  # the plugin's and the examples' own
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_every_route_of_the_others_exists(authserver_host: Control) -> None:
    routes: dict[str, Any] = authserver_host.call("GET", "openapi.json")["paths"]
    called = re.findall(r'of\("(\w+)", [`"]([\w-]+)', text(EXAMPLES / "node-vitest/understudy.mjs"))
    called += [("POST", path) for path in re.findall(r'tenant\.post\("([\w-]+)"', text(JAVA / "ThingsTest.java"))]
    assert len(called) > 8
    for method, path in called:
        assert method.lower() in routes[f"/_testing/tenants/{{name}}/{path}"], path


def test_known_gaps_are_in_the_catalogue() -> None:
    names = {each.name for each in CATALOGUE}
    for source in (EXAMPLES / "node-vitest/things.test.mjs", JAVA / "ThingsTest.java"):
        (gaps,) = re.findall(r"KNOWN_GAPS = (?:\[|List\.of\()(.*?)[\])]", text(source))
        assert set(re.findall(r'"([\w-]+)"', gaps)) <= names


@pytest.mark.parametrize("source", [each for each in SOURCES if each.suffix == ".yml"], ids=lambda path: path.name)
def test_it_is_yaml(source: Path) -> None:
    assert set(yaml.safe_load(text(source))) & {"services", "jobs"}
