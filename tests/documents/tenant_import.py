"""docs/tenant-import.md: what of an export is taken, ignored and not run, from the reader's own names."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from authserver.tenant_file import TenantFile, auth0_names
from authserver.tenant_file.auth0_names import Unplayed
from authserver.tenant_file.models import ImportedUserModel
from tests.documents.layout import NOTE, table

_ABOUT = """\
`python -m authserver seed tenant.yaml` reads a tenant file: one of ours (`authserver/tenant.yaml` is one), or what
`a0deploy export --format=yaml` wrote. It says in a table what it took, what it ignored and why, what does not run, and
last of all what Auth0 protects and this server does not. It invents nothing.

```
$ a0deploy export --config_file=config.json --format=yaml --output_folder=export
$ python -m authserver seed export/tenant.yaml --dry-run
$ python -m authserver seed export/tenant.yaml --users users.json --client-id "Shop (browser)=AaBbCc…"
```

## How a file is read
- A name that neither Auth0 nor this server knows is a mistake, with its line. So is every value that is out of bounds.
- A file counts as an export when something in it stands in exports alone: a client without `client_id`, or a name of Auth0's
  that is not played. In an export, callbacks with wildcards or http beyond loopback, grant types, connections and Actions
  that are not played are left out with their reason, and the rest stays. In a file of ours they are mistakes.
- What names something that is not in the file (Auth0's Management API, an excluded client) is left out, too. A connection
  without `enabled_clients` serves nobody: that is how an export writes it.
- `##KEY##` and `@@KEY@@` are replaced as auth0-deploy-cli does, from `AUTH0_KEYWORD_REPLACE_MAPPINGS` (a JSON object), else
  from the environment variable of that name. A keyword without a value is a mistake where it would be read; the sections that
  are ignored may keep theirs.
- The directory format and `!include` are not read: export with `--format=yaml`.

## Ids and secrets of clients
An export has neither. So that an app need not change, give its id: `--client-id NAME=ID`, or a file for `--client-ids`:

```yaml
Shop (browser): AaBbCc…
Back office: { client_id: DdEeFf…, client_secret: "##BACK_OFFICE_SECRET##" }
```

(The keywords of this file are not replaced; it is yours. A name with a comma or an equals sign belongs into the file.)
A client that gets none has an id that is derived from its name and hence always the same. A secret that nobody gives is generated
and printed once; of both kinds the digest alone is stored. A client that says nothing of `grant_types`,
`token_endpoint_auth_method` or `app_type` gets what Auth0 gives.

## A second time
`seed` with a file that is named brings the database up to date, in one transaction: what the file says anew is written,
all of it or nothing, and the same file twice changes nothing. What the file no longer names stays and is told. Secrets and
passwords stay as they are until the file says others; what people changed here is not taken back by a file that says what it
said before. A server may run meanwhile. Without a named file `seed` prepares an empty database from the demo tenant and leaves
any other alone.

## Users
`--users users.json` takes Auth0's bulk-import JSON: one array. People belong to the first of `databases`. bcrypt (`$2a$`, `$2b$`,
up to 14 rounds) and Argon2 hashes are kept as they are; who comes with another hash comes without a password. A `user_id` without
`|` gets `auth0|` before it; without any it is derived from the address. Who has no address is left out: people log in by it.
"""

_ABOUT_WARNINGS = """\
Each is a warning, with the name of what it concerns, when its value protects something. Besides: every Action, rule and hook
in JavaScript that is switched on, and an app of type `native` or `spa` that has a secret in Auth0."""


def tenant_import_page() -> str:
    """By place, what is taken and what is not."""
    warned = [
        (f"`{place or 'section'}`" if place else "section", f"`{name}`", each.lost)
        for place, names in auth0_names.MEMBERS.items()
        for name, each in names.items()
        if each.lost and name not in _taken(place)
    ]
    ignored = [row for place, names in auth0_names.MEMBERS.items() for row in _reasons(place, names)]
    users = {
        name: each for name, each in auth0_names.USER_MEMBERS.items() if name not in ImportedUserModel.model_fields
    }
    return "\n".join(
        [
            "# Bring your tenant",
            "",
            NOTE.format(sources="authserver/tenant_file and tests/documents/tenant_import.py"),
            "",
            _ABOUT,
            "## Taken",
            "",
            *table(("Place", "Members"), _all_taken()),
            "",
            "## Not protected here",
            "",
            _ABOUT_WARNINGS,
            "",
            *table(("Place", "Member", "What that means"), warned),
            "",
            "## Not run",
            "",
            "`actions` whose code is no Python file, and what `triggers` bind to them; "
            + ", ".join(f"`{name}`" for name in auth0_names.NOT_RUN)
            + ". They are listed by name.",
            "",
            "## Ignored",
            "",
            *table(("Place", "Members", "Why"), ignored),
            *table_rows(_reasons("users.json", users)),
            "",
            f"Strategies of connections other than `oidc` and `samlp`: {_names(auth0_names.STRATEGIES - {'oidc', 'samlp', 'auth0'})}.",
            "",
        ]
    )


def table_rows(rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """More rows of the table above."""
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _reasons(place: str, names: dict[str, Unplayed]) -> Iterator[tuple[str, ...]]:
    together: dict[str, list[str]] = {}
    for name, each in names.items():
        if name not in _taken(place):
            together.setdefault(each.why, []).append(name)
    for why, members in together.items():
        yield f"`{place}`" if place else "section", _names(members), why


def _taken(place: str) -> set[str]:
    return dict(_models()).get(place, set())


def _all_taken() -> Iterator[tuple[str, ...]]:
    for place, names in _models():
        yield f"`{place}`" if place else "section", _names(names)
    yield (
        "`users.json`",
        _names(
            {*ImportedUserModel.model_fields, "custom_password_hash", "phone_verified"}
            - {"password", "roles", "permissions"}
        ),
    )


def _names(names: Any) -> str:
    listed = names if isinstance(names, list) else sorted(names)
    return ", ".join(f"`{name}`" for name in listed)


def _models(model: type[BaseModel] = TenantFile, place: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every place that has a model, with its members."""
    yield place, set(model.model_fields)
    for name, field in model.model_fields.items():
        inner, is_list = _model_in(field.annotation)
        if inner is not None:
            yield from _models(inner, f"{place}.{name}".lstrip(".") + ("[]" if is_list else ""))


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for each in get_args(annotation):
        model, _ = _model_in(each)
        if model is not None:
            return model, get_origin(annotation) in (tuple, dict)
    return None, False
