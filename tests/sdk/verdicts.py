"""Where other people's SDKs do not answer a wrong token as they should: the rest of the catalogue they refuse.

SDK → wrong token → (`accepted` or `fails`: an unexpected exception instead of a refusal, why). Measured by
the tests of the SDKs (`test_the_catalogue_of_wrong_tokens`), which fail when a verdict changes either way; `docs/wrong-tokens.md` is made from it.
"""

_DOUBLED = "of two members of one name its JSON parser keeps the last"
_NO_NBF = "its README says that `nbf` is checked, and it is not looked at"

_CLAIMS = {
    "wrong-typ": ("accepted", "the type is not looked at"),
    "not-yet-valid": ("accepted", _NO_NBF),
    "string-not-before": ("accepted", _NO_NBF),
    "expiry-not-a-number": ("accepted", "NaN is read, and no time is later"),
    "no-subject": ("accepted", "`sub` is not demanded"),
    "number-subject": ("accepted", "`sub` is not looked at"),
    "duplicated-claims": ("accepted", _DOUBLED),
    "string-expiry": ("fails", "`TypeError` when it is compared with the time"),
    "array": ("fails", "`AttributeError`: the payload is taken for an object"),
}

OTHERWISE = {
    "express-oauth2-jwt-bearer": {
        "wrong-typ": ("accepted", "the type counts with `strict: true` alone, which refuses Auth0's own"),
        "no-subject": ("accepted", "`sub` is demanded with `strict: true` alone"),
        "duplicated-claims": ("accepted", _DOUBLED),
        "scope-array": ("accepted", "an array of scopes counts as well"),
    },
    "auth0-api-python": {
        **_CLAIMS,
        "scope-array": ("accepted", "scopes are the caller's business"),
        "scope-substring": ("accepted", "scopes are the caller's business"),
        "no-scope": ("accepted", "scopes are the caller's business"),
    },
    "auth0-fastapi-api": {
        **_CLAIMS,
        "scope-array": ("fails", "an array is taken for a string"),
    },
}
