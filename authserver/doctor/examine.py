"""The examination: which sides there are, what each must be able to do, and what is wrong when it cannot."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from authserver.dialects import POLICIES
from authserver.doctor import compose, sdks
from authserver.doctor.compose import Container, Run, ask_inside, line_of
from authserver.doctor.dial import Outcome, dial
from authserver.doctor.report import Side
from authserver.doctor.verdict import UP, Asked, judge
from authserver.settings import Settings, is_loopback

LOCAL_CA = Path("certs/ca.pem")


@dataclass(frozen=True, slots=True)
class Setup:
    """What is examined. `issuer` is as configured; `ca_file` is what this machine's programs were told to trust."""

    issuer: str
    api_url: str
    ca_file: str
    containers: tuple[Container, ...]
    run: Run

    def of(self, role: compose.Role) -> Container | None:
        return next((each for each in self.containers if each.role == role), None)


def examine(settings: Settings, api_url: str, *, run: Run = compose.run_command) -> list[Side]:
    """Look from every side that can be reached from here."""
    if compose.IMAGE_MARK in os.environ:
        return [_this_container(settings), *_weakened("This container", _own(settings))]
    setup = _find(settings, api_url, run)
    inside = [_from_inside(each, setup) for each in setup.containers if each.role != "authserver"]
    server = setup.of("authserver")
    environment = server.environment if server else _own(settings)
    here, algorithms = _this_machine(setup)
    weakened = _weakened("The authorization server", environment)
    return [here, *inside, *_sdks(setup, algorithms, environment), *weakened]


def _find(settings: Settings, api_url: str, run: Run) -> Setup:
    found = tuple(compose.containers(run))
    roles: dict[str, Container] = {each.role: each for each in reversed(found)}
    server, api = roles.get("authserver"), roles.get("api")
    issuer = settings.issuer or (server.setting("AUTHSERVER_ISSUER") if server else "") or settings.resolved().issuer
    ca_file = str(settings.ca_file or (LOCAL_CA if LOCAL_CA.exists() else ""))
    if api and (published := api.published("API_PORT", 8000)):
        api_url = f"{'https' if api.setting('API_TLS_CERT') else 'http'}://localhost:{published[0][1]}"
    return Setup(issuer, api_url.rstrip("/"), ca_file, found, run)


def _this_machine(setup: Setup) -> tuple[Side, list[object]]:
    """This side, and the algorithms of the keys that it found."""
    algorithms: list[object] = []
    side, server = Side("This machine: browsers, apps and tests"), setup.of("authserver")
    address = metadata_of(setup.issuer)
    outcome = dial(address, setup.ca_file)
    asked = Asked(setup.issuer, address, setup.ca_file, "AUTHSERVER_ISSUER", "", "AUTHSERVER_CA_FILE")
    moved = _moved(setup.issuer, server)
    if outcome.issuer != setup.issuer and server and moved:
        side.bad(
            f"{setup.issuer} is the issuer, but the containers publish the server as {moved}.",
            line_of("AUTHSERVER_ISSUER", server, moved),
            UP,
        )
    elif server and outcome.failure in ("refused", "silent"):
        mend = f'ports: ["127.0.0.1:9000:9000"]   (of the service {server.service})'
        side.bad(f"{setup.issuer} cannot be reached: no port of the container is published there.", mend, UP)
    else:
        judge(side, asked, outcome, f"python -m authserver serve   (or: {UP})")
    if outcome.issuer == setup.issuer:
        algorithms = _keys(side, outcome, setup)
        _api(side, setup)
        _page(side, setup)
    for container in setup.containers:
        _published(side, container)
    return side, algorithms


def _sdks(setup: Setup, algorithms: list[object], environment: Mapping[str, str]) -> list[Side]:
    """Nothing is said of a server that does not answer."""
    if not algorithms:
        return []
    dialect = environment.get("AUTHSERVER_DIALECT") or Settings.model_fields["dialect"].default
    json_bodies = dialect not in POLICIES or POLICIES[dialect].json_bodies
    in_containers = bool(setup.containers)
    return [sdks.explain(setup.issuer, algorithms, json_bodies=json_bodies, in_containers=in_containers)]


def _moved(issuer: str, server: Container | None) -> str | None:
    """Where the host can reach the server, when it is not where the issuer says."""
    parts = urlsplit(issuer)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    published = server.published("AUTHSERVER_PORT", 9000) if server else []
    if not published or port in {port for _, port in published}:
        return None
    scheme = "https" if server and server.setting("AUTHSERVER_TLS_CERT") else "http"
    return f"{scheme}://{parts.hostname}:{published[0][1]}/"


def _keys(side: Side, metadata: Outcome, setup: Setup) -> list[object]:
    address = str((metadata.document or {}).get("jwks_uri"))
    keys = (dial(address, setup.ca_file).document or {}).get("keys")
    if keys:
        side.good(f"Its signing keys are there ({len(keys)}).")
    else:
        side.bad(f"{address} brings no signing key.", "python -m authserver rotate-keys --lead 0")
    found = keys if isinstance(keys, list) else []
    return [key.get("alg") for key in found if isinstance(key, dict)]


