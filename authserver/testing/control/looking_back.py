"""What happened to a tenant's requests and tokens: exchanges, their story, and the lineage of tokens."""

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from authserver.testing import lineage
from authserver.testing.control import models
from authserver.testing.control.asking import ONE, Chosen, Refused
from authserver.testing.lineage.token import Token
from authserver.testing.recorded import Recorded
from authserver.testing.story import story

router = APIRouter()


@router.get(f"{ONE}/exchanges")
def list_exchanges(of: Chosen) -> list[Recorded]:
    """What came in and went out, oldest first; the last thousand."""
    return lineage.attributed(of)


@router.get(f"{ONE}/story", response_class=PlainTextResponse)
def tell_story(of: Chosen) -> str:
    """The same in lines for people."""
    return story([asdict(each) for each in lineage.attributed(of)])


@router.get(f"{ONE}/lineage")
def list_tokens(of: Chosen) -> list[Token]:
    """Every code and token, oldest first."""
    return list(lineage.lineage(of))


@router.post(f"{ONE}/lineage")
def find_token(whose: models.Whose, of: Chosen) -> models.Lineage:
    """One code or token and its family."""
    try:
        token, family = lineage.find(of, whose.token)
    except lineage.Unknown as error:
        raise Refused(str(error), 404) from None
    except lineage.Ambiguous as error:
        raise Refused(str(error), 409) from None
    return models.Lineage(token=token, family=tuple(family))
