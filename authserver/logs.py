"""Log lines: one form for everything that this process says on stderr.

JSON lines, or readable ones on a terminal. Ours and other libraries' (`logging`) pass the same wall: no known shape of
a secret, no control character and nothing endless gets through, though nothing of the kind should be written at all.
Other libraries are not asked for more than warnings, because what they say below holds rows and tokens.
"""

import logging
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Protocol, TextIO

import structlog
from structlog.typing import EventDict, Processor

from authserver import trace
from authserver.settings import Settings

MOST = 500
"""Characters of one value."""

MOST_OF_TRACEBACK = 3000
"""Characters of a traceback; its end is kept. Up to 4096 bytes a pipe takes a line whole, whichever worker wrote it."""

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"secret|passw|token|verifier|cookie|authori[sz]ation$|assertion|private_key|^code$|^state$", re.I
)

_NAMED = r"(?:password|client_secret|code|code_verifier|state|\w*token|client_assertion|cookie)"
_SECRET_SHAPE = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # a JWT
    r"|(?<=bearer )[^\s,;]{6,}|(?<=basic )[^\s,;]{6,}|(?<=dpop )[^\s,;]{6,}"  # credentials of a header
    r"|(?<![\w-])(?:v1\.)?[\w-]{40,}(?![\w-])"  # codes, refresh tokens, secrets, verifiers, states, cookies
    rf"|\b{_NAMED}=[^\s&;\"']+"  # a parameter of a form or a query
    r"|(?<=://)[^/\s@:]*:[^\s@]+(?=@)",  # the password in a URL
    re.I,
)


class Log(Protocol):
    """What lines of ours are written to: the name of what happened, and facts."""

    def debug(self, event: str, /, **facts: object) -> object: ...

    def info(self, event: str, /, **facts: object) -> object: ...

    def warning(self, event: str, /, **facts: object) -> object: ...


def configure(settings: Settings, stream: TextIO | None = None) -> Log:
    """Give every logger of this process one form and one place, stderr. Returns the one for requests and events.

    That one goes around `logging`, which would cost three times as much for each line.
    """
    stream = stream or sys.stderr
    is_text = settings.log_format == "text" or (settings.log_format == "auto" and stream.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    chain = _chain(is_text=is_text, colors=is_text and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(allow=("reference",))],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *chain],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("authserver").setLevel(level)
    logging.captureWarnings(capture=True)
    log: Log = structlog.wrap_logger(
        _Lines(stream),
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    ).bind()
    return log


def _chain(*, is_text: bool, colors: bool) -> Sequence[Processor]:
    steps: list[Processor] = [
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_text else "iso", utc=not is_text),
        structlog.processors.add_log_level,
        _where,
        structlog.processors.format_exc_info,
    ]
    if is_text:
        plain = structlog.dev.plain_traceback
        console = structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=plain, sort_keys=False, pad_event_to=22, pad_level=False
        )
        return [*steps, _wall_of_text, console]
    return [*steps, wall, structlog.processors.JSONRenderer()]


_CONSTANTS = frozenset({"timestamp", "level", "method", "route", "error", "refusal", "trace_id", "pid"})
"""What our own code alone writes under these names, thousands of times a minute, needs no second look."""

_HEAD: EventDict = dict.fromkeys(("timestamp", "level", "event"))


def _where(_: Any, __: str, line: EventDict) -> EventDict:
    exchange = trace.current()
    return {**_HEAD, **line, "pid": os.getpid(), **({"trace_id": exchange.trace_id} if exchange else {})}


def wall(_: Any, __: str, line: EventDict) -> EventDict:
    """Redact and cut. (Control characters are JSON's own business.)"""
    for name, value in line.items():
        if name in _CONSTANTS or isinstance(value, bool | int | float | None):
            continue
        text = value if isinstance(value, str) else str(value)
        if _is_secret(name):
            line[name] = REDACTED
        elif name == "exception":
            line[name] = _SECRET_SHAPE.sub(REDACTED, text)[-MOST_OF_TRACEBACK:]
        else:
            text = _SECRET_SHAPE.sub(REDACTED, text[:65536])
            line[name] = text if len(text) <= MOST else text[:MOST] + "…"
    return line


@cache
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _wall_of_text(logger: Any, method: str, line: EventDict) -> EventDict:
    """Besides, nothing that moves a cursor, begins a line or turns the direction of writing."""
    for name, value in wall(logger, method, line).items():
        if isinstance(value, str) and not value.isprintable():
            kept = "\n" if name == "exception" else ""
            line[name] = "".join(ch if ch.isprintable() or ch in kept else ascii(ch)[1:-1] for ch in value)
    return line


class _Lines:
    """Where lines of ours go. A full disk or a closed pipe loses lines; it never changes an answer."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = msg
