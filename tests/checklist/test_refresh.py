"""Line 9: refresh tokens."""

from concurrent.futures import ThreadPoolExecutor

import httpx2

from tests.attacks.judge import on_sqlite
from tests.proves import proves
from tests.stage import Stage

pytestmark = on_sqlite

DAY = 86400
REFUSED = {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}


def configure(stage: Stage, **settings: object) -> None:
    stage.configure_client("native-app", refresh_token={"rotation_type": "rotating", **settings})


def token_of(response: httpx2.Response) -> str:
    assert response.status_code == 200, response.text
    token: str = response.json()["refresh_token"]
    return token


def is_refused(response: httpx2.Response) -> bool:
    """In the words that SDKs compare."""
    return response.status_code == 403 and response.json() == REFUSED


@proves("POST /oauth/token", "grant_type=refresh_token")
def test_item_9_a_each_exchange_gives_a_new_refresh_token(stage: Stage) -> None:
    first = stage.tokens()["refresh_token"]
    second = token_of(stage.refresh(first))
    assert first != second
    assert first.startswith("v1.M")
    assert second.startswith("v1.M")


@proves("POST /oauth/token", "reuse", "403 invalid_grant")
def test_item_9_b_reuse_ends_the_family(stage: Stage) -> None:
    first = stage.tokens()["refresh_token"]
    second = token_of(stage.refresh(first))
    assert is_refused(stage.refresh(first))
    assert is_refused(stage.refresh(second))


@proves("POST /oauth/token", "refresh_token.leeway")
def test_item_9_c_within_the_leeway_the_direct_parent_alone_works(stage: Stage) -> None:
    configure(stage, leeway=10)
    first = stage.tokens()["refresh_token"]
    second = token_of(stage.refresh(first))
    stage.clock.advance(10)
    token_of(stage.refresh(first))
    third = token_of(stage.refresh(second))
    assert is_refused(stage.refresh(first)), "a grandparent, whatever the clock says"
    assert is_refused(stage.refresh(third))


@proves("POST /oauth/token", "concurrent exchanges")
def test_item_9_d_of_two_concurrent_exchanges_one_wins_and_the_family_ends(stage: Stage) -> None:
    token = stage.tokens()["refresh_token"]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: stage.refresh(token), range(2)))
    assert sorted(each.status_code for each in answers) == [200, 403]
    (won,) = [each for each in answers if each.status_code == 200]
    assert is_refused(stage.refresh(token_of(won)))


@proves("POST /oauth/token", "refresh_token.token_lifetime")
def test_item_9_e_rotation_does_not_extend_the_absolute_lifetime(stage: Stage) -> None:
    configure(stage, token_lifetime=2 * DAY, idle_token_lifetime=2 * DAY)
    token = stage.tokens()["refresh_token"]
    stage.clock.advance(2 * DAY - 1)
    token = token_of(stage.refresh(token))
    stage.clock.advance(1)
    assert is_refused(stage.refresh(token))


@proves("POST /oauth/token", "refresh_token.idle_token_lifetime")
def test_item_9_f_each_exchange_restarts_the_idle_clock(stage: Stage) -> None:
    configure(stage, token_lifetime=9 * DAY, idle_token_lifetime=DAY)
    token = stage.tokens()["refresh_token"]
    for _ in range(3):
        stage.clock.advance(DAY - 1)
        token = token_of(stage.refresh(token))
    stage.clock.advance(DAY)
    assert is_refused(stage.refresh(token))


@proves("POST /oauth/token", "refresh_token.rotation_type=non-rotating")
def test_item_9_g_without_rotation_no_new_one_is_given(stage: Stage) -> None:
    configure(stage, rotation_type="non-rotating")
    token = stage.tokens()["refresh_token"]
    for _ in range(2):
        answered = stage.refresh(token)
        assert answered.status_code == 200
        assert "refresh_token" not in answered.json()


@proves("POST /oauth/token", "scope")
def test_item_9_h_a_subset_of_the_scope_may_be_asked_for(stage: Stage) -> None:
    narrow = stage.refresh(stage.tokens()["refresh_token"], scope="openid read:notes")
    assert narrow.json()["scope"] == "openid read:notes"
    wide = stage.refresh(token_of(narrow), scope="openid read:notes write:notes delete:notes").json()
    assert wide["scope"] == "openid read:notes write:notes", "the grant's own scope is the limit"


@proves("POST /oauth/token", "refresh_token.rotation_type")
def test_item_9_i_a_switch_of_modes_ends_what_was_issued_before(stage: Stage) -> None:
    configure(stage, rotation_type="non-rotating")
    old, other = stage.tokens()["refresh_token"], stage.tokens()["refresh_token"]
    configure(stage, rotation_type="rotating")
    rotating = token_of(stage.refresh(old))
    assert is_refused(stage.refresh(other))
    configure(stage, rotation_type="non-rotating")
    last = token_of(stage.refresh(rotating))
    assert "refresh_token" not in stage.refresh(last).json()


@proves("POST /oauth/token", "403 unauthorized")
def test_a_blocked_user_is_told_in_the_exact_words(stage: Stage) -> None:
    token = stage.tokens()["refresh_token"]
    stage.change("UPDATE users SET blocked = true")
    blocked = stage.refresh(token)
    assert (blocked.status_code, blocked.json()["error_description"]) == (403, "user is blocked")


@proves("POST /oauth/revoke", "token", "token_type_hint", "application/json")
def test_a_revoked_family_is_refused_in_the_same_words(stage: Stage) -> None:
    token = stage.tokens()["refresh_token"]
    body = {"client_id": "native-app", "token": token, "token_type_hint": "refresh_token"}
    revoked = stage.http.post("/oauth/revoke", json=body)
    assert (revoked.status_code, revoked.content) == (200, b"")
    assert is_refused(stage.refresh(token))
