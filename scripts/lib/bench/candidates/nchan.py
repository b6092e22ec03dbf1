"""nginx with nchan, in C: the fastest server of event streams that Debian packages. It keeps messages in memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench import words
from bench.candidates.base import Missing, Peer
from common.nginx import Nginx, find_program

MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules")
MODULE = "ngx_nchan_module.so"
REMEDY = "nginx with nchan is not here; on Debian: apt-get install nginx libnginx-mod-nchan"

MAIN = """
load_module {module};
worker_processes 1;
worker_rlimit_nofile 100000;
"""

SITE = """
    keepalive_requests 100000000;
    nchan_max_reserved_memory 1g;
    server {
        listen PORT backlog=4096;
        location ~ ^/pub/(\\w+)$ {
            nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 1000; nchan_message_timeout 10m;
        }
        location ~ ^/sub/(\\w+)$ {
            nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest;
        }
        location ~ ^/many/([\\w,]+)$ {
            nchan_subscriber eventsource; nchan_channel_id_split_delimiter ","; nchan_channel_id $1;
            nchan_subscriber_first_message newest;
        }
        location ~ ^/all/(\\w+)$ {
            nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message oldest;
        }
    }
"""

CONNECTIONS = 60_000


class Nchan(Peer):
    name = "nchan"

    def stream_of(self, rooms: Iterable[int]) -> bytes:
        return words.http_head("GET", f"/many/{','.join(map(str, rooms))}", {"Accept": "text/event-stream"})

    def path_from_the_start(self, room: int) -> str:
        """Where a stream gives all that is remembered."""
        return f"/all/{room}"

    def _make_server(self, folder: Path) -> Nginx:
        program = find_program()
        module = next((path for folder in MODULES if (path := Path(folder, MODULE)).exists()), None)
        if program is None or module is None:
            raise Missing(REMEDY)
        return Nginx(program, folder, SITE, main=MAIN.format(module=module), connections=CONNECTIONS)
