"""Notes: the resource that this API protects.

Notes belong to the `sub` of the access token. Somebody else's note does not exist: 404, as for one that never
was (OWASP API1, broken object level authorization). Left out on purpose: editing, paging.
"""

import unicodedata
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from api.access import nobodys_notes, requires_person
from api.claims import AccessToken
from api.door import too_large
from api.errors import InvalidContentError, InvalidRequestError, NotFoundError, UnsupportedTypeError
from api.openapi import refusals
from api.service import TheService
from api.strict_json import decode_object

MAX_TEXT_LENGTH = 2000


def _plain_text(value: str) -> str:
    """No control characters but line feed and tab. (Half surrogate pairs are no text for pydantic either.)

    PostgreSQL stores no NUL, and an escape character moves the cursor of whoever lists notes in a terminal.
    """
    if any(unicodedata.category(character) == "Cc" for character in value if character not in "\n\t"):
        raise ValueError("must not contain control characters")
    return value


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: Annotated[
        str, Field(min_length=1, max_length=MAX_TEXT_LENGTH, examples=["Buy oats"]), AfterValidator(_plain_text)
    ]


class Note(BaseModel):
    id: str = Field(examples=["3f2b8e0c5d6a4e1f9b7c0a1d2e3f4a5b"])
    text: str = Field(examples=["Buy oats"])
    created_at: int = Field(description="seconds since 1970-01-01T00:00:00Z", examples=[1_800_000_000])


async def _new_note(request: Request) -> NewNote:
    """The body. A dependency, so that it is read after the token: FastAPI reads a body of its own first."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _not_json()
    try:
        return NewNote.model_validate(decode_object(await request.body()))
    except ValidationError as error:
        raise _not_a_note() from error
    except ValueError as error:
        raise _not_an_object() from error


# What is refused in one place and described in another, in the same words.
def _not_json() -> UnsupportedTypeError:
    return UnsupportedTypeError("The request body must be application/json")


def _not_an_object() -> InvalidRequestError:
    return InvalidRequestError("The request body is not a JSON object")


def _not_a_note() -> InvalidContentError:
    return InvalidContentError(
        f"The body must be a JSON object with one member, text: 1 to {MAX_TEXT_LENGTH} characters, "
        "no control characters but line feed and tab"
    )


def _no_such_note() -> NotFoundError:
    return NotFoundError("There is no such note")


router = APIRouter(prefix="/notes", tags=["notes"])
_BODY = {"required": True, "content": {"application/json": {"schema": NewNote.model_json_schema()}}}


@router.get("", responses=refusals(nobodys_notes()))
def list_notes(token: Annotated[AccessToken, requires_person("read:notes")], service: TheService) -> list[Note]:
    """The caller's notes, oldest first."""
    return [Note.model_validate(row, from_attributes=True) for row in service.store.list(token.sub)]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    openapi_extra={"requestBody": _BODY},
    responses=refusals(_not_an_object(), nobodys_notes(), too_large(), _not_json(), _not_a_note()),
)
def add_note(
    token: Annotated[AccessToken, requires_person("write:notes")],
    note: Annotated[NewNote, Depends(_new_note)],
    service: TheService,
) -> Note:
    """Keep a note for the caller."""
    return Note.model_validate(service.store.add(token.sub, note.text, service.now()))


@router.delete(
    "/{note_id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=refusals(nobodys_notes(), _no_such_note()),
)
def delete_note(
    token: Annotated[AccessToken, requires_person("delete:notes")],
    note_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")],
    service: TheService,
) -> None:
    """Delete one of the caller's notes."""
    if not service.store.remove(token.sub, note_id):
        raise _no_such_note()
