"""Lineage: for every code and token of a tenant its family, parent, client, grant and state, and why it was refused.

Done: RFC 6749 §1.5, §4.1.2, §10.4 (a family hangs on one grant) · RFC 9700 §4.14.2 · RFC 8628 §3.5.
Left out: what was deleted with its user or client, and tokens of other issuers.

The truth is the tenant's database, read by the tenant's clock; the recording adds in which exchange it happened.
"""

from dataclasses import replace

from authserver.testing.host import Rehearsal
from authserver.testing.lineage.artefacts import Artefact, artefacts
from authserver.testing.lineage.past import Past
from authserver.testing.lineage.token import Refused, Token
from authserver.testing.lineage.why import reason, state, why
from authserver.testing.recorded import Recorded

__all__ = ["Ambiguous", "Refused", "Token", "Unknown", "attributed", "find", "lineage"]


class Unknown(LookupError):
    """Nothing of this tenant has this fingerprint; the sentence says where it came from, if anywhere."""


class Ambiguous(LookupError):
    """The beginning of a fingerprint fits several."""


def lineage(of: Rehearsal) -> list[Token]:
    """Every code and token that is known, oldest first."""
    past, now = Past(of.recording.all()), of.clock()
    known = artefacts(of, past)
    children: dict[str, list[str]] = {}
    for each in known:
        if each.parent:
            children.setdefault(each.parent, []).append(each.fingerprint)
    made = [
        Token(
            kind=each.kind,
            fingerprint=each.fingerprint,
            client_id=each.client_id,
            user_id=each.user_id,
            grant_id=each.grant_id,
            parent=each.parent,
            children=tuple(dict.fromkeys(children.get(each.fingerprint, ()))),
            audience=each.audience,
            scope=each.scope,
            issued_at=each.issued_at,
            expires_at=each.expires_at,
            state=state(each, now),
            why=why(each, past, now),
            issued_in=each.issued_in,
            refused=tuple(
                Refused(met.number, met.error or str(met.status), reason(each, met, past))
                for met in past.presenting(each.fingerprint)
                if met.status >= 400 or met.error
            ),
        )
        for each in known
    ]
    return sorted(made, key=lambda each: (each.issued_at or 0, each.issued_in or 0))


def find(of: Rehearsal, token: str) -> tuple[Token, list[Token]]:
    """The token and its whole family. `token` is itself, or its fingerprint, or the beginning of that.

    Raises Unknown or Ambiguous.
    """
    wanted = token if token.startswith("#") else of.recording.redaction.fingerprint(token)
    every = lineage(of)
    found = [each for each in every if each.fingerprint.startswith(wanted)] if len(wanted) > 4 else []
    if len({each.fingerprint for each in found}) > 1:
        raise Ambiguous(f"{wanted} is the beginning of {len(found)} fingerprints: give more of it")
    if not found:
        met = [f"#{each.number}" for each in of.recording.all() if wanted in each.presented.values()]
        where = f"it was presented in {', '.join(met)}" if met else "it was never presented here"
        raise Unknown(f"no code or token of this tenant is {wanted}; {where}")
    # One access token can be issued under two grants in one second: dead under one, it is dead.
    chosen = next((each for each in found if each.state != "active"), found[-1])
    family = [each for each in every if each.grant_id == chosen.grant_id] if chosen.grant_id else [chosen]
    return chosen, family


def attributed(of: Rehearsal) -> list[Recorded]:
    """The recording, each exchange with the person and the grant of what was presented, where no event names them."""
    exchanges = of.recording.all()
    known = {each.fingerprint: each for each in reversed(artefacts(of, Past(exchanges)))}
    return [_attributed(each, known) for each in exchanges]


def _attributed(each: Recorded, known: dict[str, Artefact]) -> Recorded:
    brought = next((known[one] for one in each.presented.values() if one in known), None)
    if brought is None:
        return each
    return replace(
        each,
        client_id=each.client_id or brought.client_id,
        user_id=each.user_id or brought.user_id,
        grant_id=each.grant_id or brought.grant_id,
    )
