"""AZ1, AZ2, AZ4-AZ16, AZ39: nobody is redirected anywhere that is not registered (RFC 9700 §4.1, §4.11)."""

import time

import pytest

from tests.attacks import corpora
from tests.attacks.judge import (
    ask,
    ask_with_redirect_uri,
    both_dialects,
    goes_on,
    is_error_page,
    nothing_changes,
    on_sqlite,
)
from tests.stage import CALLBACK, Pkce, Stage, answer

pytestmark = [both_dialects, on_sqlite]

IPV6 = "http://[::1]:8400/callback"
HTTPS = "https://app.example/cb"
NOT_OURS = "https://evil.test/callback"


def refused(stage: Stage, *redirect_uris: str | bytes) -> list[str | bytes]:
    """The URIs that were *not* answered by a page, after the registered one was seen to be accepted."""
    assert goes_on(stage, ask(stage))
    with nothing_changes(stage):
        return [uri for uri in redirect_uris if not is_error_page(ask_with_redirect_uri(stage, uri))]


def test_AZ1_an_unknown_or_deleted_client_ends_on_a_page(stage: Stage) -> None:
    assert goes_on(stage, ask(stage))
    with nothing_changes(stage):
        for unknown in (
            "nobody",
            "NATIVE-APP",
            "native-app ",
            "native%2Dapp",
            "native-app\x00",
            "' OR 1=1 --",
            "",
            None,
        ):
            assert is_error_page(ask(stage, client_id=unknown)), unknown
    stage.change("DELETE FROM clients WHERE client_id = 'native-app'")
    assert is_error_page(ask(stage))


def test_AZ2_the_redirect_uri_is_judged_before_any_other_mistake(stage: Stage) -> None:
    mistakes: list[dict[str, str | None]] = [
        {"scope": 'openid "'},
        {"scope": "unknown:scope"},
        {"scope": None},
        {"response_type": "token"},
        {"response_type": None},
        {"response_mode": "bogus"},
        {"audience": "https://unknown.example/"},
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"prompt": "none"},
        {"prompt": "none login"},
        {"max_age": "-1"},
        {"request": "e30."},
        {"request_uri": "https://evil.test/request"},
        {"state": "\x00"},
    ]
    with nothing_changes(stage):
        for mistake in mistakes:
            response = ask_with_redirect_uri(stage, NOT_OURS, **mistake)
            assert is_error_page(response), mistake
            assert "evil.test" not in response.text
        for name in ("scope", "state", "response_type", "nonce"):
            assert is_error_page(ask(stage, ("redirect_uri", NOT_OURS), (name, "again"), redirect_uri=None)), name
    # The same mistakes do go back to an application that is known.
    assert answer(ask(stage, response_type="token"))["error"] == "unsupported_response_type"


def test_AZ2_an_exception_inside_never_redirects_to_an_unregistered_uri(stage: Stage) -> None:
    stage.change("ALTER TABLE resource_servers RENAME TO elsewhere")
    assert is_error_page(ask_with_redirect_uri(stage, NOT_OURS))
    broken = ask(stage)
    assert broken.status_code >= 500
    assert "evil.test" not in broken.headers.get("location", "")
    assert "Traceback" not in broken.text


def test_AZ4_path_confusion_ends_on_a_page(stage: Stage) -> None:
    stage.configure_client("native-app", callbacks=[CALLBACK, IPV6, HTTPS, "com.example.notes://callback"])
    registered = (CALLBACK, IPV6, HTTPS, "com.example.notes://callback")
    assert refused(stage, *(uri + path for uri in registered for path in corpora.PATHS)) == []
    assert all(goes_on(stage, ask(stage, redirect_uri=uri)) for uri in registered)


def test_AZ5_only_simple_string_comparison_counts(stage: Stage) -> None:
    stage.configure_client("native-app", callbacks=[CALLBACK, IPV6, HTTPS])
    tried = {spelling for uri in (CALLBACK, IPV6, HTTPS) for spelling in corpora.spellings(uri)}
    assert refused(stage, *sorted(tried)) == []
    assert all(goes_on(stage, ask(stage, redirect_uri=uri)) for uri in (CALLBACK, IPV6, HTTPS))


