"""Running: the Actions of a trigger, in their order, until one ends it.

Whatever an Action raises fails the exchange as ActionFailed and names it in the log; nothing of what it wrote down
before takes effect. After a denial no further Action runs, and metadata written until then stays.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from authserver.actions.api import CredentialsExchangeApi, PostLoginApi
from authserver.actions.facts import Facts
from authserver.actions.loading import Action
from authserver.actions.outcome import Outcome
from authserver.errors import ActionFailed

log = logging.getLogger("authserver")


def post_login(actions: Iterable[Action], facts: Mapping[str, Any]) -> Outcome:
    """Raises ActionFailed."""
    return _run(actions, facts, PostLoginApi)


def credentials_exchange(actions: Iterable[Action], facts: Mapping[str, Any], granted: tuple[str, ...]) -> Outcome:
    """`granted` are the scopes that the client may have at the API. Raises ActionFailed."""
    return _run(actions, facts, lambda outcome, name: CredentialsExchangeApi(outcome, name, granted))


def _run(actions: Iterable[Action], facts: Mapping[str, Any], api: Callable[[Outcome, str], object]) -> Outcome:
    outcome, told = Outcome(), Facts(facts)
    for action in actions:
        event = Facts({**told, "secrets": action.secrets})
        try:
            action.run(event, api(outcome, action.name))
        except Exception as error:
            log.exception("action %s failed", action.name)
            raise ActionFailed(action.name) from error
        if outcome.denied is not None:
            outcome.by = action.name
            log.info("action %s denied access", action.name)
            break
    return outcome
