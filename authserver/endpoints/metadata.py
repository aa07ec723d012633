"""Discovery and keys.

Done: OpenID Connect Discovery §3, §4 · RFC 8414 §2, §3 · RFC 7517 §5.
The document is merged from the rooms that are mounted, so it cannot promise what is refused.
"""

from collections.abc import Sequence

from authserver.endpoints import Endpoint, Room
from authserver.messages import Answer, Json, Request
from authserver.tenant import Tenant

_BRIEFLY = {"Cache-Control": "public, max-age=60"}


def jwks(_: Request, tenant: Tenant) -> Answer:
    """The public keys."""
    with tenant.database.read() as db:
        return Json(tenant.keyring.jwks(db, tenant.now()), headers=_BRIEFLY)


def room(others: Sequence[Room]) -> Room:
    """The room that tells of itself and of `others`."""

    def discovery(_: Request, tenant: Tenant) -> Answer:
        document: dict[str, object] = {"issuer": tenant.issuer}
        for each in (*others, this):
            document |= each.metadata(tenant)
        return Json(document, headers=_BRIEFLY)

    this = Room(
        endpoints=(
            Endpoint("/.well-known/openid-configuration", {"GET": discovery}, "program", cors="any", waits=False),
            Endpoint("/.well-known/oauth-authorization-server", {"GET": discovery}, "program", cors="any", waits=False),
            Endpoint("/.well-known/jwks.json", {"GET": jwks}, "program", cors="any"),
        ),
        metadata=_metadata,
    )
    return this


def _metadata(tenant: Tenant) -> dict[str, object]:
    return {
        "jwks_uri": tenant.url("/.well-known/jwks.json"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
