"""Password policies: what a new password must be made of.

Done: Auth0's levels none, low, fair, good, excellent, with the shape in which its database API explains itself; a
dictionary and personal information as further rules.
Left out: password history; lists of leaked passwords.

Pure: the password goes in, a refusal or nothing comes out. Lengths are counted in characters.
"""

import re
from dataclasses import dataclass
from typing import Any

from authserver.connections.database import DatabaseOptions
from authserver.database_errors import PasswordHoldsPersonalInfo, PasswordTooCommon, PasswordTooLong, PasswordTooWeak
from authserver.passwords import LONGEST

_LENGTHS = {"none": 1, "low": 6, "fair": 8, "good": 8, "excellent": 10}
_AT_LEAST = 3
"""Kinds of characters that `good` and `excellent` ask for."""

_IN_A_ROW = 2
"""Equal characters in a row that `excellent` allows."""

_SPECIAL = re.compile(r"[^\w\s]|_")
_WORDS = (
    "123456 1234567 12345678 123456789 1234567890 0987654321 111111 000000 abc123 abcd1234 admin admin123 asdfghjk"
    " changeme dragon football hello123 iloveyou letmein login master monkey p@ssw0rd pass1234 passw0rd password"
    " password1 password12 password123 password1! princess qazwsx qwerty qwerty123 qwertyuiop secret shadow starwars"
    " sunshine superman trustno1 understudy welcome welcome1 welcome123 zaq12wsx"
)
_COMMON = frozenset(_WORDS.split())


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of characters."""

    code: str
    message: str

    def is_in(self, password: str) -> bool:
        """Whether the password has one."""
        match self.code:
            case "lowerCase":
                return any(ch.islower() for ch in password)
            case "upperCase":
                return any(ch.isupper() for ch in password)
            case "numbers":
                return any(ch.isdecimal() for ch in password)
            case _:
                return _SPECIAL.search(password) is not None


_LETTERS_AND_NUMBERS = (
    _Kind("lowerCase", "lower case letters (a-z)"),
    _Kind("upperCase", "upper case letters (A-Z)"),
    _Kind("numbers", "numbers (i.e. 0-9)"),
)
_ALL_KINDS = (*_LETTERS_AND_NUMBERS, _Kind("specialCharacters", "special characters (e.g. !@#$%^&*)"))


def check_password(password: str, options: DatabaseOptions, personal: dict[str, Any]) -> None:
    """`personal` is the profile as it will stand.

    Raises PasswordTooLong, PasswordTooWeak with every rule and how it fared, PasswordTooCommon, or
    PasswordHoldsPersonalInfo.
    """
    if len(password) > LONGEST:
        raise PasswordTooLong
    rules = _rules(password, options)
    if not all(rule["verified"] for rule in rules):
        raise PasswordTooWeak(rules, explain(options))
    if options.password_dictionary.enable:
        if password.casefold() in _COMMON | {word.casefold() for word in options.password_dictionary.dictionary}:
            raise PasswordTooCommon
    if options.password_no_personal_info.enable and _is_personal(password.casefold(), personal):
        raise PasswordHoldsPersonalInfo


def explain(options: DatabaseOptions) -> str:
    """The policy as lines of text, for people."""
    lines = []
    for rule in _rules("", options):
        lines.append("* " + _filled(rule))
        lines += [f"  * {item['message']}" for item in rule.get("items", ())]
    return "\n".join(lines)


def _rules(password: str, options: DatabaseOptions) -> list[dict[str, Any]]:
    level = options.passwordPolicy
    least = options.password_complexity_options.min_length or _LENGTHS[level]
    rules: list[dict[str, Any]] = [
        {
            "message": "At least %d characters in length",
            "format": [least],
            "code": "lengthAtLeast",
            "verified": len(password) >= least,
        }
    ]
    if level == "fair":
        items = _items(password, _LETTERS_AND_NUMBERS)
        found = all(item["verified"] for item in items)
        rules.append({"message": "Should contain:", "code": "shouldContain", "items": items, "verified": found})
    if level in ("good", "excellent"):
        items = _items(password, _ALL_KINDS)
        rules.append(
            {
                "message": "Contain at least %d of the following %d types of characters:",
                "format": [_AT_LEAST, len(_ALL_KINDS)],
                "code": "containsAtLeast",
                "items": items,
                "verified": sum(item["verified"] for item in items) >= _AT_LEAST,
            }
        )
    if level == "excellent":
        rules.append(
            {
                "message": 'No more than %d identical characters in a row (e.g., "%s" not allowed)',
                "format": [_IN_A_ROW, "a" * (_IN_A_ROW + 1)],
                "code": "identicalChars",
                "verified": re.search(rf"(.)\1{{{_IN_A_ROW}}}", password, re.DOTALL) is None,
            }
        )
    return rules


def _items(password: str, kinds: tuple[_Kind, ...]) -> list[dict[str, Any]]:
    return [{"message": kind.message, "code": kind.code, "verified": kind.is_in(password)} for kind in kinds]


def _filled(rule: dict[str, Any]) -> str:
    message: str = rule["message"]
    return message % tuple(rule.get("format", ()))


def _is_personal(password: str, personal: dict[str, Any]) -> bool:
    """Whether a name, or the part of the address before its @, stands in it."""
    names = [str(personal.get(name) or "") for name in ("name", "given_name", "family_name", "nickname")]
    names += [str(personal.get("email") or "").partition("@")[0]]
    words = {word for name in names for word in (name, *re.split(r"[\s._+-]+", name))}
    return any(len(word) >= 3 and word.casefold() in password for word in words)
