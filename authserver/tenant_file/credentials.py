"""What an export never holds: the ids and secrets of its clients, from the command line or a file.

The file is YAML or JSON: `NAME: CLIENT_ID`, or `NAME: {client_id: …, client_secret: …}`.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from authserver.tenant_file.exported_clients import Credentials
from authserver.tenant_file.models import Plain
from authserver.tenant_file.nodes import TenantFileError, explain, parse, plain


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")

    client_id: Plain | None = None
    client_secret: Plain | None = None


class _File(RootModel[dict[str, _Given | Plain]]):
    pass


def credentials(named: Mapping[str, str], path: Path | None) -> dict[str, Credentials]:
    """By the client's name. Raises TenantFileError for a file that says something else."""
    found = _read(path) if path else {}
    for name, client_id in named.items():
        before = found.get(name, Credentials())
        found[name] = Credentials(client_id, before.client_secret)
    return found


def _read(path: Path) -> dict[str, Credentials]:
    try:
        content = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise TenantFileError(f"{path}: cannot be read: {error}") from None
    root = parse(path, content)
    if root is None:
        return {}
    try:
        given = _File.model_validate(plain(root)).root
    except ValidationError as error:
        raise TenantFileError("\n".join(explain(path, root, dict(each)) for each in error.errors())) from None
    return {
        name: Credentials(each.client_id, each.client_secret) if isinstance(each, _Given) else Credentials(each)
        for name, each in given.items()
    }
