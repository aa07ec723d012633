"""Faults: what goes wrong in one tenant because a test asked for it, so that it sees how its own side copes.

Done: status and body, OAuth errors, delays, silence, cut connections, a proxy's page, half of a JSON text, 429, an
outage, keys that change in mid-flight, an answer that is lost after the commit, another clock, ID tokens that lie.
`kinds`: what can be asked for · `kept`: the faults of a tenant · `matching`: whose request it is · `spoiling`: what
happens then · `answers`, `lies`: what is said instead.
Left out: two faults in one request (the first that was set has it); CORS headers on made-up answers, which proxies do
not send either; preflights are never spoiled.

Nothing misbehaves unasked, and nothing in silence (law 11): a spoiled answer says `Understudy-Fault`, and the
recording names the fault of an exchange that had none.
"""

from authserver.testing.faults.kept import Faults, NoSuchFault, TooManyFaults
from authserver.testing.faults.kinds import Order

__all__ = ["Faults", "NoSuchFault", "Order", "TooManyFaults"]
