"""A busy server is asked again, when that is allowed and not for long (row CL14)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from client import patience
from client.app import NativeApp
from client.errors import ClientError, UnavailableError
from client.moments import Moment, Waiting
from tests.client.conftest import Clock, log_in
from tests.client.fake_server import Answer, FakeApi, FakeIssuer, Request


@pytest.mark.parametrize("status", [429, 503])
def test_CL14_a_get_is_repeated_with_growing_pauses(app: NativeApp, api: FakeApi, clock: Clock, status: int) -> None:
    log_in(app)
    answers = [Answer(status, {}), Answer(status, {}), Answer(status, {}), Answer(body=[])]
    api.routes["/notes"] = lambda _request: answers[len(api.requests) - 1]
    assert app.call_api("GET", "/notes") == []
    assert len(api.requests) == 4
    one, two, three = clock.slept
    assert 0.5 <= one <= 0.75
    assert 1.0 <= two <= 1.5
    assert 2.0 <= three <= 3.0


def test_CL14_it_ends(app: NativeApp, api: FakeApi, clock: Clock) -> None:
    log_in(app)
    api.always("/notes", Answer(503, {}))
    with pytest.raises(UnavailableError):
        app.call_api("GET", "/notes")
    assert len(api.requests) == patience.TRIES
    assert len(clock.slept) == patience.TRIES - 1


def test_CL14_retry_after_is_honoured(app: NativeApp, api: FakeApi, clock: Clock) -> None:
    log_in(app)
    api.always("/notes", Answer(429, {}, {"Retry-After": "4"}))
    with pytest.raises(UnavailableError, match="asks to wait: 4"):
        app.call_api("GET", "/notes")
    assert clock.slept == [4.0, 4.0], "a third would be longer than anybody waits"


def test_CL14_a_server_that_asks_for_too_much_is_not_asked_again(app: NativeApp, api: FakeApi, clock: Clock) -> None:
    log_in(app)
    for retry_after in ("11", "9" * 400, format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)):
        api.always("/notes", Answer(503, {}, {"Retry-After": retry_after}))
        with pytest.raises(UnavailableError):
            app.call_api("GET", "/notes")
    assert not clock.slept
    assert len(api.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502])
def test_other_answers_are_taken_as_they_are(app: NativeApp, api: FakeApi, clock: Clock, status: int) -> None:
    log_in(app)
    api.always("/notes", Answer(status, {}, {"Retry-After": "1"}))
    with pytest.raises(ClientError):
        app.call_api("GET", "/notes")
    assert not clock.slept


def test_CL14_a_post_is_never_repeated(app: NativeApp, api: FakeApi, issuer: FakeIssuer, clock: Clock) -> None:
    """A note could be written twice, a refresh token spent twice."""
    log_in(app)
    api.always("/notes", Answer(503, {}, {"Retry-After": "1"}))
    with pytest.raises(UnavailableError):
        app.call_api("POST", "/notes", {"text": "x"})
    issuer.token_route = lambda _request: Answer(503, {}, {"Retry-After": "1"})
    with pytest.raises(UnavailableError):
        app.refresh()
    assert len(api.requests) == 1
    assert len(issuer.asked("/oauth/token")) == 2
    assert not clock.slept


@pytest.mark.parametrize("text", ["", "-1", "soon", "1.5", "٣", "Wed, 99 Nov 2026 00:00:00 GMT", "0", "\x00"])
def test_what_is_no_retry_after(text: str) -> None:
    assert patience.asked_for(text, 0.0) == 0.0


def test_dates_are_understood_and_the_past_is_now() -> None:
    when = "Wed, 25 Nov 2026 00:00:00 GMT"
    at = datetime(2026, 11, 25, tzinfo=UTC).timestamp()
    assert patience.asked_for(when, at - 5) == 5.0
    assert patience.asked_for(when, at + 5) == 0.0


def test_jitter_differs() -> None:
    assert list(patience.pauses()) != list(patience.pauses())


def test_one_trace_and_a_span_for_each_request(app: NativeApp, api: FakeApi, issuer: FakeIssuer) -> None:
    """W3C Trace Context: version, 16 bytes, 8 bytes, flags; tries count as requests of their own."""
    log_in(app)
    waits: list[Moment] = []
    app._on_moment = waits.append
    busy = iter([Answer(503, {})])
    api.routes["/notes"] = lambda request: next(busy, None) or api.notes(request)
    app.call_api("GET", "/notes")
    assert [type(moment) for moment in waits] == [Waiting]
    seen: list[Request] = [
        request for server in (issuer, api) for request in server.requests if request.path != "/authorize"
    ]
    parents = [request.headers["traceparent"].split("-") for request in seen]
    assert {(version, flags) for version, _, _, flags in parents} == {("00", "01")}
    assert len({trace for _, trace, _, _ in parents}) == 1
    assert all(len(trace) == 32 and len(span) == 16 for _, trace, span, _ in parents)
    assert len({span for _, _, span, _ in parents}) == len(seen) > 4
