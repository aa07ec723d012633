"""Refresh families as an application meets them: leeway 0 and leeway 5, through restarts and sweeps."""

from collections.abc import Callable

import pytest

from tests.stage import Stage

pytestmark = pytest.mark.parametrize("dialect", ["auth0", "rfc"])


def nothing(_: Stage) -> None:
    """Just go on."""


def restart(stage: Stage) -> None:
    stage.restart()


def sweep(stage: Stage) -> None:
    stage.sweep()


INTERLUDES = pytest.mark.parametrize("interlude", [nothing, restart, sweep])
Interlude = Callable[[Stage], None]


def set_refresh_token(stage: Stage, **settings: object) -> None:
    """What an operator changes in the client's `refresh_token` block."""
    stage.configure_client("native-app", refresh_token=settings)


def assert_family_is_dead(stage: Stage, *answers: dict[str, str]) -> None:
    for tokens in answers:
        assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))
        assert stage.userinfo(tokens["access_token"]).status_code == 401
        # The revocation endpoint has nothing left to do, and says so in the only way that RFC 7009 knows.
        assert stage.revoke(tokens["refresh_token"]).status_code == 200


@INTERLUDES
def test_RT1_with_leeway_0_reuse_ends_the_whole_family(stage: Stage, interlude: Interlude) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    third = stage.refresh(second["refresh_token"]).json()
    interlude(stage)
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))
    interlude(stage)
    assert_family_is_dead(stage, first, second, third)


def test_RT1_with_leeway_0_not_even_the_same_second_is_forgiven(stage: Stage) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))
    assert_family_is_dead(stage, first, second)


@INTERLUDES
@pytest.mark.parametrize("seconds", [0, 5])
def test_B3_with_leeway_5_an_honest_double_submit_lives(stage: Stage, interlude: Interlude, seconds: int) -> None:
    set_refresh_token(stage, rotation_type="rotating", leeway=5)
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"])
    interlude(stage)
    stage.clock.advance(seconds)
    again = stage.refresh(first["refresh_token"])
    assert (second.status_code, again.status_code) == (200, 200)
    siblings = second.json(), again.json()
    assert siblings[0]["refresh_token"] != siblings[1]["refresh_token"]
    for sibling in siblings:
        assert stage.userinfo(sibling["access_token"]).status_code == 200
        assert stage.refresh(sibling["refresh_token"]).status_code == 200


@INTERLUDES
def test_B3_after_the_leeway_it_is_reuse(stage: Stage, interlude: Interlude) -> None:
    set_refresh_token(stage, rotation_type="rotating", leeway=5)
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    stage.clock.advance(6)
    interlude(stage)
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))
    assert_family_is_dead(stage, first, second)


@INTERLUDES
def test_B3_within_the_leeway_an_older_ancestor_ends_the_family(stage: Stage, interlude: Interlude) -> None:
    set_refresh_token(stage, rotation_type="rotating", leeway=5)
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    third = stage.refresh(second["refresh_token"]).json()
    interlude(stage)
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))
    assert_family_is_dead(stage, first, second, third)


def test_B3_a_token_has_at_most_five_children(stage: Stage) -> None:
    set_refresh_token(stage, rotation_type="rotating", leeway=5)
    first = stage.tokens()
    children = [stage.refresh(first["refresh_token"]) for _ in range(5)]
    assert [child.status_code for child in children] == [200] * 5
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))
    assert_family_is_dead(stage, children[0].json(), children[4].json())


def test_RT6_rotation_never_stretches_the_absolute_lifetime(stage: Stage) -> None:
    set_refresh_token(stage, rotation_type="rotating", token_lifetime=1000, idle_token_lifetime=1000)
    tokens = stage.tokens()
    stage.clock.advance(999)
    # A longer maximum, configured later, does not move what was issued under the shorter one.
    set_refresh_token(stage, rotation_type="rotating", token_lifetime=5000, idle_token_lifetime=1000)
    tokens = stage.refresh(tokens["refresh_token"]).json()
    stage.clock.advance(1)
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))


