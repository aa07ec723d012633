"""The tenant's default_audience: the API of requests that name none (Auth0's contract §3.3)."""

import json
from pathlib import Path

import pytest

from authserver.settings import DEMO_TENANT
from authserver.tenant_file import TenantFileError, read_tenant_file
from tests.attacks.judge import both_dialects
from tests.devices import approves, asks, device
from tests.proves import proves
from tests.stage import API, Stage, claims


def set_default(stage: Stage, audience: str | None = API) -> None:
    change = "UPDATE tenant_settings SET value = :to WHERE name = 'default_audience'"
    stage.change(change, to=json.dumps(audience))


@both_dialects
@proves("GET /authorize", "default_audience")
def test_a_login_that_names_no_api_gets_the_tenants(stage: Stage) -> None:
    assert "read:notes" not in stage.tokens(audience=None, scope="openid")["scope"]
    set_default(stage)
    answered = stage.tokens(audience=None)
    assert API in claims(answered["access_token"])["aud"]
    assert "read:notes" in answered["scope"].split()


@both_dialects
def test_so_does_a_device(stage: Stage) -> None:
    set_default(stage)
    assert asks(stage, audience=None).status_code == 200
    tv = device(stage, audience=None)
    approves(stage.browser(), tv.user_code)
    assert API in claims(tv.waits().json()["access_token"])["aud"]


@both_dialects
@proves("POST /oauth/token", "default_audience")
def test_so_does_a_client_in_its_own_name(stage: Stage) -> None:
    def ask() -> int:
        answer = stage.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=stage.basic("backend"))
        return answer.status_code

    assert ask() == 400
    set_default(stage)
    assert ask() == 200


def test_it_must_be_an_api_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tenant.yaml"
    demo = DEMO_TENANT.read_text(encoding="utf-8")
    file.write_text(demo.replace("  friendly_name:", "  default_audience: https://elsewhere.example\n  friendly_name:"))
    with pytest.raises(TenantFileError, match=r"tenant\.default_audience is not the identifier of an API"):
        read_tenant_file(file)
    file.write_text(demo.replace("  friendly_name:", f"  default_audience: {API}\n  friendly_name:"))
    assert read_tenant_file(file).tenant.default_audience == API
