"""PKCE: proof that whoever redeems the code is whoever asked for it.

Done: RFC 7636 sections 4.1 and 4.2 with S256.
Left out: `plain`, on purpose: it protects nothing that has to be protected.
"""

import base64
import hashlib


def s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
