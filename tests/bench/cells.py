"""Who is measured with what: a cell is a route, a server and a number of connections."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.http import Sample, Story, WrongAnswerError, get, play, post
from tests.bench.servers import NODE, Server, python, running, throw_away, why_no_node
from tests.bench.stories import Provider, Tokens, both, same
from tests.bench.visitor import Visitor
from tests.postgres import Postgres

DISCOVERY, JWKS, REFRESH, FLOW, NOTES = "Discovery", "JWKS", "Refresh", "Code flow", "GET /notes"
ROUTES = (DISCOVERY, JWKS, REFRESH, FLOW, NOTES)

OURS, POSTGRES, BARE, NODES = "Understudy", "on PostgreSQL", "bare Starlette", "oidc-provider"
SIDES = (OURS, POSTGRES, BARE, NODES)

CONNECTIONS = (1, 8)
NOTES_KEPT = 3


@dataclass(frozen=True)
class Contestant:
    """One server's answer to one route. `prepare` makes as many stories as asked for; `check` looks at what they left."""

    route: str
    side: str
    server: Server
    prepare: Callable[[int], Sequence[Story]]
    check: Callable[[], None] = lambda: None

    def measure(self, connections: int, seconds: float) -> Sample:
        """Play it once. Raises WrongAnswerError."""
        sample = play(self.server.url, self.prepare(connections), seconds, self.server.cpu)
        self.check()
        return sample


@contextmanager
def contestants(*, postgresql: bool = False) -> Iterator[list[Contestant]]:
    """Everybody, started and ready; whose part is missing on this machine is left out."""
    with ExitStack() as stack:
        ours = stack.enter_context(_authserver(None))
        found = _provider(OURS, *ours)
        if postgresql:
            cluster = Postgres()
            stack.callback(cluster.close)
            found += _provider(POSTGRES, *stack.enter_context(_authserver(cluster.make("bench"))))
        if why_no_node() is None:
            server = stack.enter_context(running(["node", str(NODE / "server.mjs")], {"NODE_ENV": "production"}))
            api = {"resource": "https://notes.example/api"}
            provider = Provider(server.url, asked=api, exchanged=api)
            stack.callback(provider.close)
            found += _provider(NODES, server, provider)
        notes, body = stack.enter_context(_api(ours[1]))
        found.append(notes)
        found += stack.enter_context(_bare(ours[1], len(body)))
        yield sorted(found, key=lambda one: (ROUTES.index(one.route), SIDES.index(one.side)))


@contextmanager
def _authserver(database_url: str | None) -> Iterator[tuple[Server, Provider]]:
    with throw_away() as directory:
        environment = {
            "AUTHSERVER_DATABASE_URL": database_url or f"sqlite:///{directory / 'authserver.db'}",
            "AUTHSERVER_TENANT": str(Path(__file__).with_name("tenant.yaml")),
        }
        with running(python("authserver", "serve", "--port", "0"), environment, directory) as server:
            provider = Provider(server.url, asked={"audience": "https://notes.example/api"}, exchanged={})
            try:
                yield server, provider
            finally:
                provider.close()


def _provider(side: str, server: Server, provider: Provider) -> list[Contestant]:
    kept: list[Tokens] = []

    def told_with_tokens(story: Callable[[int, Tokens], Story]) -> Callable[[int], list[Story]]:
        def prepare(connections: int) -> list[Story]:
            kept[:] = [Tokens() for _ in range(connections)]
            return [story(number, tokens) for number, tokens in enumerate(kept)]

        return prepare

    def check() -> None:
        for tokens in kept:
            provider.check(tokens)

    return [
        Contestant(DISCOVERY, side, server, _alike(provider.discovery())),
        Contestant(JWKS, side, server, _alike(provider.keys())),
        Contestant(REFRESH, side, server, told_with_tokens(provider.refresh), check),
        Contestant(FLOW, side, server, told_with_tokens(provider.code_flow), check),
    ]


@contextmanager
def _api(issuer: Provider) -> Iterator[tuple[Contestant, bytes]]:
    with throw_away() as directory:
        environment = {"API_ISSUER": issuer.issuer, "API_DATABASE_URL": f"sqlite:///{directory / 'notes.db'}"}
        with running(python("api", "--port", "0"), environment, directory) as server, Visitor() as visitor:
            url = f"{server.url}/notes"
            bearer = {"Authorization": f"Bearer {issuer.log_in().access_token}"}
            for number in range(NOTES_KEPT):
                visitor.keep(url, {"text": f"Note {number}: something to remember"}, bearer)
            body = visitor.read(url, bearer)
            if len(json.loads(body)) != NOTES_KEPT:
                raise WrongAnswerError(f"other notes than were kept: {body!r}")
            yield Contestant(NOTES, OURS, server, _alike(same(get(url, bearer), body))), body


@contextmanager
def _bare(like: Provider, notes: int) -> Iterator[list[Contestant]]:
    """Answers of the same size as ours, to requests of the same kind."""
    tokens = like.log_in()
    size = len(json.dumps(vars(tokens)))
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token, "client_id": "bench"}
    module = "tests.bench.bare"
    with (
        throw_away() as directory,
        running(python(module, "authserver", "--port", "0"), _nowhere(directory)) as server,
        running(python(module, "api", "--port", "0"), {}) as api,
        Visitor() as visitor,
    ):

        def answers(server: Server, size: int, form: Mapping[str, str] | None = None) -> Story:
            url = f"{server.url}/json/{size}"
            return same(post(url, form) if form else get(url), visitor.read(url))

        exchange = answers(server, size, form)
        yield [
            Contestant(DISCOVERY, BARE, server, _alike(answers(server, len(like.document)))),
            Contestant(JWKS, BARE, server, _alike(answers(server, len(like.jwks)))),
            Contestant(REFRESH, BARE, server, _alike(exchange)),
            Contestant(FLOW, BARE, server, _alike(both(answers(server, 0), exchange))),
            Contestant(NOTES, BARE, api, _alike(answers(api, notes))),
        ]


def _nowhere(directory: Path) -> dict[str, str]:
    return {"AUTHSERVER_DATABASE_URL": f"sqlite:///{directory / 'unused.db'}"}


def _alike(story: Story) -> Callable[[int], list[Story]]:
    return lambda connections: [story] * connections