def test_AZ6_nobody_may_append_parameters_to_a_registered_uri(stage: Stage) -> None:
    queries = (
        "?code=attacker",
        "?",
        "?state=x&code=y",
        "?iss=https://evil.test/",
        "?x#",
        "%3Fcode=attacker",
        "&code=attacker",
    )
    assert refused(stage, *(CALLBACK + query for query in queries)) == []


def test_AZ7_a_registered_query_is_kept_byte_for_byte(stage: Stage) -> None:
    registered = "http://127.0.0.1:8400/callback?tenant=a%20b+c&empty=&%C3%A4=%c3%a4"
    stage.configure_client("native-app", callbacks=[registered])
    pkce, browser = Pkce(), stage.browser()
    back = browser.decide(browser.log_in(stage.authorize(browser, pkce, redirect_uri=registered)))
    assert back.headers["location"].startswith(registered + "&code=")
    said = answer(back)
    assert (said["tenant"], said["state"]) == ("a b c", "af0ifjsldkj")
    assert stage.redeem(said["code"], pkce, redirect_uri=registered).status_code == 200
    refusal = stage.authorize(stage.browser(), redirect_uri=registered, response_type="token")
    assert refusal.headers["location"].startswith(registered + "&error=unsupported_response_type&")
    assert refused_without_query(stage, registered)


def refused_without_query(stage: Stage, registered: str) -> bool:
    others = (registered.partition("?")[0], registered + "&", registered.replace("%c3", "%C3"), registered + "&x=1")
    return all(is_error_page(ask(stage, redirect_uri=other)) for other in others)


def test_AZ9_a_loopback_literal_leaves_the_port_open_in_the_rfc_dialect_alone(stage: Stage) -> None:
    stage.configure_client("native-app", callbacks=[CALLBACK, IPV6])
    for uri in ("http://127.0.0.1:49152/callback", "http://[::1]:1/callback", "http://127.0.0.1:65535/callback"):
        if stage.dialect == "auth0":
            assert is_error_page(ask(stage, redirect_uri=uri)), uri
        else:
            assert goes_on(stage, ask(stage, redirect_uri=uri)), uri
    wrong = ("127.0.0.1:49152/", "127.0.0.1:49152/callback/x", "127.0.0.1:65536/callback", "127.0.0.1:99999/callback")
    odd = ("127.0.0.1:0/callback", "127.0.0.1:/callback", "127.0.0.1:049152/callback", "127.0.0.1:49152?/callback")
    assert refused(stage, *(f"http://{rest}" for rest in (*wrong, *odd))) == []
    if stage.dialect == "rfc":
        pkce, browser, uri = Pkce(), stage.browser(), "http://127.0.0.1:49152/callback"
        back = browser.decide(browser.log_in(stage.authorize(browser, pkce, redirect_uri=uri)))
        assert back.headers["location"].startswith(uri + "?code=")
        code = answer(back)["code"]
        assert stage.bad_grant(stage.redeem(code, pkce))  # the port is part of what must be repeated
        assert stage.redeem(code, pkce, redirect_uri=uri).status_code == 200


def test_AZ10_parsers_that_disagree_never_meet(stage: Stage) -> None:
    stage.configure_client(
        "native-app", callbacks=[CALLBACK, IPV6, "http://localhost/callback", "http://127.0.0.1/callback"]
    )
    assert refused(stage, *corpora.DIFFERENTIALS) == []


def test_AZ10_a_registered_uri_with_a_user_part_is_still_refused(stage: Stage) -> None:
    """The raw gate stands by itself: whatever found its way into the registration, these bytes lead nowhere."""
    dangerous = ["http://evil.test\\@127.0.0.1:8400/callback", "http://user@127.0.0.1:8400/callback", CALLBACK + "#x"]
    stage.configure_client("native-app", callbacks=[CALLBACK, *dangerous])
    assert refused(stage, *dangerous) == []


