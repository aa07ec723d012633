"""Service: what belongs together in one running API. A request reaches anything only through it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.claims import Rules
from api.keys import Keys
from api.metrics import Metrics
from api.store import Store


@dataclass(frozen=True)
class Service:
    rules: Rules
    keys: Keys
    store: Store
    metrics: Metrics
    now: Callable[[], float]


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(_service)]
