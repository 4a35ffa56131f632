"""The middleware that shows a renewed certificate: a real server, and files that change as the kubelet changes them."""

import asyncio
import shutil
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import trustme

from tests.envoy import mount
from tests.programs import program

PATIENCE_SECONDS = 10


@pytest.fixture
def certificate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = program("certificate")
    monkeypatch.setattr(module, "EVERY", 0.02)
    return module


def issue(authority: trustme.CA) -> dict[str, str]:
    issued = authority.issue_cert("127.0.0.1")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return {"tls.crt": chain.decode(), "tls.key": issued.private_key_pem.bytes().decode()}


def replace(folder: Path, contents: dict[str, str]) -> None:
    """As the kubelet does it, which takes away the files that were there before."""
    before = (folder / "..data").resolve()
    mount(folder, contents)
    if before.name != "..data":
        shutil.rmtree(before)


def serve(
    module: ModuleType, folder: Path, during: Callable[[int], Awaitable[None]], *, authorities: Path | None = None
) -> None:
    """A server that speaks TLS by the certificate of a folder, and the middleware beside it as uvicorn runs it. during:
    is given its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    config = SimpleNamespace(
        ssl=context,
        ssl_certfile=str(folder / "tls.crt"),
        ssl_keyfile=str(folder / "tls.key"),
        ssl_ca_certs=authorities and str(authorities),
    )
    state = SimpleNamespace(server=SimpleNamespace(config=config))

    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        async def closing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=context)
        async with server:
            await during(server.sockets[0].getsockname()[1])

    scope = {"type": "lifespan", "app": SimpleNamespace(state=state)}
    asyncio.run(module.Renewed(lifespan)(scope, None, None))


async def shown(port: int) -> str:
    return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))


async def another(port: int, before: str) -> str:
    """The certificate that is shown instead of another one."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (now := await shown(port)) == before:
            await asyncio.sleep(0.01)
    return now


def test_every_renewed_certificate_is_shown(certificate: ModuleType, tmp_path: Path) -> None:
    """vLLM's own --enable-ssl-refresh shows the first one, and none after it."""
    authority = trustme.CA()
    replace(tmp_path, issue(authority))

    async def during(port: int) -> None:
        for _ in range(3):
            before, new = await shown(port), issue(authority)
            replace(tmp_path, new)
            assert await another(port, before) in new["tls.crt"]

    serve(certificate, tmp_path, during)


def test_a_key_of_another_certificate_changes_nothing(
    certificate: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = trustme.CA()
    replace(tmp_path, issue(authority))

    async def during(port: int) -> None:
        before, new = await shown(port), issue(authority)
        said = ""
        replace(tmp_path, new | {"tls.key": issue(authority)["tls.key"]})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "the one before stays" not in said:
                said += capsys.readouterr().out
                await asyncio.sleep(0.01)
        assert str(tmp_path / "tls.key") in said
        assert await shown(port) == before
        replace(tmp_path, new)
        assert await another(port, before) in new["tls.crt"]

    serve(certificate, tmp_path, during)


def test_clients_of_a_new_authority_are_known(certificate: ModuleType, tmp_path: Path) -> None:
    """For --ssl-ca-certs: the context that asks for certificates learns of authorities that are added."""
    old, new = trustme.CA(), trustme.CA()
    replace(tmp_path / "own", issue(old))
    replace(tmp_path / "clients", {"ca.crt": old.cert_pem.bytes().decode()})
    contexts: list[ssl.SSLContext] = []

    async def during(port: int) -> None:
        pem = old.cert_pem.bytes() + new.cert_pem.bytes()
        replace(tmp_path / "clients", {"ca.crt": pem.decode()})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while contexts[0].cert_store_stats()["x509_ca"] != 2:
                await asyncio.sleep(0.01)

    load = certificate.watch

    def watch(config: Any) -> Any:
        contexts.append(config.ssl)
        return load(config)

    certificate.watch = watch  # type: ignore[attr-defined]
    serve(certificate, tmp_path / "own", during, authorities=tmp_path / "clients" / "ca.crt")


def test_requests_are_passed_on(certificate: ModuleType) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    asyncio.run(certificate.Renewed(app)({"type": "http"}, 1, 2))

    assert seen == [({"type": "http"}, 1, 2)]


@pytest.mark.parametrize("app", [None, SimpleNamespace(), SimpleNamespace(state=SimpleNamespace(server=None))])
def test_a_vllm_that_keeps_its_server_elsewhere_starts_all_the_same(
    certificate: ModuleType, app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    started = []

    async def lifespan(*_: Any) -> None:
        started.append(True)

    asyncio.run(certificate.Renewed(lifespan)({"type": "lifespan", "app": app}, None, None))

    assert started
    assert "needs a restart" in capsys.readouterr().out
