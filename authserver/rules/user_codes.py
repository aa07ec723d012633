"""User codes: what a device shows and a person types.

Done: RFC 8628 §6.1 (twenty letters that spell no words, or digits; case and punctuation do not count), §5.1 (long
enough for the brake in `attempts`).
"""

import secrets

MASK = "****-****"
"""The default; Auth0's, too."""

CHARSETS = {"base20": "BCDFGHJKLMNPQRSTVWXZ", "digits": "0123456789"}

LEAST = {"base20": 8, "digits": 9}
"""How many characters of its charset a code must have at least."""

MOST = 64
"""Characters that are read of what somebody typed."""


def generate(charset: str, mask: str) -> str:
    """A code in the form that the device shows."""
    return "".join(secrets.choice(CHARSETS[charset]) if place == "*" else place for place in mask)


def canonical(typed: str) -> str:
    """The letters and digits alone, in capitals: the form of which the digest is kept."""
    return "".join(char for char in typed[:MOST].upper() if char.isascii() and char.isalnum())


def shown(code: str, mask: str) -> str:
    """A canonical code as the device shows it, if it is of this mask."""
    if len(code) != mask.count("*"):
        return code
    characters = iter(code)
    return "".join(next(characters) if place == "*" else place for place in mask)
