"""Endpoints: rooms with a door.

A room exports `ENDPOINTS`, what it answers to, and `metadata(tenant)`, what discovery may say because the room is
here (law 9).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from authserver.messages import Answer, Request
from authserver.tenant import Tenant

Handler = Callable[[Request, Tenant], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`methods` maps each accepted method to its handler.

    `surface` says who reads the answer, and so how an error looks: a `program` (JSON), a `person` (a page), a
    program with a bearer token (`resource`), or an SDK of Auth0's that knows the errors of its `database` API.
    `query` is False where parameters in the URL are refused. `cors` says which web origins may read the answer: none,
    those that some client registered, or any. `waits` is False for handlers that never wait for anything, neither
    database nor hashing: they are answered without a thread.
    """

    path: str
    methods: dict[str, Handler]
    surface: Literal["program", "person", "resource", "database"]
    query: bool = True
    cors: Literal["none", "registered", "any"] = "none"
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    """What a module of this package contributes."""

    endpoints: tuple[Endpoint, ...]
    metadata: Callable[[Tenant], dict[str, object]] = lambda _: {}
