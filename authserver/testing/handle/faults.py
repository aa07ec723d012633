"""Faults, as a test sets them: what goes wrong at the server, to see how your application or API copes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

from authserver.testing.handle.values import Client, User


class Match(TypedDict, total=False):
    """Which requests: all that is said has to fit.

    `endpoint`: `token`, `authorize`, `jwks`, `metadata`, `userinfo`, `login` …; `client` and `user` (or their ids):
    whose request it is; `grant_id`: what the presented code or token hangs on. `times`: how many are spoiled, one
    unless it is said, None for all; `skip`: how many matching ones pass before.
    """

    endpoint: str
    client: Client | str
    user: User | str
    grant_type: str
    grant_id: str
    times: int | None
    skip: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One that is set. As a context manager it is removed at the end. `order` is how it was set."""

    id: str
    name: str
    order: dict[str, Any]
    _call: Callable[..., Any] = field(repr=False)

    @property
    def hits(self) -> int:
        """How many requests it has spoiled."""
        hits: int = self._call("GET", f"faults/{self.id}")["hits"]
        return hits

    def remove(self) -> None:
        """Take it back. What it delays is answered now; what hangs is cut."""
        self._call("DELETE", f"faults/{self.id}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


class Faults:
    """Sets faults in one tenant. A request meets the first one that is for it, and no other.

    Every spoiled answer says so in the header `Understudy-Fault`; `exchanges` name the fault as well.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def answer(
        self,
        status: int = 503,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **match: Unpack[Match],
    ) -> Fault:
        """This answer instead of the true one. `body`: a string is text, anything else JSON."""
        return self._set("answer", match, status=status, body=body, headers=dict(headers or {}))

    def error(
        self, error: str, *, description: str | None = None, status: int | None = None, **match: Unpack[Match]
    ) -> Fault:
        """An OAuth error, at `token` unless another endpoint is named. Status and words are the dialect's own.

        At `authorize` the browser is sent back with it, to the callback of a client that asked properly.
        """
        return self._set("error", match, error=error, description=description, status=status)

    def delay(self, seconds: float, **match: Unpack[Match]) -> Fault:
        """The true answer, later. The request is worked on then, even if the caller has gone."""
        return self._set("delay", match, seconds=seconds)

    def hang(self, **match: Unpack[Match]) -> Fault:
        """No answer, until the caller gives up or the fault is removed."""
        return self._set("hang", match)

    def cut(self, after: int = 0, **match: Unpack[Match]) -> Fault:
        """The connection is closed before anything happens, or in the true answer, after so many bytes of its body."""
        return self._set("cut", match, after=after)

    def html(self, status: int = 200, **match: Unpack[Match]) -> Fault:
        """The page of some proxy instead of JSON."""
        return self._set("html", match, status=status)

    def truncate(self, **match: Unpack[Match]) -> Fault:
        """The true answer, whose JSON ends in the middle; as HTTP it is complete."""
        return self._set("truncate", match)

    def rate_limit(self, retry_after: int = 1, **match: Unpack[Match]) -> Fault:
        """429 in Auth0's manner. `retry_after` in seconds."""
        return self._set("rate_limit", match, retry_after=retry_after)

    def outage(self, endpoint: str = "jwks", **match: Unpack[Match]) -> Fault:  # type: ignore[misc]  # named twice
        """503 as from a dead upstream, until it is removed."""
        return self._set("outage", match, endpoint=endpoint)

    def rotate_keys(self, *, withdraw: bool = False, **match: Unpack[Match]) -> Fault:
        """The signing key changes just before the request is worked on.

        `withdraw`: the old one is not published any longer, so that what it signed is worth nothing.
        """
        return self._set("rotate_keys", match, withdraw=withdraw)

    def lose_answer(self, **match: Unpack[Match]) -> Fault:
        """The request is worked on, and what it did is kept; but the caller gets a closed connection."""
        return self._set("lose_answer", match)

    def skew(self, seconds: int, **match: Unpack[Match]) -> Fault:
        """The request is worked on at another time: so many seconds later, or with a minus earlier."""
        return self._set("skew", match, seconds=seconds)

    def id_token(self, lie: str, **match: Unpack[Match]) -> Fault:
        """The ID token in the token answer lies: `wrong-nonce`, `wrong-issuer`, `expired`, `bad-signature` …"""
        return self._set("id_token", match, lie=lie)

    def list(self) -> tuple[Fault, ...]:
        """What is set in this tenant, spent ones included, in the order of their turn."""
        return tuple(self._fault(each) for each in self._call("GET", "faults"))

    def clear(self) -> None:
        """Remove all of them."""
        self._call("DELETE", "faults")

    def _set(self, kind: str, match: Mapping[str, Any], **told: Any) -> Fault:
        said = {"kind": kind, **told, **match}
        for name, id_ in (("client", "client_id"), ("user", "user_id")):
            if name in said:
                given = said.pop(name)
                said[id_] = given if isinstance(given, str) else getattr(given, id_)
        return self._fault(self._call("POST", "faults", said))

    def _fault(self, told: Mapping[str, Any]) -> Fault:
        return Fault(told["id"], told["name"], told["order"], self._call)
