"""Static files: under addresses that change with their content, so browsers may keep them for ever."""

from __future__ import annotations

from chatserver.errors import NotFound
from chatserver.quotas.quotas import counted_as
from chatserver.web.handlers.base import Handler
from chatserver.web.handlers.compression import accepts_gzip


class StaticHandler(Handler):
    open_to_all = True
    answers_from_memory = True
    quotas = counted_as(GET=[])

    _tag: str | None = None

    async def prepare(self) -> None:
        self._refuse_unknown_method()

    async def get(self, version: str, path: str) -> None:
        files = self.http.static_files
        file = files.find(path)
        if file is None:
            raise NotFound
        # While a new release takes over, a page of one may ask the other for its files: those must not be cached.
        if version == files.version:
            self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("Content-Type", file.kind)
        body, self._tag = file.body, f'"{file.tag}"'
        if file.compressed is not None:
            self.set_header("Vary", "Accept-Encoding")
            if accepts_gzip(self.request.headers):
                self.set_header("Content-Encoding", "gzip")
                body, self._tag = file.compressed, f'"{file.tag}-gzip"'
        self.write(body)

    def compute_etag(self) -> str | None:
        return self._tag
