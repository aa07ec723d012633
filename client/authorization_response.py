"""The authorization response: from the parameters in the callback to a code, or to a reason for none.

Done: RFC 6749 sections 4.1.2 and 4.1.2.1; RFC 9207 section 2.4 (`iss` is required, and it is ours). The
listener has already matched path, method, Host and `state`; what follows here keeps that order: `iss`,
then `error` or exactly one `code`.
Left out: implicit and hybrid responses, response_mode=form_post, JARM.
"""

from client.errors import LoginFailedError
from client.loopback import Pairs


def code_from(pairs: Pairs, issuer: str) -> str:
    issuers = _values(pairs, "iss")
    if issuers != [issuer]:
        said = repr(issuers[0]) if len(issuers) == 1 else "nobody in particular" if not issuers else "several servers"
        raise LoginFailedError(
            f"The answer names {said} as its sender, but the login was started at {issuer}.",
            "Nothing was stored. Somebody may be mixing up two servers: start again in a fresh window.",
        )
    errors, codes = _values(pairs, "error"), _values(pairs, "code")
    if len(errors) + len(codes) != 1:
        raise LoginFailedError("The answer from the browser is not a single code or a single error.")
    if errors:
        raise _denied(errors[0], " ".join(_values(pairs, "error_description")[:1]))
    if not codes[0]:
        raise LoginFailedError("The answer from the browser carries an empty code.")
    return codes[0]


def _denied(error: str, description: str) -> LoginFailedError:
    reason = f"{error}: {description}" if description else error
    if error == "access_denied":
        return LoginFailedError(
            f"The login was declined ({reason}).", "Nothing was stored. To try again: python -m client login"
        )
    return LoginFailedError(f"The server ended the login ({reason}).")


def _values(pairs: Pairs, name: str) -> list[str]:
    return [value for key, value in pairs if key == name]
