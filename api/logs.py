"""Logs: what this process tells its operator, on stderr.

JSON, one object a line, where a program reads; aligned text where a person does. The rooms use the standard
library's `logging` with their facts in `extra`; here, and only here, structlog makes lines of these records and of
everybody else's. Every line of a request carries its `trace_id`.

Two walls keep secrets out. The first is that no room logs what a caller sent. The second is here: fields with a
secret's name and values that look like a token are replaced, whoever logged them. Control characters are escaped and
long values cut, so that a line stays one line (CWE-117).
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from api import trace

LogFormat = Literal["auto", "json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]

LONGEST_VALUE = 8000
REDACTED = "[redacted]"

_SECRET_NAMES = re.compile(
    r"authorization|cookie|password|passwd|secret|assertion|verifier|private|api_?key|(^|_)(code|token|jwt|state|nonce)$",
    re.IGNORECASE,
)
# What goes before a secret stays, so that a reader sees what was there.
_SECRET_VALUES = (
    re.compile(r"(?<![\w-])()eyJ[\w-]{6,}(?:\.[\w-]*)*"),  # a JWT, or the beginning of one: {" in base64url
    re.compile(r"\b((?:bearer|basic|dpop)\s+)[\w.~+/=-]{8,}", re.IGNORECASE),
    re.compile(r"\b(\w*(?:token|code|secret|password|verifier|assertion|state|nonce)=)[^\s&,;#\"'<>]+", re.IGNORECASE),
    re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)"),  # the password in a database URL
)
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")


def configure(log_format: LogFormat, level: LogLevel, stream: TextIO = sys.stderr) -> None:
    """Send everything that this process logs to `stream`. `auto`: text on a terminal, else JSON."""
    for_people = log_format == "text" or (log_format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(for_people=for_people, colours=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx2", "httpcore2", "httpcore", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def formatter(*, for_people: bool, colours: bool = False) -> logging.Formatter:
    """Makes one line of a record, also of one that another library wrote."""
    first: list[Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        ExtraAdder(),
        _add_trace,
        structlog.processors.format_exc_info,
        _redact,
    ]
    last: list[Processor]
    if for_people:
        last = [_escape, structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False)]
    else:
        last = [structlog.processors.JSONRenderer()]  # escapes all that is not ASCII
    return ProcessorFormatter(processors=[ProcessorFormatter.remove_processors_meta, *last], foreign_pre_chain=first)


def _add_trace(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    fields.pop("color_message", None)  # uvicorn's line, once more
    if found := trace.current.get():
        fields["trace_id"] = found.trace_id
    return fields


def _redact(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    return {name: _clean(name, value) for name, value in fields.items()}


def _clean(name: str, value: Any, depth: int = 4) -> Any:
    if name.startswith("_"):  # structlog's own, gone before anything is written
        return value
    if _SECRET_NAMES.search(name):
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, MutableMapping) and depth:
        return {str(key)[:100]: _clean(str(key), each, depth - 1) for key, each in list(value.items())[:100]}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_clean("", each, depth - 1) for each in list(value)[:100]]
    text = value if isinstance(value, str) else repr(value)
    if len(text) > LONGEST_VALUE:
        text = f"{text[: LONGEST_VALUE // 2]} […] {text[-LONGEST_VALUE // 2 :]}"
    for pattern in _SECRET_VALUES:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def _escape(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """For a terminal: nothing moves the cursor, and only a traceback has several lines, all of them indented."""
    for name, value in fields.items():
        if name == "exception":
            fields[name] = "\n".join(f"    {_escaped(line)}" for line in value.split("\n"))
        elif not isinstance(value, bool | int | float) and not name.startswith("_"):
            fields[name] = _escaped(str(value))
    return fields


def _escaped(text: str) -> str:
    return _NOT_PRINTED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
