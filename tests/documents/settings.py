"""docs/settings.md: variable, flag, default and meaning, from the three `Settings`."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

import api.settings
import authserver.__main__
import authserver.settings
import client.settings
from tests.documents.layout import NOTE, ROOT, table

_ABOUT_SETTINGS = """\
Every setting is an environment variable and a flag; the flag wins. What weakens a check is spelled
`allow_insecure_…`."""


def settings_page() -> str:
    """Variable, flag, default and meaning, for each service."""
    served = authserver.settings.Settings
    commands = (authserver.__main__.Seed, authserver.__main__.RotateKeys)
    extra = [row for command in commands for row in _pydantic_rows(command, besides=served)]
    header = ("Variable", "Flag", "Default", "Meaning")
    return "\n".join(
        [
            "# Settings",
            "",
            NOTE.format(sources="the Settings of authserver, api and client"),
            "",
            _ABOUT_SETTINGS,
            "",
            "## Authorization server",
            "",
            "`python -m authserver serve`; the other commands take the same.",
            "",
            *table(header, _pydantic_rows(served)),
            "",
            "Of one command alone (`seed`, `rotate-keys`):",
            "",
            *table(header, extra),
            "",
            "## API",
            "",
            "`python -m api`",
            "",
            *table(header, _pydantic_rows(api.settings.Settings)),
            "",
            "## Native app",
            "",
            "`python -m client`, every command.",
            "",
            *table(header, _client_rows()),
            "",
        ]
    )


def _pydantic_rows(of: type[BaseSettings], besides: type[BaseSettings] | None = None) -> Iterator[tuple[str, ...]]:
    prefix = of.model_config.get("env_prefix", "")
    for name, field in of.model_fields.items():
        if besides is None or name not in besides.model_fields:
            is_positional = any("Positional" in str(each) for each in field.metadata)
            flag = f"`{name.upper()}`" if is_positional else f"`--{name.replace('_', '-')}`"
            yield f"`{prefix}{name.upper()}`", flag, _default(field.default), _meaning(field)


def _meaning(field: FieldInfo) -> str:
    sentence = _sentence(field.description or "")
    if get_origin(field.annotation) is Literal:
        sentence += f" One of {', '.join(f'`{value}`' for value in get_args(field.annotation))}."
    return sentence


def _sentence(text: str) -> str:
    begins = text.partition(" ")[0].isalpha()
    return (text[:1].upper() if begins else text[:1]) + text[1:] + ("" if text.endswith((".", "/")) else ".")


def _default(value: object) -> str:
    if isinstance(value, Path):  # the one that we bring along; where it is installed is nobody's business
        return f"`{value.resolve().relative_to(ROOT).as_posix()}`"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        value = ",".join(value)
    return "" if value in (None, "", {}) else f"`{value}`"


def _client_rows() -> Iterator[tuple[str, ...]]:
    for item in fields(client.settings.Settings):
        flag = f"`--{item.name.replace('_', '-')}`"
        yield f"`{item.metadata['env']}`", flag, _default(item.default), _sentence(item.metadata["help"])
