"""What happens to a request that meets a fault.

Done: RFC 9112 §8 (an incomplete message is one) · RFC 9110 §8.6.

Waiting is done on the loop, so that it costs no thread, and ends when the fault is removed, the tenant dropped or the
server stopped: nobody has to wait for somebody who waits.
"""

import json
from dataclasses import dataclass, replace
from functools import singledispatch

import anyio.to_thread
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Scope, Send

from authserver.tenant import TENANT, Tenant
from authserver.testing.ending import first_of
from authserver.testing.exchange import Asked
from authserver.testing.faults import answers, lies
from authserver.testing.faults.kept import Fault
from authserver.testing.faults.kinds import (
    Answer,
    Cut,
    Delay,
    Error,
    Hang,
    Html,
    IdToken,
    LoseAnswer,
    Order,
    Outage,
    RateLimit,
    RotateKeys,
    Skew,
    Truncate,
)
from authserver.testing.faults.matching import About
from authserver.testing.host import Host, Rehearsal
from authserver.testing.line import Line, line_of
from authserver.testing.recording import Taking

HEADER = b"understudy-fault"


@dataclass(slots=True)
class Scene:
    """One request that meets `fault`. `app` are the rooms, `send` is the way back to who asked."""

    app: ASGIApp
    host: Host
    rehearsal: Rehearsal
    scope: Scope
    asked: Asked
    send: Send
    fault: Fault
    about: About
    taking: Taking

    @property
    def line(self) -> Line | None:
        """The connection that it came on."""
        return line_of(self.scope)

    async def play(self, tenant: Tenant | None = None) -> None:
        """The true answer, which says that there was a fault all the same."""
        await self.app(self._scope(tenant), self.asked.receive, self.marking)

    async def work(self) -> "Worked":
        """The true answer, kept back."""
        worked = Worked()
        await self.app(self._scope(None), self.asked.receive, worked.keep)
        return worked

    async def say(self, response: Response) -> None:
        """An answer that was made up."""
        await response(self.scope, self.asked.receive, self.marking)

    async def cut(self) -> None:
        """Close the connection."""
        if self.line is None:
            await self.say(answers.unable(self.fault.order.name))
        else:
            self.line.cut()

    async def marking(self, message: Message) -> None:
        """Send one message; the first one names the fault."""
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (HEADER, self.fault.order.name.encode())]
        await self.send(message)

    def pass_by(self) -> None:
        """There was nothing to spoil."""
        self.rehearsal.faults.give_back(self.fault)
        self.taking.fault = None

    async def wait(self, seconds: float | None = None) -> bool:
        """Hold the request. Returns whether anybody still wants an answer: the tenant lives, and the server goes on.

        Without `seconds` until the caller gives up.
        """
        waits = [self.fault.removed.wait()]
        if self.line is not None:
            waits.append(self.line.let_go.wait())
        if seconds is None:
            waits.append(self._given_up())
        await first_of(*waits, seconds=seconds)
        return not (self.rehearsal.faults.is_closed or (self.line is not None and self.line.let_go.has_come))

    async def _given_up(self) -> None:
        if self.line is None or self.line.is_patient:
            while (await self.asked.receive())["type"] != "http.disconnect":
                pass

    def _scope(self, tenant: Tenant | None) -> Scope:
        return {**self.scope, TENANT: tenant or self.rehearsal.tenant}


class Worked:
    """An answer of the rooms that has not left yet."""

    def __init__(self) -> None:
        self.start: Message = {}
        self.body = b""

    async def keep(self, message: Message) -> None:
        """Stands for `send`."""
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def leave(self, send: Send, body: bytes) -> None:
        """As a complete message with this body."""
        headers = MutableHeaders(raw=list(self.start["headers"]))
        headers["content-length"] = str(len(body))
        await send({**self.start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})

    async def break_off(self, send: Send, after: int) -> None:
        """Its head, and so many bytes of the body that it announces; never all of them."""
        part = self.body[: max(0, min(after, len(self.body) - 1))]
        if part:
            await send(self.start)
            await send({"type": "http.response.body", "body": part, "more_body": True})


@singledispatch
async def spoil(order: Order, scene: Scene) -> None:
    """Answer `scene` as `order` wants it."""
    raise NotImplementedError(order.kind)


@spoil.register(Answer)
@spoil.register(Error)
@spoil.register(Html)
@spoil.register(Outage)
@spoil.register(RateLimit)
async def _(order: answers.Made, scene: Scene) -> None:
    await scene.say(answers.make(order, scene.asked.method, scene.about.callback, scene.rehearsal.tenant))


@spoil.register
async def _(order: Delay, scene: Scene) -> None:
    if await scene.wait(order.seconds):
        await scene.play()
    else:
        await scene.cut()


@spoil.register
async def _(_: Hang, scene: Scene) -> None:
    await scene.wait()
    await scene.cut()


@spoil.register
async def _(order: Cut, scene: Scene) -> None:
    if order.after and scene.line is not None:
        await (await scene.work()).break_off(scene.marking, order.after)
    await scene.cut()


@spoil.register
async def _(_: LoseAnswer, scene: Scene) -> None:
    await scene.work()
    await scene.cut()


@spoil.register
async def _(_: Truncate, scene: Scene) -> None:
    worked = await scene.work()
    await worked.leave(scene.marking, worked.body[: len(worked.body) // 2])


@spoil.register
async def _(order: RotateKeys, scene: Scene) -> None:
    host, rehearsal = scene.host, scene.rehearsal
    await anyio.to_thread.run_sync(lambda: host.rotate_keys(rehearsal, 0, withdraw=order.withdraw))
    await scene.play()


@spoil.register
async def _(order: Skew, scene: Scene) -> None:
    true = scene.rehearsal.tenant
    await scene.play(replace(true, now=lambda: max(0, true.now() + order.seconds)))


@spoil.register
async def _(order: IdToken, scene: Scene) -> None:
    worked = await scene.work()
    answer = _object(worked.body)
    if "id_token" not in answer:
        scene.pass_by()
        await worked.leave(scene.send, worked.body)
        return
    tell = lies.tell
    lie = await anyio.to_thread.run_sync(tell, order.lie, str(answer["id_token"]), scene.rehearsal.tenant)
    await worked.leave(scene.marking, json.dumps({**answer, "id_token": lie}, separators=(",", ":")).encode())


def _object(body: bytes) -> dict[str, object]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
