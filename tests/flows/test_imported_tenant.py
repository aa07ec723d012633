"""An app of somebody's tenant changes its domain and nothing else: the tenant comes over while the server runs."""

from authserver import seed
from authserver.settings import Settings
from authserver.store.engine import Database
from authserver.tenant_file import Besides, credentials, read_tenant, with_users
from tests.stage import Pkce, Stage, claims
from tests.tenants import CALLBACKS, ENVIRONMENT, EXPORTED, PASSWORD, USERS

SHOP, STOCK = "ReAlShOpClIeNtId", "ReAlStOcK"
JOAO, KIM = "joao@harbour-books.test", "kim@harbour-books.test"
ORDERS = "https://orders.harbour-books.test"


def test_an_imported_tenant_is_served_at_once(stage: Stage) -> None:
    besides = Besides(credentials({"Shop (browser)": SHOP, "Stock keeper": STOCK}, None), ENVIRONMENT)
    reading = with_users(read_tenant(EXPORTED, besides), USERS)
    database = Database(stage.settings.database_url)
    settings = Settings(database_url=stage.settings.database_url, issuer=stage.issuer)
    made = seed.update(database, settings, reading, stage.clock).secrets
    database.close()

    batch = stage.http.post(
        "/oauth/token",
        auth=(STOCK, made[STOCK]),
        data={"grant_type": "client_credentials", "audience": "urn:harbour:stock"},
    )
    assert batch.status_code == 200, batch.text
    assert batch.json()["scope"] == "read:stock"

    pkce = Pkce()
    shop = {"client_id": SHOP, "redirect_uri": CALLBACKS[1], "audience": ORDERS, "scope": "openid email offline_access"}
    shop["connection"] = "customers"  # the demo tenant's own database serves every client, too
    browser = stage.browser()
    page = browser.follow(stage.authorize(browser, pkce, **shop))
    refused = browser.log_in(page, KIM, PASSWORD)
    assert "code=" not in refused.headers.get("location", ""), "who has no password that can be verified has none"
    back = browser.log_in(refused, JOAO, PASSWORD)
    if "/u/consent" in str(back.url):
        back = browser.decide(back)
    assert back.headers["location"].startswith(CALLBACKS[1])
    code = back.headers["location"].partition("code=")[2].partition("&")[0]
    tokens = stage.redeem(code, pkce, client_id=SHOP, redirect_uri=CALLBACKS[1]).json()
    assert claims(tokens["id_token"])["email"] == JOAO
    assert claims(tokens["access_token"])["permissions"] == []
    assert tokens["refresh_token"]
