"""Redis over TLS: whom the chat believes to be its server, tried on a real one with made certificates."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from chatserver.errors import Unavailable
from chatserver.serving import say_what_is_unsafe
from chatserver.settings import Settings
from chatserver.support.redis_client import connect, redis_errors_as_unavailable
from chatserver.support.redis_trust import is_unverified, with_trust
from desk import programs
from desk.embedded import free_port
from tests.conftest import ROOT
from tests.test_settings import REQUIRED

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's certificate for `localhost`, the authority that signed it, and another one."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("authority", "other"):
        subject = ("-days", "2", "-subj", f"/CN={name}")
        openssl(folder, "req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", *subject)
    openssl(folder, "req", *KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    signer = ("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl(folder, "x509", "-req", "-in", "server.csr", *signer, "-out", "server.pem")
    return folder


@pytest.fixture(scope="module")
def tls_port(certificates: Path) -> Iterator[int]:
    port = free_port()
    files = ("--tls-cert-file", "server.pem", "--tls-key-file", "server.key", "--tls-ca-cert-file", "authority.pem")
    server = subprocess.Popen(
        [
            str(programs.find(programs.REDIS, ROOT / "var" / "programs")),
            "--port",
            "0",
            "--tls-port",
            str(port),
            "--tls-auth-clients",
            "no",
            "--save",
            "",
            *files,
        ],
        cwd=certificates,
        stdout=subprocess.DEVNULL,
    )
    try:
        server.wait(0.5)
        pytest.skip("this redis-server was built without TLS")
    except subprocess.TimeoutExpired:
        yield port
    server.terminate()
    server.wait()


def is_believed(url: str, *, on_heroku: bool = False) -> bool:
    """Whether the chat talks to the server there, once one listens."""

    async def ask() -> bool:
        async with asyncio.timeout(20):
            while True:
                client = connect(with_trust(url, on_heroku=on_heroku), connections=1)
                try:
                    with redis_errors_as_unavailable():
                        return bool(await client.ping())
                except Unavailable as error:
                    if "CERTIFICATE_VERIFY_FAILED" in str(error.__cause__):
                        return False
                    await asyncio.sleep(0.1)  # it does not listen yet
                finally:
                    await client.aclose(close_connection_pool=True)

    return uvloop.run(ask())


def test_a_server_is_believed_by_its_authority_and_its_name(tls_port: int, certificates: Path) -> None:
    address = f"rediss://localhost:{tls_port}/0"
    right, wrong = (f"ssl_ca_certs={certificates / name}.pem" for name in ("authority", "other"))
    assert is_believed(f"{address}?{right}")
    assert not is_believed(f"{address}?{wrong}")
    assert not is_believed(f"rediss://127.0.0.1:{tls_port}/0?{right}"), "the certificate is for another name"
    assert not is_believed(f"{address}?ssl_cert_reqs=required")
    assert not is_believed(address), "nobody signed it whom the system knows"


def test_an_address_that_says_how_is_held_to_it_on_heroku_too(tls_port: int, certificates: Path) -> None:
    address = f"rediss://localhost:{tls_port}/0"
    assert is_believed(address, on_heroku=True)
    for parameter in (f"ssl_ca_certs={certificates / 'other.pem'}", "ssl_cert_reqs=required", "ssl_min_version=771"):
        assert not is_believed(f"{address}?{parameter}", on_heroku=True)
    assert is_believed(f"{address}?ssl_cert_reqs=none")


def test_a_site_over_https_without_a_proxy_to_believe_is_said_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    say_what_is_unsafe(Settings.from_environ(REQUIRED | {"ORIGIN": "https://chat.example.org", "TRUSTED_PROXIES": "1"}))
    say_what_is_unsafe(Settings.from_environ(REQUIRED | {"ORIGIN": "http://chat.lan"}))
    assert caplog.text == ""
    say_what_is_unsafe(Settings.from_environ(REQUIRED | {"ORIGIN": "https://chat.example.org"}))
    assert caplog.text.count("TRUSTED_PROXIES is 0") == 1


@pytest.mark.parametrize(
    ("environ", "is_verified"),
    [
        ({"REDIS_URL": "rediss://u:p%40w@h:6380"}, True),
        ({"REDIS_URL": "rediss://h/0?timeout=3"}, True),
        ({"REDIS_URL": "rediss://ec2-1-2-3-4.compute-1.amazonaws.com.evil.test:6380"}, True),
        ({"REDIS_URL": "rediss://h?ssl_ca_certs=/x", "DYNO": "web.1"}, True),
        ({"REDIS_URL": "redis://h", "DYNO": "web.1"}, True),
        ({"REDIS_URL": "rediss://h", "DYNO": "web.1"}, False),
        ({"REDIS_URL": "rediss://:p%40w@ec2-1-2-3-4.compute-1.amazonaws.com:6380"}, False),
        ({"REDIS_URL": "rediss://ec2-1-2-3-4.eu-west-1.compute.amazonaws.com:6380/0?timeout=3"}, False),
        ({"REDIS_URL": "rediss://h?ssl_cert_reqs=none"}, False),
        ({"REDIS_URL": "rediss://h?ssl_check_hostname=False"}, False),
    ],
)
def test_what_is_not_verified_is_said_at_the_start(
    environ: dict[str, str], is_verified: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.from_environ(REQUIRED | environ)
    assert settings.redis_url.startswith(environ["REDIS_URL"])
    assert is_unverified(settings.redis_url) is not is_verified
    say_what_is_unsafe(settings)
    assert ("REDIS_URL: the server's certificate is not verified" in caplog.text) is not is_verified
