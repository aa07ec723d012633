"""Wrong tokens: what an API must refuse, as a catalogue. A ready-made suite for any API.

Done: RFC 8725 (JWT best practices) · RFC 7519 §4.1, §7.2 · RFC 7515 §4 · RFC 9068 §2, §4 · RFC 6750 §3.1.
Left out: tokens that are bound to a key (RFC 9449, RFC 8705), and revoked ones, which a JWT cannot tell.

Each wrong token is a good one but for the one thing that its sentence names. `forging` makes them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WrongToken:
    """`statuses`: what a correct API may answer, the usual one first. `rfc`: where it says so."""

    name: str
    sentence: str
    rfc: str
    statuses: tuple[int, ...] = (401,)

    def __str__(self) -> str:
        return self.name


CATALOGUE: tuple[WrongToken, ...] = (
    WrongToken("bad-signature", "One bit of the signature is another.", "RFC 7515 5.2"),
    WrongToken("changed-claims", "The subject was changed after signing.", "RFC 7515 5.2"),
    WrongToken("no-signature", "The signature is empty, and the algorithm a real one.", "RFC 7515 5.2"),
    WrongToken("zero-signature", "The signature is all zeros, which some code takes for valid.", "RFC 7518 3.4"),
    WrongToken("padded", "Encoded with the padding that base64url has not in a JWS.", "RFC 7515 2", (401, 400)),
    WrongToken("unknown-kid", "Signed with a key that the issuer never published.", "RFC 7515 4.1.4"),
    WrongToken("other-issuers-key", "Signed by somebody else under the kid of the issuer's key.", "RFC 8725 3.8"),
    WrongToken("alg-none", "Not signed at all: `alg` is `none`.", "RFC 8725 3.1"),
    WrongToken("no-algorithm", "Names no algorithm at all.", "RFC 7515 4.1.1"),
    WrongToken("other-algorithm", "Its algorithm is not the one of the key that its kid names.", "RFC 8725 3.1"),
    WrongToken("hs256-with-public-key", "An HMAC whose secret is the issuer's public key.", "RFC 8725 2.1"),
    WrongToken("embedded-jwk", "Brings the key to be verified with in its own header.", "RFC 8725 3.10"),
    WrongToken("jku", "Says at which address the key to be verified with is fetched.", "RFC 8725 3.10"),
    WrongToken("crit", "Demands an extension that nobody knows.", "RFC 7515 4.1.11"),
    WrongToken("wrong-typ", "Of another type: a logout token.", "RFC 9068 4"),
    WrongToken("id-token", "An ID token for a client, with this API nowhere in it.", "RFC 9068 2.1"),
    WrongToken("wrong-issuer", "Says another issuer.", "RFC 8725 3.8"),
    WrongToken("issuer-prefix", "Says an issuer that begins like the right one.", "RFC 8414 3.3"),
    WrongToken("issuer-without-slash", "Says the issuer without its last character.", "RFC 8414 3.3"),
    WrongToken("no-issuer", "Says no issuer.", "RFC 9068 2.2"),
    WrongToken("wrong-audience", "Is for another API.", "RFC 8725 3.9"),
    WrongToken("audience-prefix", "Is for an API whose identifier begins like this one's.", "RFC 8725 3.9"),
    WrongToken("no-audience", "Says no audience.", "RFC 9068 2.2"),
    WrongToken("empty-audience", "Is for nobody: its audience is an empty array.", "RFC 7519 4.1.3"),
    WrongToken("expired", "Expired an hour ago.", "RFC 7519 4.1.4"),
    WrongToken("not-yet-valid", "Valid from in an hour on.", "RFC 7519 4.1.5"),
    WrongToken("no-expiry", "Never expires: has no `exp`.", "RFC 9068 2.2"),
    WrongToken("string-expiry", "`exp` is a string.", "RFC 7519 4.1.4"),
    WrongToken("expiry-not-a-number", "`exp` is NaN, which is no JSON and compares with nothing.", "RFC 8259 6"),
    WrongToken("string-not-before", "`nbf` is a string.", "RFC 7519 4.1.5"),
    WrongToken("no-subject", "Says nobody: has no `sub`.", "RFC 9068 2.2"),
    WrongToken("number-subject", "`sub` is a number.", "RFC 7519 4.1.2"),
    WrongToken("array", "The claims are in an array.", "RFC 7519 7.2"),
    WrongToken("duplicated-claims", "Says two audiences in two members of one name, the right one last.", "RFC 7519 4"),
    WrongToken("scope-array", "`scope` is an array and no string.", "RFC 9068 2.2.3", (403, 401)),
    WrongToken("scope-substring", "Has a scope that only contains the one that is needed.", "RFC 6749 3.3", (403,)),
    WrongToken("no-scope", "Has no scope.", "RFC 6750 3.1", (403,)),
    WrongToken("jwe", "Encrypted: five parts.", "RFC 7516 7.1"),
    WrongToken("garbage", "No token at all: three parts of nothing.", "RFC 7519 7.2"),
    WrongToken("one-megabyte", "Right in everything, and a megabyte long.", "RFC 9110 15.5", (401, 431, 400, 413)),
)


def find(name: str) -> WrongToken:
    """The wrong token of this name. Raises LookupError."""
    for each in CATALOGUE:
        if each.name == name:
            return each
    raise LookupError(name)
