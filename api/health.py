"""Health: for whoever starts and watches this process.

`/healthz`: it runs. `/readyz`: it could answer a request with a token now, because the database answers and
keys of the issuer are here. Asking for readiness fetches keys when there are none (at the pace that `keys`
sets), so that a wrong address shows when the services start and not at the first login.
"""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from api.errors import UnavailableError
from api.service import TheService

router = APIRouter(tags=["health"])


class Status(BaseModel):
    status: str


@router.get("/healthz")
async def healthz() -> Status:
    """This process is alive."""
    return Status(status="ok")


@router.get("/readyz")
async def readyz(service: TheService) -> Status:
    """This process can serve requests: database reachable, keys of the issuer present."""
    await asyncio.to_thread(service.store.probe)  # a database that is gone becomes 503 in `app`
    if not service.keys.usable():
        await asyncio.to_thread(service.keys.refresh)
    if not service.keys.usable():
        raise UnavailableError(
            f"The database answers. The keys of the issuer are not available: {service.keys.problem}. "
            "This service's log names the setting to change"
        )
    return Status(status="ready")
