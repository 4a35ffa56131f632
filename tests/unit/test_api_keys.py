"""The middleware of several API keys, in front of a guard like vLLM's: each key is let in, nothing else is."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.programs import program

Load = Callable[..., ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    def loaded(**environment: str) -> ModuleType:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return program("api_keys")

    return loaded


class Guard:
    """vLLM's own, with the one key of its environment (entrypoints/serve/middleware/authenticate.py)."""

    def __init__(self, key: str) -> None:
        self.digest = hashlib.sha256(key.encode()).digest()
        self.let_in: bool | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
        scheme, _, given = headers.get("authorization", "").partition(" ")
        right = secrets.compare_digest(hashlib.sha256(given.encode()).digest(), self.digest)
        self.let_in = scheme.lower() == "bearer" and right


def let_in(module: ModuleType, *headers: tuple[bytes, bytes], kind: str = "http") -> bool | None:
    guard = Guard("first")
    asyncio.run(module.ApiKeys(guard)({"type": kind, "headers": list(headers)}, None, None))
    return guard.let_in


KEYS = {"VLLM_API_KEY": "first", "OTHER_API_KEY_2": "second", "OTHER_API_KEY_3": "third"}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("header", "right"),
    [
        (b"Bearer first", True),
        (b"Bearer second", True),
        (b"bearer third", True),
        (b"Bearer fourth", False),
        (b"Bearer ", False),
        (b"Bearer  second", False),
        (b"Basic second", False),
        (b"second", False),
        (b"", False),
        (b"Bearer \xff\xfe", False),
    ],
)
def test_the_keys_are_let_in_and_nothing_else(load: Load, header: bytes, right: bool, kind: str) -> None:
    assert let_in(load(**KEYS), (b"x", b"y"), (b"authorization", header), kind=kind) is right


def test_who_shows_no_key_is_not_let_in(load: Load) -> None:
    assert let_in(load(**KEYS)) is False


def test_the_header_is_found_however_it_is_written(load: Load) -> None:
    assert let_in(load(**KEYS), (b"Authorization", b"Bearer second")) is True


def test_what_is_no_request_is_left_alone(load: Load) -> None:
    seen = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope)

    asyncio.run(load(**KEYS).ApiKeys(app)({"type": "lifespan"}, None, None))
    assert seen == [{"type": "lifespan"}]


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("key", ["", "second\n", " second", "schlüssel"])
def test_a_secret_without_a_key_ends_the_start(load: Load, name: str, key: str) -> None:
    """vLLM takes an empty key for none, and would let everybody in."""
    with pytest.raises(SystemExit, match=name):
        load(**KEYS | {name: key})
