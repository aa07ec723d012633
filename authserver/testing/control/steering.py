"""What happens in a tenant: virtual people, time, keys, and the events of it all."""

from dataclasses import asdict
from typing import Any

import httpx2
from fastapi import APIRouter, Request

from authserver.log_types import log_type_of
from authserver.store import journal
from authserver.testing.control import models
from authserver.testing.control.asking import ONE, Chosen, Hosting, Refused
from authserver.testing.line import line_of
from authserver.testing.person import Person, walk
from authserver.testing.tampering import TESTS, NothingToTamperWith, tamper_with

router = APIRouter()


@router.post(f"{ONE}/login")
async def log_in(login: models.Login, of: Chosen, request: Request) -> models.LoginOutcome:
    """A virtual person opens the URL in a browser, logs in and decides; also about a device."""
    if not login.url.startswith(of.tenant.issuer):
        raise Refused("url: must be one of this tenant")
    cookies = of.browsers.setdefault(login.browser, httpx2.Cookies()) if login.browser else httpx2.Cookies()
    person = Person(login.username, login.password, login.decision)
    line = line_of(request.scope)
    walked = await walk(request.app.state.application, of.tenant.issuer, login.url, person, cookies, line)
    if login.tamper:
        try:
            bait = tamper_with(walked, login.tamper)
        except NothingToTamperWith as error:
            raise Refused(f"tamper: {error}") from None
        of.baits[of.recording.redaction.fingerprint(bait)] = TESTS[login.tamper]
    return models.LoginOutcome(**asdict(walked))


@router.get(f"{ONE}/clock")
def read_clock(of: Chosen) -> models.ClockReading:
    """The tenant's time."""
    return models.ClockReading(now=of.clock(), frozen=of.clock.is_frozen)


@router.post(f"{ONE}/clock")
def turn_clock(change: models.ClockChange, of: Chosen) -> models.ClockReading:
    """Turn it, stop it, let it run on."""
    if change.resume:
        of.clock.resume()
    if change.set is not None:
        of.clock.set(change.set)
    of.clock.advance(change.advance)
    if change.freeze:
        of.clock.freeze()
    return models.ClockReading(now=of.clock(), frozen=of.clock.is_frozen)


@router.post(f"{ONE}/keys/rotate", status_code=201)
def rotate_keys(rotation: models.Rotation, of: Chosen, host: Hosting) -> models.RotatedKey:
    """A new signing key; the old one stays published."""
    return models.RotatedKey(kid=host.rotate_keys(of, rotation.lead))


@router.get(f"{ONE}/events")
def list_events(of: Chosen) -> list[models.HappenedEvent]:
    """What happened, oldest first."""
    with of.tenant.database.read() as db:
        rows: list[dict[str, Any]] = journal.read(db)
    return [models.HappenedEvent(**row, log_type=log_type_of(row["type"], row["reason"])) for row in rows]


@router.get(f"{ONE}/exchanges")
def list_exchanges(of: Chosen) -> list[models.RecordedExchange]:
    """What came in and went out, oldest first; the last thousand."""
    return [models.RecordedExchange(**asdict(each)) for each in of.recording.all()]
