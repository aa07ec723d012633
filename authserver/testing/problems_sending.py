"""Problems of any request: secrets where they are logged, parameters twice, tokens where others belong.

Done: RFC 9700 §4.3.2 · RFC 6749 §2.3.1, §3.1 · RFC 6750 §2.1.
Left out: pages that people open, and `id_token_hint`, which belongs into a URL (OpenID Connect RP-Initiated Logout §2).
"""

from collections.abc import Iterator

from authserver.testing.problems_asking import PATH
from authserver.testing.problems_known import Known
from authserver.testing.recorded import Recorded

_PROGRAMS = ("token", "revoke", "userinfo", "device_authorization")
_TOKENS = {"access_token", "refresh_token", "id_token", "device_code"}
_TOKENS_AT = {"token": {"code"}, "revoke": {"token"}}
_SECRETS = {"client_secret", "client_assertion", "password", "code_verifier"}
_KINDS = ("access_token", "refresh_token", "code", "device_code")
_MAY_REPEAT = {"resource"}  # RFC 8707 §2


def find(exchanges: list[Recorded], _: Known) -> Iterator[tuple[str, Recorded]]:
    """Names of rules, each with the exchange that breaks it."""
    kinds = {fingerprint: kind for each in exchanges for kind, fingerprint in each.issued.items()}
    for each in exchanges:
        said = {name for name, value in each.query.items() if value}
        if each.path == PATH or each.endpoint in (*_PROGRAMS, "logout"):
            if said & (_TOKENS | _TOKENS_AT.get(each.endpoint or "", set())):
                yield "token-in-query", each
            if said & _SECRETS:
                yield "secret-in-query", each
        if each.path == PATH or each.endpoint in _PROGRAMS:
            sent = [*each.query.items(), *each.body.items()]
            if any(isinstance(value, list) and name not in _MAY_REPEAT for name, value in sent):
                yield "parameter-twice", each
        if each.endpoint in _PROGRAMS and any(kinds.get(each.presented.get(kind, ""), kind) != kind for kind in _KINDS):
            yield "wrong-kind-of-token", each
