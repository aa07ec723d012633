"""LO6, LO10: what stands where a hash should be opens nothing, and hashes from elsewhere are taken as they are, whole."""

import time
from collections.abc import Callable

import bcrypt
import pytest

from authserver.passwords import hash_password, verify_password
from tests.attacks.judge import is_error_page, on_sqlite
from tests.stage import ALICE, PASSWORD, Browser, Stage

UNUSABLE = ("", "!", "*", "x" * 60, "$argon2id$", "$2b$10$", "$2x$04$" + "a" * 53, "$2b$31$" + "a" * 53, "$1$abc$def")
GUESSES = ("", "nobody has this password", "!", "*", "None", "x" * 60, PASSWORD)


def set_hash(stage: Stage, password_hash: str) -> None:
    stage.change("UPDATE users SET password_hash = :to WHERE user_id LIKE '%1'", to=password_hash)


def alices_hash(stage: Stage) -> str:
    (row,) = stage.rows("SELECT password_hash FROM users WHERE user_id LIKE '%1'")
    return str(row["password_hash"])


def gets_in(stage: Stage, password: str, browser: Browser | None = None) -> bool:
    browser = browser or stage.browser()
    page = browser.follow(stage.authorize(browser, prompt="login"))
    response = browser.submit(page, username=ALICE, password=password, action="default")
    stage.change("DELETE FROM login_attempts")
    if response.status_code == 303:
        return True
    assert is_error_page(response)
    return False


@on_sqlite
def test_LO6_who_has_no_password_here_cannot_log_in_with_any(stage: Stage) -> None:
    browser = stage.browser()
    for unusable in UNUSABLE:
        set_hash(stage, unusable)
        for guess in (*GUESSES, unusable):
            assert not gets_in(stage, guess, browser), (unusable, guess)
        assert alices_hash(stage) == unusable


@pytest.mark.parametrize("guess", GUESSES)
def test_LO6_no_password_verifies_against_nothing(guess: str) -> None:
    for unusable in (None, *UNUSABLE):
        assert not verify_password(unusable, guess)


def test_LO6_having_no_password_takes_as_long_as_a_wrong_one() -> None:
    def quickest(work: Callable[[], object]) -> float:
        def once() -> float:
            began = time.process_time()
            work()
            return time.process_time() - began

        return min(once() for _ in range(5))

    kept = hash_password(PASSWORD)
    verify_password(None, "warm")
    usual = quickest(lambda: verify_password(kept, "wrong"))
    for unusable in (None, *UNUSABLE):
        assert quickest(lambda of=unusable: verify_password(of, "wrong")) > usual / 3, unusable  # type: ignore[misc]


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_LO10_a_bcrypt_hash_is_verified_as_it_is_and_replaced(stage: Stage, prefix: str) -> None:
    made = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", prefix)
    set_hash(stage, made)
    assert not gets_in(stage, PASSWORD + "x")
    assert alices_hash(stage) == made
    assert gets_in(stage, PASSWORD)
    assert alices_hash(stage).startswith("$argon2id$")
    kept = alices_hash(stage)
    assert gets_in(stage, PASSWORD)
    assert alices_hash(stage) == kept


@on_sqlite
def test_LO10_no_tail_of_a_password_is_cut_off_for_bcrypt(stage: Stage) -> None:
    """What bcrypt would not look at is refused, not ignored: 72 bytes are its end, and NUL is the end for some."""
    whole = "\u00e4" * 36
    assert len(whole.encode()) == 72
    set_hash(stage, bcrypt.hashpw(whole.encode(), bcrypt.gensalt(4)).decode())
    for longer in (whole + "x", whole + "\0", whole + "\u00e4" * 100, whole[:-1], whole[:-1] + "\0", ""):
        assert not gets_in(stage, longer), longer
    assert gets_in(stage, whole)
    set_hash(stage, bcrypt.hashpw(b"short", bcrypt.gensalt(4)).decode())
    assert not gets_in(stage, "short\0tail")
    assert gets_in(stage, "short")
    # Kept with Argon2 from then on, every byte counts.
    assert not gets_in(stage, "short\0tail")
