"""An nginx of our own: Debian's program, configured with nothing but what its user says."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from common.private_server import Listener

SINGLE_PROCESS = "master_process off;"

CONFIG = """
{main}
{user}
daemon off;
pid {folder}/own.pid;
error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


class Nginx(Listener):
    """`site`: what stands in `http {}`; it has `listen PORT` where the port is not known yet. `main`: what stands
    outside of it. `connections`: how many a process may have."""

    name = "nginx"

    def __init__(
        self, program: Path, folder: Path, site: str, *, main: str = SINGLE_PROCESS, connections: int = 512
    ) -> None:
        super().__init__(program, folder)
        self._site = site
        self._main = main
        self._connections = connections

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def complaints(self) -> str:
        """What it found wrong with the chat's answers, or with its own configuration."""
        return (self.folder / "error.log").read_text()

    def arguments(self) -> Sequence[str]:
        config = self.folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                main=self._main,
                user="user root;" if os.geteuid() == 0 else "",
                folder=self.folder,
                connections=self._connections,
                site=self._site.replace("listen PORT", f"listen 127.0.0.1:{self.port}"),
            )
        )
        return ["-p", str(self.folder), "-c", str(config), "-e", str(self.folder / "error.log")]


def find_program() -> Path | None:
    """The nginx of this machine. (scripts/find-nginx fetches one where there is none.)"""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin")
    return Path(found) if found else None
