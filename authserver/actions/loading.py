"""Loading: the tenant file's Actions become functions, once, at start.

An Action is a Python file with a function of Auth0's name in snake case, `on_execute_post_login(event, api)` or
`on_execute_credentials_exchange(event, api)`; or with one of the older signatures, `rule(user, context, callback)` or
`client_credentials_exchange(client, scope, audience, context, callback)`.
"""

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from authserver.actions import legacy

POST_LOGIN = "post-login"
CREDENTIALS_EXCHANGE = "credentials-exchange"

_FUNCTIONS = {POST_LOGIN: "on_execute_post_login", CREDENTIALS_EXCHANGE: "on_execute_credentials_exchange"}
_ADAPTED = {
    POST_LOGIN: ("rule", legacy.from_rule),
    CREDENTIALS_EXCHANGE: ("client_credentials_exchange", legacy.from_hook),
}

_numbers = itertools.count()


class ActionError(Exception):
    """An Action cannot be loaded; the text names it and says why. Shown at start, never on the wire."""


@dataclass(frozen=True, slots=True)
class Source:
    """What to load: a file, and what it may read as `event.secrets`."""

    name: str
    file: Path
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """A function `(event, api)` that returns nothing, and its name for the log."""

    name: str
    run: Callable[[Any, Any], object]
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Actions:
    """A tenant's Actions by trigger, in the order in which they run."""

    post_login: tuple[Action, ...] = ()
    credentials_exchange: tuple[Action, ...] = field(default=())


def load(post_login: Iterable[Source], credentials_exchange: Iterable[Source]) -> Actions:
    """Run each file once and take its function. Raises ActionError."""
    return Actions(
        tuple(_load(source, POST_LOGIN) for source in post_login),
        tuple(_load(source, CREDENTIALS_EXCHANGE) for source in credentials_exchange),
    )


def _load(source: Source, trigger: str) -> Action:
    module = _module(source)
    function = getattr(module, _FUNCTIONS[trigger], None)
    if function is None:
        older, adapt = _ADAPTED[trigger]
        function = getattr(module, older, None)
        if not callable(function):
            raise ActionError(
                f"action {source.name}: {source.file} defines neither {_FUNCTIONS[trigger]}(event, api) nor {older}(…)"
            )
        function = adapt(function)
    if not callable(function):
        raise ActionError(f"action {source.name}: {_FUNCTIONS[trigger]} in {source.file} is no function")
    return Action(source.name, function, dict(source.secrets))


def _module(source: Source) -> ModuleType:
    name = f"understudy_action_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, source.file)
    if spec is None or spec.loader is None:
        raise ActionError(f"action {source.name}: {source.file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    module.__dict__["UnauthorizedError"] = legacy.UnauthorizedError  # a word of its own in the older signature
    sys.modules[name] = module  # where dataclasses and the like look for what they were defined in
    try:
        spec.loader.exec_module(module)
    except OSError as error:
        raise ActionError(f"action {source.name}: {source.file} cannot be read: {error.strerror}") from None
    except Exception as error:
        raise ActionError(f"action {source.name}: {source.file}: {type(error).__name__}: {error}") from error
    return module
