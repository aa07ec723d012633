"""Database API: signing up and asking for a new password, without a page.

Done: Auth0's `/dbconnections/signup` and `/dbconnections/change_password`, with the errors that its SDKs compare; the
Fetch standard's CORS protocol for registered origins.
Left out: `username` and `organization`, which are ignored; `password` of the older change_password, likewise.

Nobody is logged in here, and no token is issued.
"""

import re

from authserver import attempts, trace
from authserver.connections import new_password, sign_up
from authserver.connections.database import database_named, is_database
from authserver.connections.sign_up import Applicant
from authserver.database_errors import ClientNotKnown, ConnectionNotServed, FieldMalformed, FieldMissing
from authserver.endpoints import Endpoint, Room
from authserver.errors import InvalidRequest, TooManyRequests
from authserver.events import SignUpFailed
from authserver.messages import Answer, Json, Params, Request, Text
from authserver.store.connections import Connection, find_connection
from authserver.store.registered import find_client
from authserver.tenant import Tenant

MAIL_IS_ON_ITS_WAY = "We've just sent you an email to reset your password."
"""Whether or not there is such an account."""

MOST_METADATA = 10
"""Members of `user_metadata`."""

LONGEST_METADATA = 500
"""Characters of one of them."""

_CLAIMS = {"given_name": 150, "family_name": 150, "name": 300, "nickname": 300, "picture": 2048, "phone_number": 50}
"""What somebody may say of themselves, and how many characters of it."""

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_METADATA = re.compile(r"user_metadata\[(.*)\]", re.DOTALL)


def signup(request: Request, tenant: Tenant) -> Answer:
    """Make an account, and answer with what it holds. `_id` is the user id without its prefix."""
    body = request.body
    client_id, email, password = _field(body, "client_id"), _field(body, "email"), _secret(body, "password")
    database = _database(client_id, _field(body, "connection"), tenant)
    applicant = Applicant(email, password, _claims(body), _metadata(body))
    if not attempts.may_ask(request, "sign-up", email, tenant):
        tenant.record(SignUpFailed(client_id, reason="too many requests"))
        raise TooManyRequests
    user = sign_up.prepare(applicant, database, client_id, tenant)
    with tenant.database.write() as db:
        is_new = sign_up.enter(db, user, client_id, tenant)
    if not is_new:
        raise sign_up.taken(tenant)
    said = {"_id": user.user_id.partition("|")[2], "email": user.profile["email"], "email_verified": False}
    metadata = {"user_metadata": applicant.user_metadata} if applicant.user_metadata else {}
    return Json({**said, **applicant.claims, **metadata}, headers=_JSON)


def change_password(request: Request, tenant: Tenant) -> Answer:
    """Mail a link, if there is such an account; the answer is the same in any case."""
    body = request.body
    email, name, client_id = _field(body, "email"), _field(body, "connection"), body.text("client_id")
    if client_id is None:
        with tenant.database.read() as db:
            found = find_connection(db, name)
        if found is None or not is_database(found):
            raise ConnectionNotServed
        database = found
    else:
        database = _database(client_id, name, tenant)
    new_password.ask(request, email, database, client_id, tenant)
    return Text(MAIL_IS_ON_ITS_WAY, media_type="text/html")


def _database(client_id: str, name: str, tenant: Tenant) -> Connection:
    with tenant.database.read() as db:
        if find_client(db, client_id) is None:
            raise ClientNotKnown
        trace.note_client(client_id)
        return database_named(db, name, client_id)


def _field(body: Params, name: str) -> str:
    value = body.text(name)
    if value is None:
        raise FieldMissing(name)
    return value


def _secret(body: Params, name: str) -> str:
    value = body.opaque(name)
    if value is None:
        raise FieldMissing(name)
    return value


def _claims(body: Params) -> dict[str, str]:
    said = {name: body.text(name, limit=limit) for name, limit in _CLAIMS.items()}
    claims = {name: value for name, value in said.items() if value is not None}
    if not claims.get("picture", "https://").startswith(("https://", "http://")):
        raise FieldMalformed("picture must be an http or https URL")
    return claims


def _metadata(body: Params) -> dict[str, str]:
    names = [(match[1], name) for name, _ in body.pairs if (match := _METADATA.fullmatch(name))]
    if "user_metadata" in body:
        raise FieldMalformed("user_metadata must be an object")
    if len(names) > MOST_METADATA:
        raise FieldMalformed(f"user_metadata must have at most {MOST_METADATA} properties")
    try:
        found = {key: body.text(name, limit=LONGEST_METADATA) for key, name in names}
        for key in found:
            Params([("key", key)]).text("key", limit=LONGEST_METADATA)
    except InvalidRequest:
        # Not in the words of `text`: what the caller named would be in them.
        message = f"user_metadata must have strings of at most {LONGEST_METADATA} characters as properties"
        raise FieldMalformed(message) from None
    return {key: value for key, value in found.items() if value is not None}


ROOM = Room(
    endpoints=(
        Endpoint("/dbconnections/signup", {"POST": signup}, "database", query=False, cors="registered"),
        Endpoint(
            "/dbconnections/change_password", {"POST": change_password}, "database", query=False, cors="registered"
        ),
    ),
)
