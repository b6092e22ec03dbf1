"""An nginx of a test's own, in front of one chat: Debian's program, configured with nothing but what the test says."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from desk.private_server import PrivateServer

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """
daemon off;
master_process off;
pid {folder}/own.pid;
error_log {folder}/error.log;
events {{ }}
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


class Nginx(PrivateServer):
    """`site` is a configuration in which `listen PORT` stands where the port is not known yet."""

    name = "nginx"

    def __init__(self, program: Path, folder: Path, site: str) -> None:
        super().__init__(program, folder)
        self._site = site

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def complaints(self) -> str:
        """What it found wrong with the chat's answers, or with its own configuration."""
        return (self.folder / "error.log").read_text()

    def arguments(self) -> Sequence[str]:
        config = self.folder / "nginx.conf"
        site = self._site.replace("listen PORT", f"listen 127.0.0.1:{self.port}")
        config.write_text(CONFIG.format(folder=self.folder, site=site))
        return ["-p", str(self.folder), "-c", str(config), "-e", str(self.folder / "error.log")]

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def find_program() -> Path:
    found = subprocess.run(
        [ROOT / "scripts" / "find-nginx"], env=os.environ, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if found.returncode != 0:
        pytest.fail(found.stderr.strip() or "scripts/find-nginx found none", pytrace=False)
    return Path(found.stdout.strip())
