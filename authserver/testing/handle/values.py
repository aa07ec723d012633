"""What the handle gives to a test: people, applications, events and wrong tokens, as frozen values."""

from dataclasses import dataclass, field

from authserver.testing.wrong_tokens import WrongToken


@dataclass(frozen=True, slots=True)
class User:
    """A person who can log in. `user_id` is the `sub` of their tokens."""

    user_id: str
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """An application. `client_secret` is None for a public one; `redirect_uri` its first callback, if it has any."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `log_type` is Auth0's code for it, `at` epoch seconds of the tenant's clock."""

    id: int
    at: int
    type: str
    log_type: str | None
    client_id: str | None
    user_id: str | None
    grant_id: str | None
    reason: str | None
    connection: str | None


@dataclass(frozen=True, slots=True)
class Forged:
    """A wrong token, made: `token` is what to send, `wrong` what is wrong with it."""

    wrong: WrongToken
    token: str = field(repr=False)

    @property
    def statuses(self) -> tuple[int, ...]:
        """What a correct API may answer."""
        return self.wrong.statuses
