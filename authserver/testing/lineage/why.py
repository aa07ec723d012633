"""Why a code or token is what it is, and why it was refused, in words that a tester understands."""

from datetime import UTC, datetime

from authserver.store.once import ALLOW
from authserver.testing.lineage.artefacts import Artefact
from authserver.testing.lineage.past import ENDING, Past
from authserver.testing.recorded import Recorded

_SAYS_ITSELF = {
    "InvalidClient": "the client did not prove who it is, so nobody looked at what it brought",
    "BadVerifier": "the code_verifier does not match the code_challenge of the authorization request (PKCE)",
    "BadRedirectUri": "the redirect_uri is not the one of the authorization request",
    "UserGone": "its user does not exist any more",
    "UserBlocked": "its user is blocked",
    "DeviceUserBlocked": "the person who entered the user code is blocked",
    "DeviceDenied": "the person declined",
    "AuthorizationPending": "nobody has decided yet: the device polls again after the interval",
    "SlowDown": "the device polls faster than the interval",
    "InsufficientScope": "it is good, but its scope or audience are not what this endpoint asks for",
    "MissingParameter": "another parameter is missing",
}


def state(of: Artefact, now: int) -> str:
    """In one word. What was used once stays spent, whatever became of its family."""
    if of.used_at is not None:
        return "spent"
    if of.revoked_at is not None or of.family_revoked_at is not None:
        return "revoked"
    if of.expires_at is not None and of.expires_at <= now:
        return "expired"
    if of.is_void:
        return "expired" if of.kind == "device_code" else "revoked"
    return "denied" if of.decision and of.decision != ALLOW else "active"


def why(of: Artefact, past: Past, now: int) -> str:
    """How it came to its state; empty for what is simply active."""
    match state(of, now):
        case "spent":
            return _spent(of, past) + (_repeatable(of, now) if of.family_revoked_at is None else "")
        case "revoked":
            return _revoked(of, past)
        case "expired":
            return f"expired at {clock_time(of.expires_at)}"
        case "denied":
            return "the person declined, or may not log in"
    return "nobody has decided yet" if of.decision == "" else ""


def reason(of: Artefact, met: Recorded, past: Past) -> str:
    """Why it was refused in this exchange."""
    ended = next((words for event in met.events if (words := ENDING.get(event["type"] or ""))), None)
    if ended is not None and of.used_at is not None:
        return f"{_spent(of, past)}, came again {_later(met.at - of.used_at)}: reuse, so the whole family was revoked"
    if met.refusal in _SAYS_ITSELF:
        return _SAYS_ITSELF[met.refusal]
    if met.refusal is None and met.fault is not None:
        return f"the fault {met.fault} answered in the server's place"
    if met.endpoint in ("token", "revoke") and met.client_id not in (of.client_id, None):
        return f"it belongs to {of.client_id}, and {met.client_id} brought it"
    sent_as = [kind for kind, fingerprint in met.presented.items() if fingerprint == of.fingerprint]
    if of.kind not in sent_as and "token" not in sent_as:
        return f"it is a {of.kind.replace('_', ' ')} and was sent as {sent_as[0].replace('_', ' ')}"
    return _at_its_time(of, met, past) or met.error_description or met.refusal or f"status {met.status}"


def clock_time(at: int | None) -> str:
    """Of the tenant, in UTC."""
    if at is None:
        return "a time that nobody knows"
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(at)


def _at_its_time(of: Artefact, met: Recorded, past: Past) -> str | None:
    """What was wrong with it when it came; later ends do not count."""
    ending = past.ending(of.grant_id)
    if of.family_revoked_at is not None and of.family_revoked_at <= met.at and not (ending and ending[0] is met):
        if ending is None or ending[0].number < met.number:
            return _revoked(of, past)
    if of.revoked_at is not None and of.revoked_at <= met.at:
        return _revoked(of, past)
    if of.expires_at is not None and of.expires_at <= met.at:
        return f"expired at {clock_time(of.expires_at)}, and came {_later(met.at - of.expires_at)}"
    if of.issued_at is not None and met.at < of.issued_at:
        return f"the clock stood before {clock_time(of.issued_at)}, when it was issued"
    if of.used_at is not None and of.used_at <= met.at:
        return f"{_spent(of, past)}, and came again {_later(met.at - of.used_at)}"
    return "no attempt is left: it came out of its time, or was guessed at too often" if of.is_void else None


def _spent(of: Artefact, past: Past) -> str:
    spending = past.spending(of.fingerprint)
    return f"spent in #{spending.number}" if spending else f"spent at {clock_time(of.used_at)}"


def _repeatable(of: Artefact, now: int) -> str:
    until = (of.used_at or 0) + of.leeway
    return f", may come again until {clock_time(until)} (leeway)" if of.leeway and now <= until else ""


def _revoked(of: Artefact, past: Past) -> str:
    if of.family_revoked_at is not None:
        if ending := past.ending(of.grant_id):
            return f"revoked in #{ending[0].number} with its whole family: {ending[1]}"
        return f"revoked with its whole family at {clock_time(of.family_revoked_at)}"
    if of.revoked_at is None:
        return "no attempt is left: it came out of its time, or was guessed at too often"
    if revoking := past.revoking(of.fingerprint):
        return f"revoked in #{revoking.number}: its client gave it back"
    return f"revoked at {clock_time(of.revoked_at)}, when others took its place"


def _later(seconds: int) -> str:
    return f"{seconds} s later" if seconds else "at once"
