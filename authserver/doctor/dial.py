"""Dialling: one GET from where this runs, and what came of it. Never raises; a failure is an answer too.

Also a program, so that the same question can be asked inside a container:
`python -m authserver.doctor.dial URL [CA_FILE]` prints the outcome as one JSON object.
"""

import json
import socket
import ssl
import sys
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from functools import cache
from http.client import HTTPException
from typing import Any, Literal

SECONDS = 5.0
MAX_BYTES = 256 * 1024

Failure = Literal["refused", "unknown name", "silent", "untrusted", "no tls", "unusable"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` 0: nothing was answered; `failure` and `detail` say why. `document`: the JSON object, if it was one."""

    url: str
    status: int = 0
    document: dict[str, Any] | None = None
    location: str = ""
    failure: Failure | None = None
    detail: str = ""

    @property
    def issuer(self) -> str | None:
        """What the metadata call themselves."""
        issuer = (self.document or {}).get("issuer")
        return issuer if isinstance(issuer, str) else None


def dial(url: str, ca_file: str = "") -> Outcome:
    """GET `url`, trusting the authorities of the system and those in `ca_file` (PEM). No proxy, no redirect."""
    if not url.startswith(("http://", "https://")):
        return Outcome(url, failure="unusable", detail="this is no http URL")
    try:
        opener = urllib.request.OpenerDirector()  # knows these two and nothing of proxies, redirects or errors
        opener.add_handler(urllib.request.HTTPHandler())
        opener.add_handler(urllib.request.HTTPSHandler(context=_trust(ca_file)))
        with opener.open(url, timeout=SECONDS) as answer:
            location = answer.headers.get("Location", "")
            return Outcome(url, answer.status, _json_object(answer.read(MAX_BYTES)), location)
    except urllib.error.URLError as error:
        return _failed(url, error.reason if isinstance(error.reason, Exception) else error)
    except (OSError, HTTPException, ValueError) as error:
        return _failed(url, error)


@cache
def _trust(ca_file: str) -> ssl.SSLContext:
    """Once: reading the system's authorities takes longer than a request on loopback."""
    trust = ssl.create_default_context()
    if ca_file:
        trust.load_verify_locations(ca_file)
    return trust


def _failed(url: str, problem: Exception) -> Outcome:
    failure: Failure
    match problem:
        case ssl.SSLCertVerificationError():
            return Outcome(url, failure="untrusted", detail=problem.verify_message)
        case ssl.SSLError():
            failure = "no tls"
        case ConnectionRefusedError():
            failure = "refused"
        case socket.gaierror():
            failure = "unknown name"
        case TimeoutError():
            failure = "silent"
        case _:
            failure = "unusable"
    return Outcome(url, failure=failure, detail=str(problem))


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(dial(*sys.argv[1:3]))) + "\n")
