"""The middleware that keeps the routes which load adapters for the pod itself."""

import asyncio
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.programs import program

POD = ("10.0.0.7", 8000)
INSIDE = ("127.0.0.1", 40000)
OUTSIDE = ("10.0.0.9", 40000)
#: vLLM's (entrypoints/serve/lora/api_router.py of 0.33), SageMaker's (sagemaker/lora/routes.py of
#: model-hosting-container-standards), with a root path and with what Starlette redirects.
ROUTES = [
    "/v1/load_lora_adapter",
    "/v1/unload_lora_adapter",
    "/v1/load_lora_adapter/",
    "/adapters",
    "/adapters/sql",
    "/llm/v1/load_lora_adapter",
    "/llm/adapters/sql",
]


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("secret")
    return path


@pytest.fixture(params=["alone", "with a sidecar"])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, token: Path) -> ModuleType:
    if request.param == "with a sidecar":
        monkeypatch.setenv("ADAPTER_TOKEN_FILE", str(token))
    return program("adapter_routes")


def ask(module: ModuleType, path: str, client: Any, *headers: tuple[bytes, bytes], server: Any = POD) -> int:
    """The status of an answer, 200 from the engine behind."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def engine(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    scope = {"type": "http", "path": path, "client": client, "server": server, "headers": list(headers)}
    asyncio.run(module.AdapterRoutes(engine)(scope, None, send))
    if sent[0]["status"] != 200:
        assert "lora.reload: true" in json.loads(sent[1]["body"])["error"]["message"]
    return int(sent[0]["status"])


RIGHT = (b"x-adapter-token", b"secret")
KEY = (b"authorization", b"Bearer right-key")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("client", [OUTSIDE, ("::ffff:10.0.0.9", 1), ("2001:db8::1", 1), ("testclient", 1), None])
def test_nobody_else_loads_an_adapter(module: ModuleType, path: str, client: Any) -> None:
    assert ask(module, path, client, KEY) == 403
    assert ask(module, path, client, KEY, RIGHT) == 403


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("client", [INSIDE, ("::1", 1), ("::ffff:127.0.0.1", 1), (POD[0], 40000)])
def test_the_pod_itself_does(module: ModuleType, path: str, client: Any) -> None:
    assert ask(module, path, client, RIGHT) == 200


@pytest.mark.parametrize("header", [(), (b"x-adapter-token", b""), (b"x-adapter-token", b"guessed")])
def test_with_a_sidecar_looking_like_the_pod_is_not_enough(
    header: Any, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mesh's proxy asks the engine from 127.0.0.6, and FORWARDED_ALLOW_IPS lets clients say who they are."""
    monkeypatch.setenv("ADAPTER_TOKEN_FILE", str(token))
    module = program("adapter_routes")
    headers = [header] if header else []
    assert ask(module, ROUTES[0], ("127.0.0.6", 1), *headers) == 403
    token.write_text("")
    assert ask(module, ROUTES[0], INSIDE, *headers) == 403
    token.unlink()
    assert ask(module, ROUTES[0], INSIDE, *headers) == 403


@pytest.mark.parametrize("path", ["/v1/completions", "/health", "/v1/models", "/v1/adapter", "/"])
def test_everything_else_is_passed_on(module: ModuleType, path: str) -> None:
    assert ask(module, path, OUTSIDE) == 200


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_request_is_passed_on(module: ModuleType, kind: str) -> None:
    seen = []

    async def engine(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(module.AdapterRoutes(engine)({"type": kind}, None, None))
    assert seen == [kind]
