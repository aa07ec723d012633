"""Auth0's log: what happened, under the short codes that its dashboards and its customers' alarms know.

Left out: what this server has no event for, such as codes of the Management API.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from authserver import events
from authserver.events import Event

LOG_TYPES: dict[type[Event], str | None] = {
    events.LoginSucceeded: "s",
    events.LoginFailed: "f",
    events.LoggedOut: "slo",
    events.AuthorizationGranted: None,  # its log has the login before and the exchange after
    events.AuthorizationDenied: "f",
    events.ActionDenied: "f",
    events.ChallengeRepeated: None,
    events.CodeExchanged: "seacft",
    events.CodeRefused: "feacft",
    events.CodeReplayed: "feacft",
    events.DeviceRequestRefused: "fdeaz",
    events.DeviceActivationFailed: "fdeac",
    events.DeviceCancelled: "fdecc",
    events.DeviceApproved: None,
    events.DeviceCodeExchanged: "sede",
    events.DeviceCodeRefused: "fede",
    events.DeviceCodeReplayed: "fede",
    events.SignUpSucceeded: "ss",
    events.SignUpFailed: "fs",
    events.MailPutInOutbox: None,
    events.PasswordResetRequested: "scpr",
    events.PasswordChanged: "scp",
    events.EmailVerified: "sv",
    events.ClientCredentialsExchanged: "seccft",
    events.RefreshTokenExchanged: "sertft",
    events.RefreshTokenRefused: "fertft",
    events.RefreshTokenReused: "ferrt",
    events.GrantRevoked: "srrt",
}
"""None: Auth0's log has no word for it."""

BY_REASON: dict[type[Event], dict[str, str]] = {
    events.LoginFailed: {"wrong password": "fp", "unknown user": "fu", "too many attempts": "limit_wc"},
}
"""Where the reason makes the difference."""


def log_type(event: Event) -> str | None:
    """Auth0's code for `event`, such as `s` or `fertft`."""
    of = type(event)
    return BY_REASON.get(of, {}).get(event.reason or "", LOG_TYPES[of])


def log_type_of(name: str, reason: str | None) -> str | None:
    """The same for an event as the ledger keeps it: by the name of its class."""
    return log_type(getattr(events, name)(reason=reason))


def as_log(row: Mapping[str, Any]) -> dict[str, object]:
    """A row of the ledger with the member names of Auth0's log; `type` falls back to our own name."""
    said = {
        "log_id": str(row["id"]),
        "date": datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "type": log_type_of(row["type"], row["reason"]) or row["type"],
        "event": row["type"],
        "client_id": row["client_id"],
        "user_id": row["user_id"],
        "description": row["reason"],
    }
    return {name: value for name, value in said.items() if value is not None}


def as_line(row: Mapping[str, Any]) -> str:
    """The same for people: when, code, name, and about whom."""
    log = as_log(row)
    about = [str(log[name]) for name in ("client_id", "user_id", "description") if name in log]
    code = log["type"] if log["type"] != log["event"] else "-"
    return f"{log['date']}  {code:<9} {log['event']:<27} {' · '.join(about)}".rstrip()