def test_RT6_each_exchange_restarts_the_idle_clock(stage: Stage) -> None:
    set_refresh_token(stage, rotation_type="rotating", token_lifetime=1000, idle_token_lifetime=100)
    tokens = stage.tokens()
    for _ in range(3):
        stage.clock.advance(99)
        tokens = stage.refresh(tokens["refresh_token"]).json()
    stage.clock.advance(100)
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))


def test_a_non_rotating_token_stays_and_its_idle_clock_restarts(stage: Stage) -> None:
    set_refresh_token(stage, rotation_type="non-rotating", token_lifetime=1000, idle_token_lifetime=100)
    first = stage.tokens()
    for _ in range(3):
        stage.clock.advance(99)
        response = stage.refresh(first["refresh_token"])
        assert response.status_code == 200
        assert "refresh_token" not in response.json()
    stage.clock.advance(100)
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))


def test_turning_rotation_on_ends_the_other_non_rotating_tokens(stage: Stage) -> None:
    set_refresh_token(stage, rotation_type="non-rotating")
    one, other = stage.tokens(), stage.tokens()
    set_refresh_token(stage, rotation_type="rotating")
    rotated = stage.refresh(one["refresh_token"]).json()
    assert "refresh_token" in rotated
    assert stage.bad_grant(stage.refresh(other["refresh_token"]))
    assert stage.refresh(rotated["refresh_token"]).status_code == 200


def test_turning_rotation_off_returns_one_that_stays(stage: Stage) -> None:
    one, other = stage.tokens(), stage.tokens()
    set_refresh_token(stage, rotation_type="non-rotating")
    fixed = stage.refresh(one["refresh_token"]).json()
    assert stage.bad_grant(stage.refresh(other["refresh_token"]))
    for _ in range(2):
        response = stage.refresh(fixed["refresh_token"])
        assert response.status_code == 200
        assert "refresh_token" not in response.json()


def test_a_token_that_never_expired_begins_to_when_a_maximum_is_configured(stage: Stage) -> None:
    set_refresh_token(stage, rotation_type="rotating", expiration_type="non-expiring")
    tokens = stage.tokens()
    stage.clock.advance(10 * 365 * 86400)
    set_refresh_token(stage, rotation_type="rotating", token_lifetime=1000, idle_token_lifetime=1000)
    tokens = stage.refresh(tokens["refresh_token"]).json()
    stage.clock.advance(1000)
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))


def test_only_the_newest_200_refresh_tokens_of_a_user_and_client_live(stage: Stage) -> None:
    oldest = stage.tokens()
    row = stage.rows("SELECT grant_id, rotating, expires_at, idle_expires_at FROM refresh_tokens")[0]
    for number in range(199):
        stage.change(
            "INSERT INTO refresh_tokens (digest, grant_id, rotating, issued_at, expires_at, idle_expires_at, children)"
            " VALUES (:digest, :grant_id, :rotating, :now, :expires_at, :idle_expires_at, 0)",
            **row,
            digest=number.to_bytes(32, "big"),
            now=stage.clock.now + 1,
        )
    stage.clock.advance(2)
    newest = stage.tokens()
    assert stage.bad_grant(stage.refresh(oldest["refresh_token"]))
    assert stage.refresh(newest["refresh_token"]).status_code == 200


def test_RT10_blocked_and_deleted_users_get_nothing(stage: Stage) -> None:
    tokens = stage.tokens()
    stage.change("UPDATE users SET blocked = :blocked WHERE user_id LIKE '%1'", blocked=True)
    refused = stage.refresh(tokens["refresh_token"])
    assert refused.status_code in (400, 403)
    assert "access_token" not in refused.json()
    assert stage.userinfo(tokens["access_token"]).status_code == 401
    stage.change("DELETE FROM users WHERE user_id LIKE '%1'")
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))
