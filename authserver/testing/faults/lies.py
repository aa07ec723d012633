"""Lies: ID tokens that are right but for one thing, in the place of the true one.

Done: OpenID Connect Core 1.0 §3.1.3.7 (what a client validates), §3.1.3.8 (at_hash), §12.2 (at a refresh).
Left out: other algorithms than RS256, which is what ID tokens are signed with here.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from authserver.tenant import Tenant
from authserver.testing import forging
from authserver.testing.forging import HOUR, Good

_FORGED = {
    "bad-signature": "One bit of the signature is another.",
    "alg-none": "Not signed at all: `alg` is `none`.",
    "unknown-kid": "Signed with a key that the issuer never published.",
    "other-issuers-key": "Signed by somebody else under the kid of the issuer's key.",
    "hs256-with-public-key": "An HMAC whose secret is the issuer's public key.",
    "wrong-issuer": "Says another issuer.",
    "issuer-without-slash": "Says the issuer without its last character.",
    "no-issuer": "Says no issuer.",
    "wrong-audience": "Is for another application.",
    "no-audience": "Says no audience.",
    "no-subject": "Says nobody: has no `sub`.",
    "expired": "Expired an hour ago.",
    "no-expiry": "Never expires: has no `exp`.",
}

_OWN: dict[str, tuple[str, Callable[[Good], str]]] = {
    "wrong-nonce": ("Answers another request: the nonce is another.", lambda of: of.signed(nonce="of-another-request")),
    "no-nonce": ("Has no nonce, although one was sent.", lambda of: of.signed(nonce=None)),
    "further-audience": (
        "Is for another application as well, which it says was the one that asked.",
        lambda of: of.signed(aud=[of.claims["aud"], "another-client"], azp="another-client"),
    ),
    "wrong-azp": ("Was issued to another application.", lambda of: of.signed(azp="another-client")),
    "other-subject": (
        "Speaks of somebody else: wrong where the person is known, as at a refresh or beside userinfo.",
        lambda of: of.signed(sub="auth0|somebody-else"),
    ),
    "from-the-future": (
        "Issued in an hour from now.",
        lambda of: of.signed(iat=of.claims["iat"] + HOUR, exp=of.claims["exp"] + HOUR),
    ),
    "no-issued-at": ("Does not say when it was issued.", lambda of: of.signed(iat=None)),
    "wrong-at-hash": (
        "Belongs to another access token: `at_hash` does not fit.",
        lambda of: of.signed(at_hash="x" * 22),
    ),
}

LIES: dict[str, str] = {**_FORGED, **{name: sentence for name, (sentence, _) in _OWN.items()}}
"""Each by its name, and what is wrong with it."""


def tell(lie: str, id_token: str, tenant: Tenant) -> str:
    """The same ID token, lying. `id_token` is one of this tenant's own."""
    payload = id_token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    true = replace(forging.good(tenant, "", "", "", ""), claims=claims)
    return _OWN[lie][1](true) if lie in _OWN else forging.forge(lie, true)
