"""The handle: what the fixture `authserver` hands to a test. A thin client of the control API, and nothing else.

It is synchronous and works in asyncio tests too: the server answers from a thread or a process of its own. Whatever the
server refuses is raised as `HarnessError`, with its sentence.
"""

from authserver.testing.handle.authserver import Authserver
from authserver.testing.handle.clock import Clock
from authserver.testing.handle.control import Control
from authserver.testing.handle.errors import HarnessError
from authserver.testing.handle.faults import Fault
from authserver.testing.handle.login import Login
from authserver.testing.handle.problems import Problem
from authserver.testing.handle.values import Client, Event, Forged, User

__all__ = [
    "Authserver",
    "Client",
    "Clock",
    "Control",
    "Event",
    "Fault",
    "Forged",
    "HarnessError",
    "Login",
    "Problem",
    "User",
]
