"""One rehearsal with every kind of secret in it, each of a known value, in right places and in wrong ones.

What is left behind (lines, pages, error answers, figures, the database) is kept for the tests to search.
"""

import base64
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import httpx2
from sqlalchemy import text

from authserver.settings import DEMO_TENANT
from authserver.store.engine import Database
from authserver.store.outbox import mails
from authserver.store.tables import metadata
from tests.processes import ROOT, environment, served, started
from tests.stage import ALICE, API, CALLBACK, Browser, Pkce, answer, http_client, request_parameters

PREFIX = 20
"""Characters by which a long secret is recognised when it was cut."""


@dataclass
class Play:
    """`places` is everything that was left behind, by name."""

    secrets: dict[str, str] = field(default_factory=dict)
    places: dict[str, bytes] = field(default_factory=dict)
    states: set[str] = field(default_factory=set)

    def leaks(self, place: str, besides: tuple[str, ...] = ()) -> list[str]:
        """The kinds of secrets that this place holds in any form."""
        return sorted(
            kind for kind, secret in self.secrets.items() if kind not in besides and holds(self.places[place], secret)
        )


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it may be written: plain, cut, for URLs, for JSON and SQL, and in base64 at any offset."""
    for part in {secret, secret[:PREFIX] if len(secret) >= PREFIX else secret}:
        yield part.encode()
        yield quote(part, safe="").encode()
        yield quote_plus(part).encode()
        yield part.encode().hex().encode()
        for offset in range(3):
            for encoded in (base64.b64encode, base64.urlsafe_b64encode):
                # The first and last digits depend on what stands beside.
                yield encoded(b"\0" * offset + part.encode())[offset + bool(offset) : -4]


def holds(haystack: bytes, secret: str) -> bool:
    return any(form in haystack for form in forms(secret))


def play(directory: Path, database_url: str) -> Play:
    """Perform it. Both servers have ended when this returns."""
    played, password = Play(), "Canary-" + secrets.token_urlsafe(9)
    played.secrets |= {"password": password, "wrong password": "Wrong-" + secrets.token_urlsafe(9)}
    tenant = directory / "tenant.yaml"
    tenant.write_text(DEMO_TENANT.read_text().replace("password: understudy", f"password: {password}"))
    seeding = {"AUTHSERVER_DATABASE_URL": database_url, "AUTHSERVER_TENANT": str(tenant)}
    seed = [sys.executable, "-m", "authserver", "seed", "--issuer", "http://127.0.0.1:1/"]
    seeded = subprocess.run(seed, env=environment(**seeding), cwd=ROOT, capture_output=True, text=True, check=True)
    played.secrets |= {
        f"secret of {c}": s for c, s in re.findall(r"client_id=(\S+) client_secret=(\S+)", seeded.stdout)
    }
    notes = f"sqlite:///{directory / 'notes.db'}"
    with ExitStack() as stack:
        server = stack.enter_context(served(directory, "--log-level", "debug", **seeding))
        talkative = {"API_ISSUER": server.issuer, "API_DATABASE_URL": notes, "API_LOG_LEVEL": "debug"}
        api = stack.enter_context(started(directory, "api", **talkative))
        actor = _Actor(played, Browser(server.issuer), stack.enter_context(http_client()), api.url)
        actor.right_places()
        actor.mailed_links(database_url)
        actor.wrong_places()
        _break(database_url)
        with suppress(httpx2.HTTPError):
            actor.wrong_places()
        actor.browser.http.close()
        assert (api.stop(), server.stop()) == (0, 0)
        played.places["stdout"] = (server.said() + api.said()).encode()
    played.places["log of authserver"] = (directory / "authserver.log").read_bytes()
    played.places["log of api"] = (directory / "api.log").read_bytes()
    _look_into(played, directory, database_url)
    return played


def _break(database_url: str) -> None:
    """From here on whatever loads a client or a user raises what nobody expects."""
    database = Database(database_url)
    with database.write() as db:
        db.execute(text("UPDATE clients SET settings = '[1]'"))
        db.execute(text("UPDATE users SET profile = '[1]'"))
    database.close()


def _look_into(played: Play, directory: Path, database_url: str) -> None:
    database = Database(database_url)
    with database.read() as db:
        rows = [repr(row) for table in metadata.sorted_tables for row in db.execute(table.select())]
    database.close()
    played.places["rows"] = "\n".join(rows).encode()
    if database.file:
        files = sorted(database.file.parent.glob(f"{database.file.name}*"))
        played.places["database files"] = b"".join(file.read_bytes() for file in files)
    played.places["notes"] = b"".join(file.read_bytes() for file in directory.glob("notes.db*"))


class _Actor:
    def __init__(self, played: Play, browser: Browser, http: httpx2.Client, api: str) -> None:
        self.played, self.browser, self.http, self.api = played, browser, http, api
        self.issuer = browser.issuer
        for client in (browser.http, http):
            client.event_hooks = {"response": [self._keep]}

    def _keep(self, response: httpx2.Response) -> None:
        """Pages, errors and figures; an answer that carries what was asked for is none of them."""
        response.read()
        kind = response.headers.get("content-type", "")
        page = response.text
        if "text/html" in kind:
            page = self._without_its_own_state(response, page)
        elif response.status_code < 400 and not response.url.path.endswith("/metrics"):
            return
        self.played.places[f"{len(self.played.places)} {response.request.method} {response.url.path}"] = page.encode()

    def _without_its_own_state(self, response: httpx2.Response, page: str) -> str:
        """A form, and links to pages of ours, name the interaction that the page's own URL names."""
        state = parse_qs(urlsplit(str(response.url)).query).get("state", [""])[0]
        self.played.states.add(state)
        hidden = f'<input type="hidden" name="state" value="{state}">'
        assert page.count(hidden) <= 1
        ours = "".join(('href="/u/[a-z/-]+[?]state=', re.escape(state), '"'))
        return re.sub(ours, "", page.replace(hidden, ""))

    def right_places(self) -> None:
        """The whole flow: log in after a mistake, redeem, call, refresh, reuse, replay."""
        known, pkce = self.played.secrets, Pkce()
        known |= {"verifier": pkce.verifier, "state of the application": "state-" + secrets.token_urlsafe(24)}
        asked = request_parameters(pkce, state=known["state of the application"])
        page = self.browser.follow(self.browser.get(self.issuer + "authorize", **asked))
        known["interaction"] = parse_qs(urlsplit(str(page.url)).query)["state"][0]
        page = self.browser.submit(page, username=ALICE, password=known["wrong password"], action="default")
        page = self.browser.log_in(page, password=known["password"])
        code = answer(self.browser.decide(page))["code"]
        known |= {"code": code} | {f"cookie {c.name}": str(c.value) for c in self.browser.http.cookies.jar}
        redemption = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        known["wrong verifier"] = secrets.token_urlsafe(40)
        self._token(**redemption, code_verifier=known["wrong verifier"])
        first = self._token(**redemption, code_verifier=pkce.verifier).json()
        known |= {name: first[name] for name in ("access_token", "id_token", "refresh_token")}
        bearer = {"Authorization": f"Bearer {first['access_token']}"}
        assert self.http.get(self.issuer + "userinfo", headers=bearer).status_code == 200
        assert self.http.get(self.api + "/notes", headers=bearer).status_code == 200
        assert self.http.post(self.api + "/notes", headers=bearer, json={"text": "note"}).status_code == 201
        second = self._token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
        known |= {f"second {name}": second[name] for name in ("access_token", "id_token", "refresh_token")}
        self._token(grant_type="refresh_token", refresh_token=first["refresh_token"])
        self._token(**redemption, code_verifier=pkce.verifier)
        secret = known["secret of backend"]
        known["basic"] = base64.b64encode(f"backend:{secret}".encode()).decode()
        credentials = {"grant_type": "client_credentials", "audience": API}
        basic = {"Authorization": f"Basic {known['basic']}"}
        machine = self.http.post(self.issuer + "oauth/token", data=credentials, headers=basic).json()
        known["machine's access token"] = machine["access_token"]
        known["wrong secret"] = secrets.token_urlsafe(48)
        wrong = {"client_id": "backend", "client_secret": known["wrong secret"]}
        self.http.post(self.issuer + "oauth/token", data={**credentials, **wrong})
        known["unknown refresh token"], known["unknown code"] = (
            "v1.M" + secrets.token_urlsafe(48),
            secrets.token_urlsafe(32),
        )
        self._token(grant_type="refresh_token", refresh_token=known["unknown refresh token"])
        self._token(grant_type="authorization_code", code=known["unknown code"], redirect_uri=CALLBACK)
        self.http.get(self.issuer + "metrics")

    def mailed_links(self, database_url: str) -> None:
        """Somebody signs up, forgets the password, and chooses a new one with the link in the mail."""
        known = self.played.secrets
        known |= {name: f"Down-{secrets.token_urlsafe(12)}-4" for name in ("first password", "second password")}
        person = {"email": "dinah@example.com", "connection": "Username-Password-Authentication"}
        signing_up = {"client_id": "native-app", "password": known["first password"], **person}
        assert self.http.post(self.issuer + "dbconnections/signup", json=signing_up).status_code == 200
        assert self.http.post(self.issuer + "dbconnections/change_password", json=person).status_code == 200
        database = Database(database_url)
        with database.read() as db:
            link = mails(db, "dinah@example.com")[-1].link or ""
        database.close()
        known["ticket"] = link.partition("?ticket=")[2]
        choice = {"ticket": known["ticket"], "password": known["second password"]}
        assert self.http.post(self.issuer + "u/reset-password", data=choice).status_code == 200
        for _ in range(2):
            assert self.http.get(link).status_code == 400
            assert self.http.post(self.issuer + "u/reset-password", data=choice).status_code == 400

    def wrong_places(self) -> None:
        """Each secret in the query, the path, the body, under wrong names, in headers, and in what is no HTTP."""
        for secret in list(self.played.secrets.values()):
            for base in (self.issuer.removesuffix("/"), self.api):
                for path in ("/userinfo", "/notes", "/oauth/token", "/authorize", "/nothing"):
                    self.http.get(base + path, params={"access_token": secret, "client_id": secret, "code": secret})
                self.http.get(f"{base}/{quote(secret, safe='')}", headers={"Referer": secret, "User-Agent": secret})
                self.http.get(base + "/me", headers={"Authorization": f"Bearer {secret}", "Traceparent": secret})
                self.http.get(base + "/me", headers={"Authorization": f"Basic {secret}", "Origin": secret})
                self.http.get(base + "/me", headers={"Authorization": secret, "Host": quote(secret, safe="")[:60]})
                self.http.get(
                    base + "/me", headers={"Authorization": f"Bearer {secret[:-3]}xyz", "Cookie": f"a={secret}"}
                )
                self.http.post(base + "/notes", json={secret: secret})
                self.http.post(base + "/notes", content=secret)
                self._no_http(base, f"GET /{secret}\0 HTTP/1.1\r\n\r\n")
                self._no_http(base, f"{secret} / HTTP/9\r\n{secret}\r\n\r\n")
            self._token(grant_type=secret, code=secret, code_verifier=secret, client_secret=secret, scope=secret)
            self._token(client_id=secret, grant_type="refresh_token", refresh_token=secret)
            self._token(grant_type="refresh_token", refresh_token=secret, scope=secret, audience=secret)
            self._token(grant_type="authorization_code", code=secret, code_verifier=secret, redirect_uri=secret)
            self.http.post(self.issuer + "oauth/token", content=f'{{"client_secret": "{secret}"')
            self.http.post(self.issuer + "oauth/revoke", data={"client_id": "native-app", "token": secret})
            self.browser.get(self.issuer + "authorize", **request_parameters(Pkce(), redirect_uri=f"http://x/{secret}"))
            self.browser.get(self.issuer + "authorize", **request_parameters(Pkce(), id_token_hint=secret))
            for path in ("u/login", "u/consent", "authorize/resume", "u/signup", "u/reset-password"):
                self.browser.get(self.issuer + path, state=secret, ticket=secret)
            fields = dict.fromkeys(("client_id", "connection", "email", "password", "user_metadata"), secret)
            self.http.post(self.issuer + "dbconnections/signup", json=fields)
            self.browser.get(self.issuer + "oidc/logout", id_token_hint=secret, state=secret)
            self.http.post(self.issuer + "u/login", data={"username": secret, "password": secret, "state": secret})
        self.http.get(self.issuer + "metrics")

    def _token(self, **parameters: str) -> httpx2.Response:
        return self.http.post(self.issuer + "oauth/token", data={"client_id": "native-app", **parameters})

    def _no_http(self, base: str, sent: str) -> None:
        address = urlsplit(base)
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
            connection.sendall(sent.encode())
            connection.recv(65536)
