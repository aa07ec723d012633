"""The site: what belongs together while the page is up, and the native app as one browser may use it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from client.app import NativeApp
from client.serve.address import Address
from client.serve.browser import Browser, OwnTokens
from client.serve.logins import OpenLogins
from client.serve.told import Recent, Step, step_of
from client.settings import Settings
from client.store import Store


@dataclass
class Site:
    settings: Settings
    store: Store
    address: Address
    now: Callable[[], float] = time.time
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        self.logins = OpenLogins(self.now)

    def own_tokens(self, browser: Browser) -> OwnTokens:
        return OwnTokens(self.store, browser.session)

    def app(self, browser: Browser) -> NativeApp:
        """For one visit, so that metadata are never older than that."""
        return self.app_for(self.settings, self.own_tokens(browser), self.recent.add)

    def app_for(self, settings: Settings, store: Store, tell: Callable[[Step], None]) -> NativeApp:
        return NativeApp(
            settings,
            store,
            now=self.now,
            on_exchange=lambda exchange: tell(step_of(exchange, settings.api_url)),
        )
