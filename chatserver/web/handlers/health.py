"""Health checks for load balancers and monitoring."""

from __future__ import annotations

from chatserver import __version__
from chatserver.quotas.quotas import counted_as
from chatserver.web.handlers.base import Handler


class Healthz(Handler):
    """The process runs. Asks no other server, so that a database in trouble does not get all processes killed."""

    open_to_all = True
    quotas = counted_as(GET=[])

    async def prepare(self) -> None:
        self._refuse_unknown_method()

    async def get(self) -> None:
        self.write_json(200, {"ok": True, "version": __version__})


class Readyz(Healthz):
    """Answers 200 if requests should be sent here, else 503."""

    async def get(self) -> None:
        parts = await self.services.health.parts()
        draining = self.services.health.draining
        failing = self.services.health.failing()
        ready = all(parts.values()) and not draining and not failing
        answer = {**parts, "draining": draining}
        self.write_json(200 if ready else 503, answer | ({"failing": failing} if failing else {}))
