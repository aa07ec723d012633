"""The verdict on one address: whether the issuer answers there, and if not, the line that would change it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from authserver.doctor.compose import Container, line_of
from authserver.doctor.dial import Outcome
from authserver.doctor.report import Side
from authserver.settings import is_loopback

UP = "docker compose up --wait"


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who was told `issuer`, and asks for it at `address`; and the variables that say so.

    `address_variable` is empty for whoever has one address only. `container`: in which they live, None for this
    machine. `server`: the container that should answer.
    """

    issuer: str
    address: str
    ca_file: str
    issuer_variable: str
    address_variable: str
    ca_variable: str
    container: Container | None = None
    server: Container | None = None

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}/"

    def line(self, variable: str, value: str) -> str:
        """The line to change where they live."""
        return line_of(variable, self.container, value)


def judge(side: Side, asked: Asked, outcome: Outcome, start: str = UP) -> None:
    """Write the verdict. `start`: what would start a server that is not there."""
    origin = asked.origin
    if outcome.issuer == asked.issuer:
        same = origin == asked.issuer
        side.good(f"{asked.issuer} answers." if same else f"{origin} answers, and calls itself {asked.issuer}")
    elif outcome.issuer is not None:
        side.bad(
            f"The server at {origin} calls itself {outcome.issuer}, but {asked.issuer_variable} says {asked.issuer}:"
            " every token would be refused.",
            asked.line(asked.issuer_variable, outcome.issuer),
            UP if asked.container else "restart what was told the other one",
        )
    elif outcome.status == 421:
        _unknown_host(side, asked)
    elif outcome.failure in ("refused", "unknown name"):
        _unreachable(side, asked, outcome, start)
    elif outcome.failure == "untrusted":
        _untrusted(side, asked, outcome)
    else:
        said = f"status {outcome.status}" if outcome.status else outcome.detail
        tls = "without TLS" if origin.startswith("http:") else "with TLS"
        side.bad(
            f"What answers at {origin}, asked {tls}, is no authorization server ({said}).",
            asked.line(asked.address_variable or asked.issuer_variable, _other_scheme(origin)),
            "or something else has this port: stop it, or choose another",
        )


def _unknown_host(side: Side, asked: Asked) -> None:
    netloc = urlsplit(asked.address).netloc
    known = asked.server.setting("AUTHSERVER_ALLOWED_HOSTS") if asked.server else ""
    hosts = ",".join([*filter(None, known.split(",")), netloc])
    mend = line_of("AUTHSERVER_ALLOWED_HOSTS", asked.server, hosts)
    side.bad(f"The server at {asked.origin} does not know itself by the name {netloc}.", mend, UP)


def _unreachable(side: Side, asked: Asked, outcome: Outcome, start: str) -> None:
    if not asked.address_variable:
        side.bad(f"Nothing listens at {asked.origin}", start)
        return
    inside = "http://authserver:9000/"
    if asked.server:
        inside = asked.server.inside("AUTHSERVER_PORT", 9000, "AUTHSERVER_TLS_CERT")
    why = outcome.detail
    if is_loopback(urlsplit(asked.address).hostname or ""):
        why = "inside a container, localhost is the container itself"
    mend = asked.line(asked.address_variable, inside)
    side.bad(f"The server cannot be reached at {asked.origin}: {why}.", mend, UP)


def _untrusted(side: Side, asked: Asked, outcome: Outcome) -> None:
    """A certificate that is not believed here: for another name, or of an unknown authority."""
    if "ostname" in outcome.detail or "IP address" in outcome.detail:
        mend = ("make certs   (after: rm -r certs)", UP)
        side.bad(f"The certificate at {asked.origin} is for other names: {outcome.detail}", *mend)
        return
    ca_file = "/run/secrets/ca" if asked.container else "certs/ca.pem"
    mend = (asked.line(asked.ca_variable, ca_file), "a browser trusts it when certs/ca.pem is imported there")
    side.bad(f"The certificate at {asked.origin} is not trusted here: {outcome.detail}.", *mend)


def _other_scheme(origin: str) -> str:
    scheme, _, rest = origin.partition("://")
    return f"{'http' if scheme == 'https' else 'https'}://{rest}"
