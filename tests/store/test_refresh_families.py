"""Security case B28: random interleavings of logins, exchanges, reuse, revocation, time, settings, restarts and
sweeps, compared with the reference model after every step.

At least 10,000 steps on SQLite and 2,000 on PostgreSQL in CI, fewer in `make test`. The seed is printed; `REFRESH_FAMILIES_SEED=N` plays it again.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from authserver.dialects import POLICIES
from authserver.errors import InvalidGrant
from authserver.grants import refresh_token as grant_type
from authserver.messages import Params, TokenRequest
from authserver.settings import Settings as ServerSettings
from authserver.store import issued
from authserver.store.engine import Database
from authserver.store.issued import Grant
from authserver.store.registered import find_client, find_user
from authserver.store.sweep import sweep
from authserver.tenant import Tenant
from authserver.tokens import mint
from tests.conftest import Prepared
from tests.stage import Clock
from tests.store.model import Model, Settings, Token

STEPS = {"sqlite": 10_000, "postgresql": 2_000}
FEWER = {"sqlite": 1_500, "postgresql": 500}
USERS = ("alice", "bob")
CLIENT = "native-app"


class Server:
    """The real grant on a real database, for one run: its users are new, so that runs do not meet."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url, self.clock = url, clock
        self.run = secrets.token_hex(8)
        self.tokens: dict[Token, str] = {}
        self.start()
        with self.tenant.database.write() as db:
            for user in USERS:
                values = {"id": f"{user}-{self.run}", "now": clock.now}
                db.execute(text(_NEW_USER), values)

    def start(self) -> None:
        server_settings = ServerSettings(issuer="http://127.0.0.1:1/", database_url=self.url)
        database = Database(self.url)
        self.tenant = Tenant(server_settings.issuer, server_settings, POLICIES["auth0"], database, now=self.clock)

    def restart(self) -> None:
        self.tenant.database.close()
        self.start()

    def configure(self, changed: Settings) -> None:
        block: dict[str, Any] = {
            "rotation_type": "rotating" if changed.rotating else "non-rotating",
            "leeway": changed.leeway,
            "infinite_token_lifetime": changed.lifetime is None,
            "infinite_idle_token_lifetime": changed.idle is None,
        }
        if changed.lifetime is not None:
            block["token_lifetime"] = changed.lifetime
        if changed.idle is not None:
            block["idle_token_lifetime"] = changed.idle
        registered = {"grant_types": ["refresh_token"], "refresh_token": block}
        with self.tenant.database.write() as db:
            values = {"settings": json.dumps(registered), "id": CLIENT}
            db.execute(text("UPDATE clients SET settings = :settings WHERE client_id = :id"), values)

    def block(self, user: str, *, blocked: bool) -> None:
        with self.tenant.database.write() as db:
            values = {"blocked": blocked, "id": f"{user}-{self.run}"}
            db.execute(text("UPDATE users SET blocked = :blocked WHERE user_id = :id"), values)

    def log_in(self, user: str, token: Token) -> None:
        """What redeeming a code writes.

        Without openid and audience nothing is signed, which keeps ten thousand steps quick.
        """
        now = self.clock()
        grant = Grant(
            secrets.token_hex(8), CLIENT, f"{user}-{self.run}", None, "offline_access", "sid", now, False, now
        )
        with self.tenant.database.read() as db:
            client, person = find_client(db, CLIENT), find_user(db, grant.user_id)
            assert client
            assert person
            minted = mint(db, self.tenant, client, person, grant, ("offline_access",), now=now)
        with self.tenant.database.write() as db:
            issued.add(db, grant, *minted.rows)
        assert minted.response.refresh_token
        self.tokens[token] = minted.response.refresh_token

    def exchange(self, token: Token) -> tuple[bool, str | None]:
        """Whether it was accepted, and the new refresh token if there was one."""
        with self.tenant.database.read() as db:
            client = find_client(db, CLIENT)
        assert client
        request = TokenRequest("refresh_token", Params([("refresh_token", self.tokens[token])]))
        try:
            response = grant_type.exchange(request, client, self.tenant)
        except InvalidGrant:
            return False, None
        return True, response.refresh_token

    def revoke(self, token: Token) -> None:
        with self.tenant.database.write() as db:
            found = issued.find_refresh_token(db, issued.digest(self.tokens[token]))
            if found:
                issued.revoke_grant(db, found[1].grant_id, self.clock())

    def sweep(self) -> None:
        with self.tenant.database.write() as db:
            sweep(db, self.clock(), self.tenant.settings)

    def spent(self, token: Token) -> tuple[bool, bool] | None:
        """Whether the token is spent, and whether its grant is revoked; None when it was swept."""
        with self.tenant.database.read() as db:
            found = issued.find_refresh_token(db, issued.digest(self.tokens[token]))
        return (found[0].used_at is not None, found[1].revoked_at is not None) if found else None


