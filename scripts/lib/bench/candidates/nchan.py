"""nginx with nchan, in C: the fastest server of event streams that Debian packages. It keeps messages in memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bench.candidates.base import Missing, Peer

MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules")
MODULE = "ngx_nchan_module.so"
REMEDY = "nginx with nchan is not here; on Debian: apt-get install nginx libnginx-mod-nchan"

CONFIG = """
load_module {module};
worker_processes 1;
worker_rlimit_nofile 100000;
daemon off;
pid {folder}/own.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 60000; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    nchan_max_reserved_memory 1g;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location ~ ^/pub/(\\w+)$ {{
            nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 1000; nchan_message_timeout 10m;
        }}
        location ~ ^/sub/(\\w+)$ {{
            nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest;
        }}
        location ~ ^/all/(\\w+)$ {{
            nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message oldest;
        }}
    }}
}}
"""


class Nchan(Peer):
    name = "nchan"

    def path_from_the_start(self, room: int) -> str:
        """Where a stream gives all that is remembered."""
        return f"/all/{room}"

    def _program(self) -> Path:
        found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        module = next((path for folder in MODULES if (path := Path(folder, MODULE)).exists()), None)
        if found is None or module is None:
            raise Missing(REMEDY)
        self._module = module
        return Path(found)

    def _arguments(self, folder: Path, port: int) -> list[str]:
        user = "user root;" if os.geteuid() == 0 else ""
        config = folder / "nginx.conf"
        config.write_text(CONFIG.format(module=self._module, folder=folder, port=port, user=user))
        return ["-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
