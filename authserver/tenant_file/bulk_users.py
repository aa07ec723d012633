"""People of a bulk-import file: Auth0's JSON for its users-imports job.

bcrypt and Argon2 hashes are kept as they are. Who comes with another kind of hash comes without a password: nobody
can log in as them until they choose one.
"""

import hashlib
import json
import re
from pathlib import Path

import yaml
from pydantic import ValidationError

from authserver.store.registered import username_key
from authserver.tenant_file import auth0_names
from authserver.tenant_file.findings import Finding, Findings
from authserver.tenant_file.models import ImportedUserModel, is_verifiable
from authserver.tenant_file.names import not_protected
from authserver.tenant_file.nodes import (
    TenantFileError,
    drop,
    explain,
    is_nothing,
    items,
    line_of,
    member,
    members,
    parse,
    plain,
    put,
    text,
)
from authserver.tenant_file.reading import Reading

PROVIDER = "auth0|"
"""Before the ids of people of a database."""

_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ALGORITHMS = ("argon2", "bcrypt", "hmac", "ldap", "md4", "md5", "sha1", "sha256", "sha512", "pbkdf2", "scrypt")


def with_users(reading: Reading, path: Path) -> Reading:
    """The reading, and the people of this file. Raises TenantFileError with the line of every mistake."""
    findings = Findings()
    root = _parsed(path)
    people = [each for each in items(root) if _translate(each, findings)]
    imported: list[ImportedUserModel] = []
    mistakes: list[str] = []
    for each in people:
        try:
            imported.append(ImportedUserModel.model_validate(plain(each)))
        except ValidationError as error:
            mistakes += [explain(path, each, dict(mistake)) for mistake in error.errors()]
    if not mistakes:
        mistakes = _twice(path, reading, list(zip(people, imported, strict=True)))
    if mistakes:
        raise TenantFileError("\n".join(mistakes))
    told = [Finding(each.verdict, f"{path.name}: {each.what}", each.why, each.line) for each in findings.found]
    return Reading(reading.file, reading.findings + tuple(told), tuple(imported))


def _parsed(path: Path) -> yaml.Node:
    try:
        content = path.read_text("utf-8-sig")
        data = json.loads(content)
    except json.JSONDecodeError as error:
        raise TenantFileError(f"{path}:{error.lineno}: not JSON: {error.msg}; one array of users is expected") from None
    except (OSError, ValueError, RecursionError) as error:
        raise TenantFileError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, list):
        raise TenantFileError(f"{path}:1: expected one JSON array of users, as Auth0's import takes it")
    # JSON is YAML but for the escapes of characters beyond the first plane; one line each keeps the lines.
    root = parse(path, content if "\\u" not in content else _unescaped(content))
    return root if root is not None else yaml.SequenceNode("", [])


def _unescaped(content: str) -> str:
    """`\\ud83d\\ude00` as the character that it means."""
    return _PAIR.sub(lambda found: found[1] + json.loads(f'"\\u{found[2]}\\u{found[3]}"'), content)


def _translate(node: yaml.Node, findings: Findings) -> bool:
    """Make it a user of ours; False if it cannot be one."""
    if not isinstance(node, yaml.MappingNode):
        return True
    email = text(member(node, "email"))
    of = f"user {email or text(member(node, 'username')) or text(member(node, 'phone_number'))}".strip()
    for name, value in members(node):
        if is_nothing(value):
            drop(node, name)
        elif name in auth0_names.USER_MEMBERS:
            not_protected(findings, name, auth0_names.USER_MEMBERS[name], value, of)
            drop(node, name)
    if not email and (member(node, "phone_number") or of != "user"):
        findings.add("ignored", of, "has no email, by which people log in here", line_of(node))
        return False
    _rename(node)
    _identify(node, email)
    _hash(node, of, findings)
    return True


def _rename(node: yaml.Node) -> None:
    verified = member(node, "phone_verified")
    if verified is not None:
        drop(node, "phone_verified")
        put(node, "phone_number_verified", plain(verified), at=verified)


def _identify(node: yaml.Node, email: str) -> None:
    given = member(node, "user_id")
    if given is None:
        derived = hashlib.sha256(f"understudy user: {username_key(email)}".encode()).hexdigest()[:24]
        put(node, "user_id", PROVIDER + derived)
    elif isinstance(given, yaml.ScalarNode) and "|" not in given.value:
        put(node, "user_id", PROVIDER + given.value, at=given)


def _hash(node: yaml.Node, of: str, findings: Findings) -> None:
    custom = member(node, "custom_password_hash")
    if isinstance(custom, yaml.MappingNode):
        algorithm = text(member(custom, "algorithm"))
        value = text(member(member(custom, "hash"), "value"))
        if algorithm not in _ALGORITHMS:
            return  # left in place: the model refuses it
        drop(node, "custom_password_hash")
        if value and algorithm in ("bcrypt", "argon2") and member(node, "password_hash") is None:
            put(node, "password_hash", value, at=custom)
        else:
            why = f"{algorithm} is not verified here: no password until they choose one"
            findings.add("adapted", f"{of}: custom_password_hash", why, line_of(custom))
    kept = member(node, "password_hash")
    if isinstance(kept, yaml.ScalarNode) and not is_verifiable(kept.value):
        drop(node, "password_hash")
        why = "neither bcrypt ($2a$, $2b$, up to 14 rounds) nor Argon2: no password until they choose one"
        findings.add("adapted", f"{of}: password_hash", why, line_of(kept))


def _twice(path: Path, reading: Reading, people: list[tuple[yaml.Node, ImportedUserModel]]) -> list[str]:
    ids = {user.user_id for user in reading.file.users}
    emails = {username_key(user.email) for user in reading.file.users}
    mistakes = []
    for node, user in people:
        if user.user_id in ids:
            mistakes.append(f"{path}:{line_of(node)}: user_id must be unique: {user.user_id} stands twice")
        if username_key(user.email) in emails:
            mistakes.append(f"{path}:{line_of(node)}: email must be unique: {user.email} stands twice")
        ids.add(user.user_id)
        emails.add(username_key(user.email))
    return mistakes
