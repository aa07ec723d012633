"""Mutants of `problems`: a mistake of the client that nobody is told of, and an alarm that nobody deserves."""

from tests.mutants.mutant import Edit, Mutant, tests

_ASKING = "authserver/testing/problems_asking.py"
_REDEEMING = "authserver/testing/problems_redeeming.py"
_SENDING = "authserver/testing/problems_sending.py"
_NAMED = tests("harness/test_problems.py", "a_mistake_is_named_and_no_other")


def _never(rule: str, file: str, old: str, new: str) -> Mutant:
    return Mutant(f"problems-{rule}", f"Nobody is told of {rule}.", (Edit(file, old, new),), _NAMED)


def _alarm(name: str, sentence: str, file: str, old: str, new: str, test: str) -> Mutant:
    return Mutant(f"problems-{name}", sentence, (Edit(file, old, new),), tests("harness/test_no_problems.py", test))


PROBLEMS = (
    _never("no-pkce", _ASKING, '"code" in kinds and not asked.get("code_challenge")', "False"),
    _never("no-csrf-protection", _ASKING, 'not asked.get("state") and not asked.get("nonce")', "False"),
    _never("pkce-plain", _ASKING, 'asked.get("code_challenge_method") != "S256"', "False"),
    _never("no-nonce", _ASKING, 'OPENID in _words(asked, "scope") and', "False and"),
    _never("implicit-flow", _ASKING, 'kinds & {"token", "id_token"}', "False"),
    _never("http-redirect", _ASKING, 'scheme == "http" and host', 'scheme == "never" and host'),
    _never("localhost-redirect", _ASKING, 'host == "localhost"', "False"),
    _never("unregistered-redirect", _ASKING, "request.refusal == UntrustedRequest.__name__", "False"),
    _never("unknown-scope", _ASKING, "if scopes is not None and any(", "if False and any("),
    _never("reused", _ASKING, "in values and not is_covered", "in () and not is_covered"),
    _never("reused-in-all", _ASKING, "is_complete and login in complete", "False"),
    _never("malformed-verifier", _REDEEMING, "VERIFIER_MALFORMED in exchange.facts", "False"),
    _never("code-reused", _REDEEMING, "if key in done", "if False"),
    _never("refresh-token-reused", _REDEEMING, "token in done - lost", "False"),
    _never("other-redirect-uri", _REDEEMING, "exchange.refusal == BadRedirectUri.__name__", "False"),
    _never("password-grant", _REDEEMING, 'parameters(exchange).get("grant_type") in _PASSWORD', "False"),
    _never("public-client-secret", _REDEEMING, 'client.token_endpoint_auth_method == "none"', "False"),
    _never("two-credentials", _REDEEMING, "if in_header and in_body", "if False"),
    _never("polling-too-fast", _REDEEMING, "exchange.refusal == SlowDown.__name__", "False"),
    _never("token-in-query", _SENDING, "if said & (_TOKENS", "if set() & (_TOKENS"),
    _never("secret-in-query", _SENDING, "if said & _SECRETS", "if False"),
    _never("parameter-twice", _SENDING, "isinstance(value, list) and", "False and"),
    _never("wrong-kind-of-token", _SENDING, 'kinds.get(each.presented.get(kind, ""), kind) != kind', "False"),
    Mutant(
        "problems-bait",
        "A code that was bait is redeemed, and nobody is told.",
        (Edit(_REDEEMING, "if bait := known.baits.get(", "if bait := {}.get("),),
        tests("harness/test_tampering.py", "a_careless_application_is_told_what_it_did_not_check"),
    ),
    Mutant(
        "problems-tamper",
        "A callback that is to be spoiled stays as it was.",
        (
            Edit(
                "authserver/testing/tampering.py",
                "walked.parameters = _changed(walked.parameters, tamper)\n",
                "pass\n",
            ),
        ),
        tests("harness/test_tampering.py", "a_careful_application_has_no_problem"),
    ),
    Mutant(
        "DE4-problems",
        "What is known of one tenant's exchanges is everybody's.",
        (
            Edit(
                "authserver/testing/control/problems.py",
                "judge(of.recording.all(), Known(",
                "judge(SEEN.extend(of.recording.all()) or SEEN, Known(",
            ),
            Edit("authserver/testing/control/problems.py", "router = APIRouter()", "router = APIRouter()\nSEEN = []"),
        ),
        tests("harness/test_problems.py", "a_problem_of_one_tenant_is_in_no_other"),
    ),
    Mutant(
        "problems-plugin",
        "A suite that wants mistakes to be errors stays green.",
        (Edit("authserver/pytest_plugin.py", "pytest.fail(told(found), pytrace=False)", "pass"),),
        tests("harness/test_problems_in_pytest.py", "error_makes_a_mistake_an_error_of_the_test"),
    ),
    _alarm(
        "reload",
        "A page that is reloaded counts as another login.",
        _ASKING,
        "if login not in logins or (is_complete and login in complete):",
        "if True:",
        "a_page_that_is_reloaded_is_no_login_twice",
    ),
    _alarm(
        "state-covered",
        "A state that says where to go back to is called reused, although PKCE protects the login.",
        _ASKING,
        " and not is_covered:",
        ":",
        "state_may_carry_what_the_application_likes_where_pkce_protects",
    ),
    _alarm(
        "frozen",
        "Who polls under a clock that stands still is called impatient.",
        _REDEEMING,
        " and CLOCK_FROZEN not in exchange.facts:",
        ":",
        "nobody_can_wait_under_a_clock_that_stands_still",
    ),
    _alarm(
        "web-localhost",
        "A web application that is developed on localhost is called wrong.",
        _ASKING,
        'client.app_type == "native" and ',
        "",
        "a_web_application_may_develop_on_localhost",
    ),
    _alarm(
        "lost",
        "Who asks again because the answer was lost is called wrong.",
        "authserver/testing/problems_known.py",
        "return exchange.status != 0 and exchange.is_complete and exchange.fault is None",
        "return True",
        "who_lost_the_answer_may_ask_again",
    ),
    _alarm(
        "retry",
        "A code that was refused may not be tried again.",
        _REDEEMING,
        "if each.status == 200 and has_arrived(each):",
        "if has_arrived(each):",
        "a_refused_code_may_be_tried_again",
    ),
)
