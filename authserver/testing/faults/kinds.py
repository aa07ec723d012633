"""What can be asked for: each kind of fault, with the requests that it is for.

Done: RFC 6749 §5.2 (characters of an error) · RFC 9110 §5.6.2, §5.5 (header names and values), §10.2.3 · RFC 6585 §4.
"""

import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from authserver.grants import GRANTS
from authserver.tenant_file.models import Plain
from authserver.testing.endpoints import ENDPOINTS
from authserver.testing.faults.lies import LIES

LONGEST = 300.0
"""Seconds of a delay; what is to take longer is a `hang`."""

LARGEST = 1024 * 1024
"""Bytes of a body that a test makes up."""

DEEPEST = 32
"""Levels of such a body."""

_JSON = ("metadata", "jwks", "token", "userinfo", "device_authorization")
_PERSON_KNOWN = ("login", "consent", "authorize", "token", "revoke", "userinfo")
_GRANT_KNOWN = ("token", "revoke", "userinfo")
_OURS = {"content-length", "transfer-encoding", "connection", "understudy-fault", "understudy-testing"}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,2000}[\x21-\x7e])?")


def _check_body(body: Any) -> None:
    """Also against what Python reads as JSON and nobody else does: NaN, lone surrogates."""
    level = [body]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, list | dict)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    if level:
        raise ValueError(f"body: at most {DEEPEST} levels deep")
    try:
        length = len(json.dumps(body, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:
        raise ValueError("body: must be JSON that can be sent") from None
    if length > LARGEST:
        raise ValueError(f"body: at most {LARGEST} bytes")


def _one_of(known: Iterable[str], what: str) -> Any:
    names: list[Any] = sorted(known)

    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"there is no such {what}; there are {', '.join(names)}")
        return name

    return Annotated[str, AfterValidator(check), Field(json_schema_extra={"enum": names})]


Status = Annotated[int, Field(ge=200, le=599)]
Sentence = Annotated[str, Field(pattern=r"^[\x20-\x21\x23-\x5B\x5D-\x7E]{1,500}$")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Order(BaseModel):
    """Which requests are spoiled: `times` of them (null: every one) that match in all that is said here.

    The first `skip` matching ones pass. `endpoint` is a name of this API, such as `token`; `client_id` and `user_id`
    are whose request it is, `grant_id` what the presented code or token hangs on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    SENSE: ClassVar[tuple[str, ...]] = tuple(ENDPOINTS)
    """Endpoints at which this can happen. Whoever names none means these."""

    kind: str
    endpoint: _one_of(ENDPOINTS, "endpoint") | None = None  # type: ignore[valid-type]  # made of the names themselves
    client_id: Plain | None = None
    user_id: Plain | None = None
    grant_type: _one_of(GRANTS, "grant type") | None = None  # type: ignore[valid-type]  # likewise
    grant_id: Plain | None = None
    times: Count | None = 1
    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    @property
    def name(self) -> str:
        """How a spoiled answer calls it."""
        return self.kind

    @property
    def is_particular(self) -> bool:
        """Whether it asks whose request it is."""
        return bool(self.client_id or self.user_id or self.grant_id)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        at = self.endpoint
        if at is None:
            return self
        if at not in self.SENSE:
            raise ValueError(f"{self.kind} means nothing at {at}, only at {', '.join(self.SENSE)}")
        if self.client_id and at in ("metadata", "jwks"):
            raise ValueError(f"client_id: nobody says at {at} who they are")
        if self.user_id and at not in _PERSON_KNOWN:
            raise ValueError(f"user_id: a person is known at {', '.join(_PERSON_KNOWN)} alone")
        if self.grant_id and at not in _GRANT_KNOWN:
            raise ValueError(f"grant_id: a grant is known at {', '.join(_GRANT_KNOWN)} alone")
        if self.grant_type and at != "token":
            raise ValueError("grant_type: is said at token alone")
        return self


class Answer(Order):
    """This answer instead of the true one: a string is text, anything else JSON; null is nothing."""

    kind: Literal["answer"] = "answer"
    status: Status = 503
    body: Any = None
    headers: dict[str, str] = {}

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if self.body is not None and self.status in (204, 205, 304):
            raise ValueError(f"body: an answer with status {self.status} has none")
        _check_body(self.body)
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError("headers: names and values must be printable ASCII in one line")
            if name.lower() in _OURS:
                raise ValueError("headers: length, connection and Understudy's own are not to be chosen")
        return self


class Error(Order):
    """An OAuth error: JSON, or at `authorize` a redirect to the callback of the client that asked properly."""

    SENSE = ("token", "authorize", "userinfo", "revoke", "device_authorization")
    kind: Literal["error"] = "error"
    endpoint: _one_of(ENDPOINTS, "endpoint") = "token"  # type: ignore[valid-type]  # likewise
    error: Annotated[str, Field(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]{1,100}$")]
    description: Sentence | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None

    @model_validator(mode="after")
    def _has_a_status(self) -> Self:
        if self.status is not None and self.endpoint == "authorize":
            raise ValueError("status: at authorize an error is a redirect")
        return self


class Delay(Order):
    """The true answer, `seconds` later. The request is worked on then, even if the caller has gone."""

    kind: Literal["delay"] = "delay"
    seconds: Annotated[float, Field(gt=0, le=LONGEST)]


class Hang(Order):
    """No answer: until the caller gives up, the fault is removed, the tenant dropped, or the server stopped."""

    kind: Literal["hang"] = "hang"


class Cut(Order):
    """The connection is closed: before anything happens, or in the true answer, `after` so many bytes of its body."""

    kind: Literal["cut"] = "cut"
    after: Annotated[int, Field(ge=0, le=LARGEST)] = 0


class Html(Order):
    """The page of some proxy instead of JSON."""

    SENSE = (*_JSON, "revoke")
    kind: Literal["html"] = "html"
    status: Status = 200

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if self.status in (204, 205, 304):
            raise ValueError(f"status: an answer with status {self.status} has no page")
        return self


class Truncate(Order):
    """The true answer, whose JSON ends in the middle; as HTTP it is complete."""

    SENSE = _JSON
    kind: Literal["truncate"] = "truncate"


class RateLimit(Order):
    """429 in Auth0's manner. `retry_after` in seconds."""

    kind: Literal["rate_limit"] = "rate_limit"
    retry_after: Annotated[int, Field(ge=0, le=86400)] = 1


class Outage(Order):
    """503 in plain text, as from a proxy whose upstream is gone. It stands until it is removed."""

    kind: Literal["outage"] = "outage"
    endpoint: _one_of(ENDPOINTS, "endpoint") = "jwks"  # type: ignore[valid-type]  # likewise
    times: Count | None = None


class RotateKeys(Order):
    """The signing key changes just before the request is worked on. `withdraw`: the old one is not published longer."""

    kind: Literal["rotate_keys"] = "rotate_keys"
    withdraw: bool = False


class LoseAnswer(Order):
    """The request is worked on and what it did is kept, but the answer never arrives: the connection is closed."""

    kind: Literal["lose_answer"] = "lose_answer"


class Skew(Order):
    """The request is worked on at another time, `seconds` from the tenant's own: later, or with a minus earlier."""

    kind: Literal["skew"] = "skew"
    seconds: Annotated[int, Field(ge=-315_360_000, le=315_360_000)]


class IdToken(Order):
    """The ID token in the token answer lies; everything else is true. Answers without one pass and do not count."""

    SENSE = ("token",)
    kind: Literal["id_token"] = "id_token"
    lie: _one_of(LIES, "lie")  # type: ignore[valid-type]  # likewise

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.lie}"


AnyOrder = Annotated[
    Answer
    | Error
    | Delay
    | Hang
    | Cut
    | Html
    | Truncate
    | RateLimit
    | Outage
    | RotateKeys
    | LoseAnswer
    | Skew
    | IdToken,
    Field(discriminator="kind"),
]
"""Any kind, told apart by `kind`."""
