"""Faults: set, looked at and removed, each in its tenant alone."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, SerializeAsAny
from starlette.responses import Response

from authserver.store import issued
from authserver.store.registered import find_client, find_user
from authserver.testing.control.asking import ONE, Chosen, Refused
from authserver.testing.faults import NoSuchFault, Order, TooManyFaults
from authserver.testing.faults.kept import MOST, Fault
from authserver.testing.faults.kinds import AnyOrder
from authserver.testing.host import Rehearsal

router = APIRouter()


class SetFault(BaseModel):
    """A fault that stands. `hits`: requests that it spoiled; `name`: what their answers say in `Understudy-Fault`."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    hits: int
    order: SerializeAsAny[Order]


@router.post(f"{ONE}/faults", status_code=201)
def set_fault(order: AnyOrder, of: Chosen) -> SetFault:
    """From now on, behind those that are set already: a request meets the first one that is for it, and no other."""
    _check_known(order, of)
    try:
        return _told(of.faults.add(order))
    except TooManyFaults:
        raise Refused(f"a tenant has at most {MOST} faults: remove some first", 409) from None


@router.get(f"{ONE}/faults")
def list_faults(of: Chosen) -> list[SetFault]:
    """As they were set, spent ones included."""
    return [_told(each) for each in of.faults.all()]


@router.delete(f"{ONE}/faults", status_code=204)
def clear_faults(of: Chosen) -> Response:
    """Remove all. Requests that one of them holds go on."""
    of.faults.clear()
    return Response(status_code=204)


@router.get(f"{ONE}/faults/{{id}}")
def read_fault(id: str, of: Chosen) -> SetFault:  # noqa: A002 - the name in the path
    """One of them."""
    try:
        return _told(of.faults.find(id))
    except NoSuchFault:
        raise _unknown() from None


@router.delete(f"{ONE}/faults/{{id}}", status_code=204)
def remove_fault(id: str, of: Chosen) -> Response:  # noqa: A002 - likewise
    """Take it back. What it delays is answered now, what hangs is cut."""
    try:
        of.faults.remove(id)
    except NoSuchFault:
        raise _unknown() from None
    return Response(status_code=204)


def _told(fault: Fault) -> SetFault:
    return SetFault(id=fault.id, name=fault.order.name, hits=fault.hits, order=fault.order)


def _unknown() -> Refused:
    return Refused("the tenant has no such fault", 404)


def _check_known(order: Order, of: Rehearsal) -> None:
    """A fault for somebody whom the tenant does not know would never come true, and nobody would notice."""
    with of.tenant.database.read() as db:
        if order.client_id and find_client(db, order.client_id) is None:
            raise Refused("client_id: the tenant has no such client; register it first")
        if order.user_id and find_user(db, order.user_id) is None:
            raise Refused("user_id: the tenant has no such user; add them first")
        if order.grant_id and issued.find_grant(db, order.grant_id) is None:
            raise Refused("grant_id: the tenant has no such grant")
