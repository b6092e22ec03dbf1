"""The reverse proxy that stands in front of most chats: nginx, plainly configured. Some readers and posters use it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from desk.private_server import PrivateServer
from torture.proxy import Proxy

CONFIG = """
{user}
daemon off;
master_process off;
pid {folder}/nginx-own.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream chats {{ {servers} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://chats;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_connect_timeout 2s;
            proxy_read_timeout 75s;
            add_header {tried} $upstream_addr always;
        }}
    }}
}}
"""


TRIED = "X-Tried"
"""The header that says which chats it asked: a PUT or DELETE is passed on to the next one when the first hangs up,
which may have done it all the same."""


class Nginx(PrivateServer):
    """Spreads requests over the chats, each behind its link."""

    name = "nginx"

    def __init__(self, program: Path, folder: Path, links: Sequence[Proxy]) -> None:
        super().__init__(program, folder)
        self._links = links

    def arguments(self) -> Sequence[str]:
        config = self.folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                tried=TRIED,
                user="user root;" if os.geteuid() == 0 else "",
                folder=self.folder,
                port=self.port,
                servers=" ".join(f"server 127.0.0.1:{link.port} max_fails=0;" for link in self._links),
            )
        )
        return ["-p", str(self.folder), "-c", str(config), "-e", str(self.folder / "error.log")]

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def find_program() -> Path | None:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    return Path(found) if found else None