def _api(side: Side, setup: Setup) -> None:
    outcome, api = dial(setup.api_url + "/readyz", setup.ca_file), setup.of("api")
    if outcome.status == 200:
        side.good(f"The API at {setup.api_url} has the issuer's keys and its database.")
        back = f"{setup.api_url}/docs/oauth2-redirect"
        client_id = (api.setting("API_DOCS_CLIENT_ID") if api else "") or "api-docs"
        if not _is_registered(setup, client_id, back):
            side.remark(f"{setup.api_url}/docs cannot log in: {back} is no callback of {client_id}.")
    elif outcome.status == 503:
        said = (outcome.document or {}).get("error_description", "it does not say why")
        why = "its own side, below" if api else "its API_ISSUER, or API_METADATA_URL if it has two addresses"
        side.bad(f"The API at {setup.api_url} is up, but not ready ({said}). See {why}.")
    elif api or outcome.failure != "refused":
        side.bad(f"The API at {setup.api_url} does not answer ({outcome.detail or outcome.status}).", UP)
    else:
        side.remark(f"No API at {setup.api_url}. To start it: python -m api   (elsewhere? say --api-url)")


def _page(side: Side, setup: Setup) -> None:
    client = setup.of("client")
    for _, port in [each for ports in client.ports.values() for each in ports] if client else []:
        page, back = f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/callback"
        client_id = (client.setting("CLIENT_ID") if client else "") or "native-app"
        if dial(page + "healthz").status != 200:
            side.bad(f"The app's page {page} does not answer.", "CLIENT_HOST_PORT=8400   (the same inside and out)", UP)
        elif not _is_registered(setup, client_id, back):
            side.bad(
                f"The app's page {page} cannot log in: {back} is no callback of {client_id}.",
                "CLIENT_HOST_PORT=8400   (8401 and 8402 are registered too)",
                UP,
            )
        else:
            side.good(f"The app's page is {page}")


def _is_registered(setup: Setup, client_id: str, redirect_uri: str) -> bool:
    """A request that is refused in any case, and before anything is stored; only a registered address hears of it."""
    wrong = urlencode({"client_id": client_id, "redirect_uri": redirect_uri, "response_type": "doctor"})
    outcome = dial(f"{setup.issuer}authorize?{wrong}", setup.ca_file)
    return outcome.status == 302 and outcome.location.startswith(redirect_uri)


def _published(side: Side, container: Container) -> None:
    for ip, port in {each for ports in container.ports.values() for each in ports}:
        if not is_loopback(ip):
            side.remark(
                f"{container.service} is published on {ip}:{port}, for everybody in your network:"
                f' write "127.0.0.1:{port}:…"'
            )


def _from_inside(container: Container, setup: Setup) -> Side:
    side = Side(f"Inside the container {container.service}")
    if container.state not in ("running", "healthy"):
        side.remark(f"It is {container.state}: docker compose logs {container.service}")
    ask = partial(ask_inside, container, run=setup.run)
    prefix = container.role.upper()
    dialled = {"api": "API_METADATA_URL", "client": "CLIENT_ISSUER_INTERNAL_URL"}[container.role]
    told = container.setting(f"{prefix}_ISSUER") or "http://localhost:9000/"
    address = metadata_of(container.setting(dialled) or told)
    ca_file = container.setting(f"{prefix}_CA_FILE")
    variables = (f"{prefix}_ISSUER", dialled, f"{prefix}_CA_FILE")
    asked = Asked(told, address, ca_file, *variables, container, setup.of("authserver"))
    judge(side, asked, ask(address, ca_file))
    if container.role == "client":
        _client_to_api(side, container, setup, partial(ask, ca_file=ca_file))
    return side


def _client_to_api(side: Side, client: Container, setup: Setup, ask: "partial[Outcome]") -> None:
    address = (client.setting("CLIENT_API_INTERNAL_URL") or client.setting("CLIENT_API_URL")).rstrip("/")
    outcome, api = ask(f"{address or 'http://localhost:8000'}/healthz"), setup.of("api")
    if outcome.status == 200:
        side.good(f"{address} is the API.")
        return
    inside = api.inside("API_PORT", 8000, "API_TLS_CERT") if api else "http://api:8000/"
    mend = line_of("CLIENT_API_INTERNAL_URL", client, inside.rstrip("/"))
    side.bad(f"The API cannot be reached at {address} ({outcome.detail or outcome.status}).", mend, UP)


def _this_container(settings: Settings) -> Side:
    side, issuer, ca_file = Side("Inside this container"), settings.resolved().issuer, str(settings.ca_file or "")
    scheme = "https" if settings.tls_cert else "http"
    for host in settings.allowed_hosts:
        address = metadata_of(f"{scheme}://{host}/")
        asked = Asked(issuer, address, ca_file, "AUTHSERVER_ISSUER", "", "AUTHSERVER_CA_FILE")
        judge(side, asked, dial(address, ca_file))
    if not settings.allowed_hosts:
        mend = "AUTHSERVER_ALLOWED_HOSTS: authserver:9000   (name and port under which other containers dial it)"
        side.bad("Only the issuer's own Host is answered, so other containers are refused with 421.", mend)
    side.remark("How the host sees it, only the host can tell: run `python -m authserver doctor` there as well.")
    return side


def _weakened(name: str, environment: Mapping[str, str]) -> list[Side]:
    """What weakens a check begins with `allow_insecure_`, and is shown here as long as it is on."""
    side = Side(f"{name}: protections that are switched off")
    for variable, value in sorted(environment.items()):
        if variable.startswith("AUTHSERVER_ALLOW_INSECURE_") and value.lower() in ("1", "true", "yes", "on", "t", "y"):
            side.remark(variable)
    return [side] if side.findings else []


def _own(settings: Settings) -> dict[str, str]:
    return {f"AUTHSERVER_{name.upper()}": str(getattr(settings, name)) for name in Settings.model_fields}


def metadata_of(address: str) -> str:
    """Where the metadata of an issuer are, asked at this address."""
    return address if "/.well-known/" in address else f"{address.rstrip('/')}/.well-known/openid-configuration"
