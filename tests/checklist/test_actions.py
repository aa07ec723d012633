"""Line 12: rules, hooks and Actions."""

from tests.attacks.judge import on_sqlite
from tests.flows.test_actions import Tenant, refused, tenant
from tests.proves import proves
from tests.stage import claims

__all__ = ["tenant"]


pytestmark = on_sqlite

CLAIM = "https://notes.example/plan"


def says(statement: str) -> str:
    return f"def on_execute_post_login(event, api):\n    {statement}\n"


@proves("Actions", "api.idToken.setCustomClaim", "api.accessToken.setCustomClaim")
def test_item_12_a_a_namespaced_claim_appears_in_both_tokens(tenant: Tenant) -> None:
    stage = tenant.play(
        Plan=says(f'api.idToken.setCustomClaim("{CLAIM}", 1); api.accessToken.setCustomClaim("{CLAIM}", 1)')
    )
    tokens = stage.tokens()
    assert claims(tokens["id_token"])[CLAIM] == claims(tokens["access_token"])[CLAIM] == 1


@proves("Actions", "restricted claims")
def test_item_12_b_a_restricted_claim_is_ignored(tenant: Tenant) -> None:
    stage = tenant.play(
        Evil=says('api.idToken.setCustomClaim("sub", "evil"); api.accessToken.setCustomClaim("aud", "evil")')
    )
    tokens = stage.tokens()
    assert claims(tokens["id_token"])["sub"] != "evil"
    assert "evil" not in claims(tokens["access_token"])["aud"]


@proves("Actions", "api.access.deny")
def test_item_12_c_a_denial_is_redirected(tenant: Tenant) -> None:
    said = refused(tenant.play(Gate=says('api.access.deny("closed")')))
    assert (said["error"], said["error_description"]) == ("access_denied", "closed")


@proves("Actions", "api.access.deny", "403 access_denied")
def test_item_12_d_a_denied_refresh_is_403(tenant: Tenant) -> None:
    token = tenant.play().tokens()["refresh_token"]
    denied = tenant.play(Gate=says('api.access.deny("closed")')).refresh(token)
    assert (denied.status_code, denied.json()["error"]) == (403, "access_denied")


@proves("Actions", "api.accessToken.addScope", "api.accessToken.removeScope")
def test_item_12_e_a_changed_scope_shows_in_the_answer(tenant: Tenant) -> None:
    stage = tenant.play(
        Scope=says('api.accessToken.addScope("delete:notes"); api.accessToken.removeScope("read:notes")')
    )
    assert stage.tokens(scope="openid read:notes")["scope"] == "openid delete:notes"


@proves("Actions", "event.transaction.protocol")
def test_item_12_f_it_runs_on_refresh(tenant: Tenant) -> None:
    stage = tenant.play(Tells=says(f'api.accessToken.setCustomClaim("{CLAIM}", event.transaction.protocol)'))
    tokens = stage.tokens()
    assert claims(tokens["access_token"])[CLAIM] == "oidc-basic-profile"
    assert claims(stage.refresh(tokens["refresh_token"]).json()["access_token"])[CLAIM] == "oauth2-refresh-token"
