"""The reverse proxy that stands in front of most chats: nginx, plainly configured. Some readers and posters use it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from common.nginx import Nginx
from torture.world.proxy import Proxy

TRIED = "X-Tried"
"""The header that says which chats it asked: a PUT or DELETE is passed on to the next one when the first hangs up,
which may have done it all the same."""

SITE = """
    upstream chats {{ {servers} }}
    server {{
        listen PORT;
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
"""

CONNECTIONS = 8192


def in_front_of(links: Sequence[Proxy], program: Path, folder: Path) -> Nginx:
    """Spreads requests over the chats, each behind its link."""
    servers = " ".join(f"server 127.0.0.1:{link.port} max_fails=0;" for link in links)
    return Nginx(program, folder, SITE.format(servers=servers, tried=TRIED), connections=CONNECTIONS)
