"""The refusals of database connections, as their API says them and as their pages show them.

    ProtocolError
    └── DatabaseError                     JSON with name, code, description, statusCode
        ├── FieldMissing                  JSON with `error` alone
        ├── ConnectionNotServed · ClientNotKnown
        ├── SignUpDisabled
        ├── InvalidSignUp
        │   └── UserExists                where the tenant lets it be said
        └── PasswordRefused
            ├── PasswordTooWeak           description is an object: every rule and how it fared
            ├── PasswordTooCommon · PasswordHoldsPersonalInfo · PasswordTooLong

No RFC speaks of these endpoints, so shape, status and code are the same in both dialects, and only sentences differ.
"""

from typing import Any, ClassVar

from authserver.errors import ProtocolError


class DatabaseError(ProtocolError):
    """`name` is the kind of error, as Auth0's SDKs compare it."""

    name: ClassVar[str] = "BadRequestError"

    def members(self, status: int, code: str, description: str) -> dict[str, Any]:
        """The JSON members, with the words that the policy chose."""
        return {"name": self.name, "code": code, "description": description, "statusCode": status}


class FieldMissing(DatabaseError):
    """Names the field, always one of our constants."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is required")

    def members(self, status: int, code: str, description: str) -> dict[str, Any]:  # noqa: ARG002 - has no code
        return {"error": description}


class FieldMalformed(DatabaseError):
    """A field holds what it cannot hold."""


class ClientNotKnown(DatabaseError):
    """No client has this client_id."""

    error = "invalid_client"
    description = "No client has this client_id."


class ConnectionNotServed(DatabaseError):
    """No such database, or none for this client: not told apart."""

    error = "invalid_connection"
    description = "The connection is unknown, or not enabled for this client."


class SignUpDisabled(DatabaseError):
    """The operator makes the accounts."""

    error = "unauthorized"
    description = "Nobody can sign up with this connection."


class InvalidSignUp(DatabaseError):
    """The account cannot be made, and why is not said: others would learn who has one."""

    error = "invalid_signup"
    description = "The account could not be made."


class UserExists(InvalidSignUp):
    """The same, where `enable_public_signup_user_exists_error` allows to say it."""

    error = "user_exists"
    description = "There is an account with this email address already."


class PasswordRefused(DatabaseError):
    """Another password would do."""

    error = "invalid_password"


class PasswordTooLong(PasswordRefused):
    """Hashing must not be made expensive."""

    name = "PasswordStrengthError"
    description = "The password is too long."


class PasswordTooWeak(PasswordRefused):
    """`rules` are those of the policy, each with `verified`; `policy` is the text for people."""

    name = "PasswordStrengthError"
    description = "The password is too weak."

    def __init__(self, rules: list[dict[str, Any]], policy: str) -> None:
        self.rules, self.policy = rules, policy
        super().__init__()

    def members(self, status: int, code: str, description: str) -> dict[str, Any]:
        return {
            "name": self.name,
            "message": description,
            "code": code,
            "description": {"rules": self.rules, "verified": False},
            "policy": self.policy,
            "statusCode": status,
        }


class PasswordTooCommon(PasswordRefused):
    """It stands in the dictionary."""

    name = "PasswordDictionaryError"
    error = "password_dictionary_error"
    description = "The password is one that everybody tries first."


class PasswordHoldsPersonalInfo(PasswordRefused):
    """A name of its owner stands in it."""

    name = "PasswordNoUserInfoError"
    error = "password_no_user_info_error"
    description = "The password contains a name of yours or a part of your email address."