def test_AZ11_other_spellings_of_loopback_are_other_uris(stage: Stage) -> None:
    stage.configure_client("native-app", callbacks=[CALLBACK, IPV6, "http://localhost:8400/callback"])
    hosts = [f"http://{host}:8400/callback" for host in corpora.LOOPBACKS]
    assert refused(stage, *hosts, "HTTP://127.0.0.1:8400/callback", "http://127.0.0.1:08400/callback") == []


def test_AZ12_no_loopback_stands_for_another(stage: Stage) -> None:
    spellings = {host: f"http://{host}:8400/callback" for host in ("127.0.0.1", "[::1]", "localhost")}
    for registered in spellings.values():
        stage.configure_client("native-app", callbacks=[registered])
        assert goes_on(stage, ask(stage, redirect_uri=registered))
        for other in set(spellings.values()) - {registered}:
            assert is_error_page(ask(stage, redirect_uri=other)), (registered, other)


def test_AZ14_no_odd_byte_passes_and_none_reaches_location(stage: Stage) -> None:
    step = 1 if stage.dialect == "rfc" else 4  # one matches more freely than the other
    assert refused(stage, *list(corpora.bytes_everywhere("http", "127.0.0.1", "8400", "/callback"))[::step]) == []
    hostile = ask(stage, ("state", b"a\r\nSet-Cookie: x=y\r\n\r\n<script>"), state=None)
    assert "set-cookie" not in hostile.headers
    assert not any(ch < " " for ch in hostile.headers.get("location", ""))


def test_AZ14_a_registered_uri_with_odd_bytes_is_still_refused(stage: Stage) -> None:
    odd = [
        f"http://127.0.0.1:8400/call{byte}back"
        for byte in (" ", "\t", "\r\n", "\x00", "\x7f", "\x85", "\u00e4", "\u202e")
    ]
    stage.configure_client("native-app", callbacks=[CALLBACK, *odd])
    assert refused(stage, *odd) == []


def test_AZ15_port_freedom_is_for_http_on_a_loopback_literal_alone(stage: Stage) -> None:
    registered = [
        "https://app.example:8400/callback",
        "http://localhost:8400/callback",
        "https://127.0.0.1:8400/callback",
        "http://localhost.evil.test:8400/callback",
        "http://127.0.0.1.nip.io:8400/callback",
        "com.example.notes://127.0.0.1:8400/callback",
    ]
    stage.configure_client("native-app", callbacks=[CALLBACK, *registered])
    assert (
        refused(stage, *(uri.replace(":8400", port) for uri in registered for port in (":8500", "", ":443", ":80")))
        == []
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_AZ16_two_client_ids_or_redirect_uris_end_on_a_page(stage: Stage, method: str) -> None:
    good = stage.parameters()
    for name in ("client_id", "redirect_uri"):
        for second in (good[name], "spa", NOT_OURS, ""):
            with nothing_changes(stage):
                if method == "GET":
                    response = ask(stage, (name, second))
                else:
                    response = stage.http.post("/authorize", params={name: second}, data=good)
                assert is_error_page(response), (name, second)


def test_AZ39_pathological_uris_cost_nothing(stage: Stage) -> None:
    pathological = [
        "http://[::::" + ":" * 5000,
        "http://" + "a" * 65536 + "/callback",
        "http://127.0.0.1:8400/" + "%25" * 20000,
        "http://127.0.0.1:" + "9" * 60000 + "/callback",
        "http://" + "127.0.0.1:8400/" * 4000 + "callback",
        CALLBACK + "?" + "a=b&" * 15000,
        "http://" + "a." * 30000 + "!",
        "http" * 16000 + "://",
    ]

    def cost(uri: str) -> float:
        """Processor time of this whole process, client and server, so that a busy machine does not count."""
        times = []
        for _ in range(3):
            started = time.process_time()
            assert is_error_page(stage.http.post("/authorize", data=stage.parameters(redirect_uri=uri))), uri[:40]
            times.append(time.process_time() - started)
        return min(times)

    # Merely carrying so many bytes, percent-encoded, takes what it takes.
    carrying = cost("%" * 60_000)
    for uri in pathological:
        assert cost(uri) < max(0.05, 3 * carrying), uri[:40]