_NEW_USER = """
INSERT INTO users (user_id, username_key, password_hash, profile, blocked, created_at, updated_at)
VALUES (:id, :id, '', '{}', FALSE, :now, :now)
"""

SETTINGS = st.builds(
    Settings,
    rotating=st.sampled_from([True, True, False]),
    leeway=st.sampled_from([0, 5, 5]),
    lifetime=st.sampled_from([None, 400, 400]),
    idle=st.sampled_from([None, None, 300]),
)


def machine(url: str, clock: Clock, counted: list[int]) -> type[RuleBasedStateMachine]:
    class RefreshFamilies(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.server = Model(), Server(url, clock)
            self.model.now = clock.now
            self.server.configure(self.model.settings)

        def pick(self, data: st.DataObject) -> Token:
            """Mostly the newest living tokens: that is where the rules are."""
            newest_first = list(reversed(self.model.tokens))
            alive = [token for token in newest_first if not (token.family.revoked or token.revoked)]
            few = (alive or newest_first)[: data.draw(st.sampled_from([1, 2, 4, 16]))]
            return data.draw(st.sampled_from(few))

        @rule(user=st.sampled_from(USERS))
        def log_in(self, user: str) -> None:
            self.server.log_in(user, self.model.log_in(user))

        def present(self, token: Token) -> None:
            expected = self.model.exchange(token)
            accepted, new = self.server.exchange(token)
            assert accepted == (expected is not None), f"model {expected}, server accepted: {accepted}"
            assert (new is not None) == (expected not in (None, token))
            if expected and new:
                self.server.tokens[expected] = new

        @precondition(lambda self: self.model.tokens)
        @rule(data=st.data(), times=st.sampled_from([1, 1, 1, 2, 3, 7]))
        def exchange(self, data: st.DataObject, times: int) -> None:
            token = self.pick(data)
            for _ in range(times):
                self.present(token)

        @precondition(lambda self: any(token.children for token in self.model.tokens))
        @rule(data=st.data())
        def exchange_child_then_parent(self, data: st.DataObject) -> None:
            child = data.draw(st.sampled_from([token for token in self.model.tokens if token.parent][-6:]))
            assert child.parent
            self.present(child)
            self.present(child.parent)

        @rule(seconds=st.sampled_from([1, 1, 4, 5, 6, 60, 199, 300]))
        def wait(self, seconds: int) -> None:
            clock.advance(seconds)
            self.model.now = clock.now

        @rule(changed=SETTINGS)
        def configure(self, changed: Settings) -> None:
            self.model.settings = changed
            self.server.configure(changed)

        @rule(
            what=st.sampled_from(["restart", "sweep", "sweep later", "block", "unblock", "unblock", "revoke"]),
            data=st.data(),
        )
        def operate(self, what: str, data: st.DataObject) -> None:
            """What happens seldom, so that most steps meet living tokens."""
            user = data.draw(st.sampled_from(USERS))
            if what == "restart":
                self.server.restart()
            elif what == "sweep":
                self.server.sweep()
            elif what == "sweep later":
                clock.advance(2 * 86400)
                self.model.now = clock.now
                self.server.sweep()
            elif what == "block":
                self.model.blocked.add(user)
                self.server.block(user, blocked=True)
            elif what == "unblock":
                self.model.blocked.clear()
                for each in USERS:
                    self.server.block(each, blocked=False)
            elif self.model.tokens:
                token = self.pick(data)
                self.model.revoke(token)
                self.server.revoke(token)

        @invariant()
        def rows_agree(self) -> None:
            counted[0] += 1
            for token in self.model.tokens[-8:]:
                expected = (token.used_at is not None, token.family.revoked)
                assert self.server.spent(token) in (expected, None if self.model.may_be_forgotten(token) else expected)

        def teardown(self) -> None:
            self.server.tenant.database.close()

    return RefreshFamilies


def test_B28_random_interleavings_agree_with_the_model(
    prepared: Prepared, backend: str, tmp_path: Path, thorough: bool
) -> None:
    steps = (STEPS if thorough else FEWER)[backend]
    seed = int(os.environ["REFRESH_FAMILIES_SEED"])
    clock, counted = Clock(), [0]
    url = prepared.copy(tmp_path)
    profile = settings(
        max_examples=steps // 100 + 2,
        stateful_step_count=100,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    while counted[0] < steps:
        play = hypothesis_seed(seed + counted[0])(machine(url, clock, counted))
        print(f"REFRESH_FAMILIES_SEED={seed + counted[0]} on {backend}")  # noqa: T201 - the seed is worth seeing
        run_state_machine_as_test(play, settings=profile)
    print(f"{counted[0]} steps on {backend} without a difference")  # noqa: T201 - likewise
    assert counted[0] >= steps
