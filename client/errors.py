"""What can go wrong, as one tree.

    ClientError                      a sentence for a person, a hint what to do next, an exit status
    ├── SettingsError           2    an option is unusable
    ├── LoginNeededError        3    nothing stored, or the server has ended the grant
    ├── UnavailableError        4    a server is away, busy or broken; nothing was forgotten
    ├── RefusedError            5    a server understood and said no; its error code is in `.error`
    │   └── InsufficientScopeError   ... because the token's scope is too small
    ├── MalformedError          6    an answer breaks the protocol: nothing in it is believed or stored
    ├── LoginFailedError        7    the login ended without tokens
    └── StoreError              8    the token store cannot be trusted or used
        └── StoreDamagedError        ... but may be overwritten: the content makes no sense

Hints say `python -m client`; screen.py puts what the person typed in its place.
Every sentence may carry text from a server, so `printable` takes the terminal's control characters out.
"""

import re


def printable(text: str, limit: int = 500) -> str:
    """Text of others, safe for a terminal: no escape sequences, no bidi overrides, not endless."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)


class ClientError(Exception):
    exit_code = 1
    default_hint = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(printable(message, 2000))
        self.hint = printable(hint or self.default_hint, 2000)

    @property
    def kind(self) -> str:
        """For scripts: `login_needed`, `insufficient_scope`, … after the name of the class."""
        return "_".join(re.findall(r"[A-Z][a-z]+", type(self).__name__.removesuffix("Error"))).lower()


class SettingsError(ClientError):
    exit_code = 2


class LoginNeededError(ClientError):
    exit_code = 3
    default_hint = "Log in: python -m client login"


class UnavailableError(ClientError):
    exit_code = 4
    default_hint = "Nothing was forgotten: try again in a moment."


class RefusedError(ClientError):
    exit_code = 5

    def __init__(self, message: str, hint: str = "", *, error: str = "", status: int = 0) -> None:
        super().__init__(message, hint)
        self.error = error
        self.status = status


class InsufficientScopeError(RefusedError):
    def __init__(self, message: str, hint: str, *, scope: str) -> None:
        super().__init__(message, hint, error="insufficient_scope", status=403)
        self.scope = scope


class MalformedError(ClientError):
    exit_code = 6
    default_hint = "Nothing was stored. This is a fault of the server (or of whatever answers in its place)."


class LoginFailedError(ClientError):
    exit_code = 7
    default_hint = "Nothing was stored. Start again: python -m client login"


class StoreError(ClientError):
    exit_code = 8


class StoreDamagedError(StoreError):
    default_hint = "Throw it away and log in again: python -m client login"
