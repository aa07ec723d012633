"""Tenant files of other people's making, and what belongs beside them."""

import json
from pathlib import Path

from authserver.tenant_file import Besides, Reading, read_tenant, with_users

EXPORTED = Path(__file__).parent / "exported" / "tenant.yaml"
USERS = EXPORTED.with_name("users.json")
CALLBACKS = ["http://localhost:3000", "http://localhost:3000/callback"]
ENVIRONMENT = {
    "ENVIRONMENT": "staging",
    "AUTH0_KEYWORD_REPLACE_MAPPINGS": json.dumps({"SHOP_CALLBACKS": CALLBACKS}),
}
PASSWORD = "paper boats"
"""Of everybody in `users.json` whose hash can be verified."""


def read_export(path: Path = EXPORTED, *, users: Path | None = None) -> Reading:
    """With the keywords' values at hand."""
    reading = read_tenant(path, Besides(environment=ENVIRONMENT))
    return with_users(reading, users) if users else reading
