"""The older signatures: rules and hooks, which Auth0's documentation still shows, as Actions.

A rule changes `context` and ends with `callback(error, user, context)`; a hook ends with `callback(error, token)`.
What they changed is compared with what they were given, and said through `api`.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any


class UnauthorizedError(Exception):
    """A rule's way to refuse a login: the application gets `error=unauthorized` and this text."""


class Bag(dict[str, Any]):
    """A JavaScript object: members by attribute as well, and None for what is absent."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class _Callback:
    """What was handed back; the last call counts."""

    def __init__(self) -> None:
        self.called = False
        self.error: object = None
        self.values: tuple[Any, ...] = ()

    def __call__(self, error: object = None, *values: Any) -> None:
        self.called, self.error, self.values = True, error, values

    def check(self) -> None:
        if not self.called:
            raise RuntimeError("ended without calling back")
        if isinstance(self.error, Exception):
            raise self.error
        if self.error is not None:
            raise RuntimeError(str(self.error))


def from_rule(rule: Callable[..., object]) -> Callable[[Any, Any], object]:
    """`rule(user, context, callback)` as a post-login Action."""

    def run(event: Any, api: Any) -> None:
        user, context, callback = _thawed(event.user), _context(event), _Callback()
        rule(user, context, callback)
        try:
            callback.check()
        except UnauthorizedError as refusal:
            api.access.refuse(str(refusal))
            return
        changed = callback.values[1] if len(callback.values) > 1 and callback.values[1] is not None else context
        _unplayed(changed)
        scope = changed["accessToken"].pop("scope", None)
        for token, said in (("idToken", api.id_token), ("accessToken", api.access_token)):
            for name, value in changed[token].items():
                said.set_custom_claim(name, value)
        if scope is not None:
            _replace_scope(api.access_token, event.transaction.requested_scopes, scope)

    return run


def from_hook(hook: Callable[..., object]) -> Callable[[Any, Any], object]:
    """`client_credentials_exchange(client, scope, audience, context, callback)` as a credentials-exchange Action."""

    def run(event: Any, api: Any) -> None:
        client = Bag(id=event.client.client_id, name=event.client.name, tenant=event.tenant.id)
        client.metadata = _thawed(event.client.metadata or {})
        context = Bag(ip=event.request.ip, userAgent=event.request.user_agent)
        context.webtask = Bag(secrets=_thawed(event.secrets or {}))
        requested = event.transaction.requested_scopes
        callback = _Callback()
        hook(client, list(requested) or None, event.resource_server.identifier, context, callback)
        callback.check()
        token = dict(callback.values[0] or {}) if callback.values else {}
        scope = token.pop("scope", None)
        for name, value in token.items():
            api.access_token.set_custom_claim(name, value)
        if scope is not None:
            api.transaction.set_target_scopes(_scopes(scope))

    return run


def _context(event: Any) -> Bag:
    request = event.request
    return Bag(
        clientID=event.client.client_id,
        clientName=event.client.name,
        clientMetadata=_thawed(event.client.metadata or {}),
        connection=event.connection.name,
        connectionStrategy=event.connection.strategy,
        protocol=event.transaction.protocol,
        request=Bag(
            query=_thawed(request.query or {}),
            body=_thawed(request.body or {}),
            userAgent=request.user_agent,
            ip=request.ip,
            hostname=request.hostname,
        ),
        stats=Bag(loginsCount=event.stats.logins_count),
        authorization=Bag(roles=list(event.authorization.roles)),
        authentication=Bag(methods=[_thawed(method) for method in event.authentication.methods]),
        sessionID=event.session.id,
        idToken=Bag(),
        accessToken=Bag(),
    )


def _unplayed(context: Mapping[str, Any]) -> None:
    for name in ("redirect", "multifactor"):
        if context.get(name):
            raise NotImplementedError(f"context.{name} is not played here")


def _replace_scope(token: Any, requested: tuple[str, ...], scope: object) -> None:
    wanted = _scopes(scope)
    for each in requested:
        if each not in wanted:
            token.remove_scope(each)
    for each in wanted:
        token.add_scope(each)


def _scopes(scope: object) -> list[str]:
    if isinstance(scope, str):
        return scope.split()
    if isinstance(scope, list | tuple) and all(isinstance(each, str) for each in scope):
        return list(scope)
    raise TypeError("scope must be an array or a string")


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Bag({name: _thawed(each) for name, each in value.items()})
    return [_thawed(each) for each in value] if isinstance(value, list | tuple) else copy.copy(value)
