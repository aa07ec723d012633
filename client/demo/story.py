"""The story: every step is a claim about the three programs, and the demo fails when one does not hold."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from client.app import NativeApp
from client.demo.person import USER_AGENT, Person
from client.demo.telling import Teller
from client.errors import InsufficientScopeError, LoginNeededError, RefusedError
from client.login import LoggedIn, PendingLogin, open_in_background
from client.store import TokenSet
from client.telling import decoded
from client.wire import Exchange

USERNAME, PASSWORD = "alice@example.com", "understudy"  # the demo tenant's public constants
PERSON_SECONDS = 15 * 60.0
SCRIPT_SECONDS = 60.0


class StepFailedError(Exception):
    def __init__(self, step: str, expected: str, got: str) -> None:
        super().__init__(f"{step}: expected {expected}, got {got}")
        self.step = step
        self.expected = expected
        self.got = got


class Story:
    def __init__(self, app: NativeApp, teller: Teller, open_browser: Callable[[str], object] | None) -> None:
        self._app = app
        self._teller = teller
        self._open_browser = open_browser  # None: nobody is there, a script plays the person
        self._person = Person(USERNAME, PASSWORD, teller.record)

    def run(self) -> None:
        try:
            self._tell()
        except StepFailedError:
            raise
        except Exception as problem:
            self._teller.wire(self._teller.take())
            got = f"{type(problem).__name__}: {problem}"
            raise self._failure("a step without an error", got) from problem
        finally:
            self._person.close()

    def _tell(self) -> None:
        self._discover()
        tokens = self._log_in().tokens
        self._look_inside(tokens)
        note = self._call_the_api()
        self._want_too_much(note)
        self._refresh(tokens)
        self._steal(tokens)
        self._log_in_again()
        self._log_out()
        self._teller.say("")
        self._teller.good(f"All {self._teller.step} steps did what they should.")

    def _discover(self) -> None:
        self._teller.heading(
            "The app asks the server who it is",
            "One URL is all the app knows. The server names its endpoints and abilities; the app goes on only if the "
            "issuer is exactly the one it asked and PKCE with S256 is offered.",
            "OpenID Connect Discovery 1.0 §4, RFC 8414 §3.3",
        )
        metadata = self._app.metadata
        (exchange,) = self._teller.take()
        self._teller.say(f"  → GET {exchange.url}\n  ← {exchange.status}, of which the app uses:")
        self._teller.pairs(
            "metadata",
            {
                "issuer": metadata.issuer,
                "authorization_endpoint": metadata.authorization_endpoint,
                "token_endpoint": metadata.token_endpoint,
                "jwks_uri": metadata.jwks_uri,
            },
        )
        self._expect("issuer", self._app.settings.issuer, metadata.issuer)

    def _log_in(self) -> LoggedIn:
        teller = self._teller
        teller.heading(
            "A person logs in, in the browser",
            "The app opens a listener on this machine, then sends the browser to the server with a challenge: the "
            "hash of a random verifier that only the app knows. The password is typed at the server; the app never "
            "sees it.",
            "RFC 6749 §4.1.1 (code), RFC 7636 §4.3 (PKCE), RFC 8252 §7.3 (loopback)",
        )
        with self._app.begin_login() as pending:
            teller.take()
            teller.pairs(f"→ the browser goes to {self._app.metadata.authorization_endpoint} with", pending.parameters)
            done = self._go_through_with(pending)
        exchanges = teller.take()
        by_person = [item for item in exchanges if item.request_headers["user-agent"] == USER_AGENT]
        if by_person:
            teller.say("\n  In between, in the browser (the app sees nothing of this):")
        for item in by_person:
            if not item.url.startswith(pending.redirect_uri):
                teller.line(item)
        teller.pairs(f"← the browser comes back to {pending.redirect_uri} with", dict(done.callback))
        teller.say("")
        teller.good("state is the app's own, so the answer belongs to this login (RFC 6749 §10.12)")
        teller.good("iss is the server the app asked, so no other server mixed in (RFC 9207 §2.4)")
        self._trade(done, [item for item in exchanges if item not in by_person])
        return done

    def _trade(self, done: LoggedIn, exchanges: list[Exchange]) -> None:
        self._teller.heading(
            "The app trades the code for tokens",
            "The code came through the browser, so others may have seen it. The verifier proves that this app is the "
            "one that asked; the code alone is worth nothing. The keys are fetched to check the ID token's signature.",
            "RFC 6749 §4.1.3, RFC 7636 §4.5, OpenID Connect Core 1.0 §3.1.3.7",
        )
        self._teller.wire(exchanges)
        self._expect("logged in", USERNAME, done.tokens.identity.get("email", ""))
        self._expect("a refresh token came along", "yes", "yes" if done.tokens.refresh_token else "no")

    def _look_inside(self, tokens: TokenSet) -> None:
        self._teller.heading(
            "What the tokens say",
            "The ID token tells the app who logged in. The access token is for the API: the app does not read it, "
            "you may. Its aud names the API, its scope is what was granted.",
            "OpenID Connect Core 1.0 §2, RFC 7519 §4.1, RFC 9068 §2.2",
        )
        claims: dict[str, object] = {}
        for name, token in (("ID token", tokens.id_token), ("access token", tokens.access_token)):
            header, claims = decoded(token)
            self._teller.pairs(f"{name}: header", header)
            self._teller.pairs(f"{name}: claims", claims)
        self._teller.say("")
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        wanted = self._app.settings.audience
        self._expect("the access token is for", wanted, wanted if wanted in audience else str(audience))
        self._expect("it may delete notes", "no", "yes" if "delete:notes" in str(claims["scope"]).split() else "no")

    def _call_the_api(self) -> str:
        self._teller.heading(
            "The app calls the API",
            "The access token goes in the Authorization header, to the API and to nobody else. The API checks "
            "signature, issuer, audience, time and scope, and asks nobody.",
            "RFC 6750 §2.1",
        )
        text = f"Rehearse with {self._app.settings.client_id}"
        note = self._app.call_api("POST", "/notes", {"text": text})
        notes = self._app.call_api("GET", "/notes")
        exchanges = self._teller.take()
        self._teller.wire(exchanges)
        self._expect("the API answers", "201, 200", ", ".join(str(item.status) for item in exchanges))
        self._expect("the note is there", text, str([item["text"] for item in notes][-1:][0]))
        return str(note["id"])

    def _want_too_much(self, note: str) -> None:
        self._teller.heading(
            "The app wants more than it was granted",
            "Deleting needs the scope delete:notes. This login did not ask for it, although alice would be allowed to: "
            "a token carries what was asked for and granted, and not all that its person may do.",
            "RFC 6750 §3.1",
        )
        try:
            self._app.call_api("DELETE", f"/notes/{note}")
            got = "the note was deleted"
        except InsufficientScopeError as problem:
            got = f"{problem.status} {problem.error}, needs {problem.scope}"
        self._teller.wire(self._teller.take())
        self._expect("the API answers", "403 insufficient_scope, needs delete:notes", got)

    def _refresh(self, tokens: TokenSet) -> None:
        self._teller.heading(
            "The app refreshes",
            "Access tokens are short-lived. The refresh token brings a new one without the person, and is itself "
            "replaced: each one works once.",
            "RFC 6749 §6, RFC 9700 §4.14.2 (rotation)",
        )
        newer = self._app.refresh()
        exchanges = self._teller.take()
        for item in exchanges:
            (self._teller.exchange if item.method == "POST" else self._teller.line)(item)
        rotated = newer.refresh_token not in (None, tokens.refresh_token)
        self._expect("the refresh token was replaced", "yes", "yes" if rotated else "no")
        self._app.call_api("GET", "/notes")
        (call,) = self._teller.take()
        self._expect("the API takes the new access token", "200", str(call.status))

    def _steal(self, old: TokenSet) -> None:
        self._teller.heading(
            "Somebody uses the old refresh token",
            "A used refresh token that turns up again means that two parties hold it, and the server cannot tell the "
            "thief from the owner. So it ends the whole family: the old token and everything that came from it.",
            "RFC 9700 §4.14.2, RFC 6749 §10.4",
        )
        self._expect("the old token", "invalid_grant", self._try_to_refresh(old))
        try:
            self._app.refresh()
            got = "was accepted"
        except LoginNeededError:
            got = "invalid_grant"
        self._teller.wire(self._teller.take())
        self._expect("the new token", "invalid_grant", got)
        gone = self._app.store.load() is None
        self._expect("the app has forgotten its tokens", "yes", "yes" if gone else "no")

    def _log_in_again(self) -> None:
        self._teller.heading(
            "The person logs in again",
            "Only a person can start a new family. The browser still has its session at the server, so no password is "
            "asked; but a native app on a loopback address cannot prove its name, so consent is asked each time.",
            "RFC 8252 §8.6, OpenID Connect Core 1.0 §3.1.2.4",
        )
        with self._app.begin_login() as pending:
            done = self._go_through_with(pending)
        exchanges = self._teller.take()
        for item in exchanges:
            self._teller.line(item)
        if self._open_browser is None:
            asked = any(item.url.startswith(f"{self._app.settings.issuer}u/consent") for item in exchanges)
            self._expect("consent was asked again", "yes", "yes" if asked else "no")
        self._expect("logged in", USERNAME, str(done.tokens.identity.get("email")))

    def _log_out(self) -> None:
        self._teller.heading(
            "The person logs out",
            "The app tells the server to revoke the refresh token and forgets its own copy, in this order and in any "
            "case. Afterwards the token is tried once more, to be sure.",
            "RFC 7009 §2",
        )
        tokens = self._app.tokens()
        result = self._app.logout()
        self._teller.wire(self._teller.take())
        self._expect("the server was told", "yes", "yes" if result.problem is None else str(result.problem))
        self._expect("the revoked token", "invalid_grant", self._try_to_refresh(tokens))
        gone = self._app.store.load() is None
        self._expect("nothing is stored any more", "yes", "yes" if gone else "no")

    def _try_to_refresh(self, tokens: TokenSet) -> str:
        """Past the app's store, as somebody with a copy of the token would."""
        try:
            self._app.token_endpoint.refresh(str(tokens.refresh_token))
        except RefusedError as problem:
            return problem.error
        finally:
            self._teller.wire(self._teller.take())
        return "was accepted"

    def _go_through_with(self, pending: PendingLogin) -> LoggedIn:
        if self._open_browser:
            self._teller.say(
                f"\nYour turn: log in as {USERNAME} with the password {PASSWORD}. If no browser opens, open this:"
            )
            self._teller.url(pending.url)
            self._teller.say("Waiting for you … (Ctrl-C ends the demo)")
            open_in_background(self._open_browser, pending.url)
            return pending.finish(PERSON_SECONDS)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(pending.finish, SCRIPT_SECONDS)
            try:
                self._person.log_in(pending.url)
            except BaseException:
                pending.give_up()
                raise
            return waiting.result()

    def _expect(self, what: str, expected: str, got: str) -> None:
        if expected != got:
            raise self._failure(f"{what}: {expected}", f"{what}: {got}")
        self._teller.good(f"{what}: {got}")

    def _failure(self, expected: str, got: str) -> StepFailedError:
        return StepFailedError(f"{self._teller.step} ({self._teller.title})", expected, got)
