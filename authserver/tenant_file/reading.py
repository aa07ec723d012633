"""Reading a tenant file: keywords, tree, names, an export made ours, and then the strict models.

One reader for both kinds of file. What is wrong is told with its line; what an export has and this server does not play
comes back as findings.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import ValidationError

from authserver.tenant_file import exported, keywords, names
from authserver.tenant_file.exported_clients import Credentials
from authserver.tenant_file.findings import Finding, Findings
from authserver.tenant_file.models import ImportedUserModel, UserModel
from authserver.tenant_file.nodes import TenantFileError, explain, items, line_of, member, parse, plain, text
from authserver.tenant_file.whole import TenantFile

_EXPECTED = "expected a mapping with tenant, clients, resourceServers and users"


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts, and what else was found. `imported` are people of a bulk-import file."""

    file: TenantFile
    findings: tuple[Finding, ...] = ()
    imported: tuple[ImportedUserModel, ...] = ()

    @property
    def users(self) -> tuple[UserModel, ...]:
        """Everybody."""
        return self.file.users + self.imported


@dataclass(frozen=True, slots=True)
class Besides:
    """What belongs to a file and does not stand in it: ids and secrets by the clients' names, and keywords' values."""

    clients: Mapping[str, Credentials] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def read_tenant_file(path: Path) -> TenantFile:
    """Parse and check the file. Raises TenantFileError naming file, line, place and expectation of every mistake."""
    return read_tenant(path).file


def read_tenant(path: Path, besides: Besides | None = None) -> Reading:
    """The same, with what was found. Raises TenantFileError."""
    besides = besides or Besides()
    root = parse(path, keywords.replaced(path, _content(path), besides.environment))
    if not isinstance(root, yaml.MappingNode):
        raise TenantFileError(f"{path}:1: {_EXPECTED}")
    findings = Findings()
    exported.set_aside(root, findings)
    names.sort_names(root, findings)
    _refuse_namesakes(path, root, besides.clients)
    if exported.is_export(root, findings):
        exported.translate(root, besides.clients, findings)
    keywords.refuse_unresolved(path, root)
    file = _validated(path, root)
    return Reading(file, tuple(findings.found))


def _validated(path: Path, root: yaml.Node) -> TenantFile:
    try:
        return TenantFile.model_validate(plain(root))
    except ValidationError as error:
        mistakes = [explain(path, root, dict(mistake)) for mistake in error.errors()]
        raise TenantFileError("\n".join(mistakes)) from None


def _content(path: Path) -> str:
    if path.is_dir():
        raise TenantFileError(
            f"{path}: is a directory: this is auth0-deploy-cli's directory format;"
            " export with --format=yaml and name its tenant.yaml"
        )
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise TenantFileError(f"{path}: cannot be read: {error}") from None


def _refuse_namesakes(path: Path, root: yaml.Node, given: Mapping[str, Credentials]) -> None:
    """A client that is known by its name alone must be the only one of that name."""
    seen: dict[str, yaml.Node] = {}
    for each in items(member(root, "clients")):
        name = text(member(each, "name"))
        if not name:
            continue
        if name in seen and member(each, "client_id") is None:
            raise TenantFileError(
                f"{path}:{line_of(each)}: two clients are called {name}; give each a client_id of its own"
            )
        if name in given and member(each, "client_id") is not None and given[name].client_id:
            raise TenantFileError(f"{path}:{line_of(each)}: {name} has a client_id in the file and is given another")
        seen[name] = each
    if unknown := sorted(set(given) - set(seen)):
        raise TenantFileError(f"{path}: has no client that is called {', '.join(unknown)}")
