"""The preStop hook asks the engine where it listens: on every address, on one, on IPv6 alone."""

import socket
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType

import pytest

from tests.programs import program

V6_ONLY = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    return program("pre_stop")


def port_of_nobody() -> int:
    """A port on which nobody listens at any address: in a pod the engine is alone on its own, and here are others."""
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    with socket.create_server(("", 0), family=family, dualstack_ipv6=dual) as server:
        return int(server.getsockname()[1])


def listen(host: str, *options: tuple[int, int, int]) -> socket.socket:
    """A socket as vLLM makes one, IPv6 for such an address (entrypoints/launchers/launcher.py:340 of 0.33)."""
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    for option in options:
        server.setsockopt(*option)
    try:
        server.bind((host, port_of_nobody()))
    except OSError:
        server.close()
        pytest.skip(f"this machine has no {host}")
    server.listen()
    return server


@pytest.fixture(
    params=[
        ("", (), "127.0.0.1"),
        ("0.0.0.0", (), "127.0.0.1"),
        ("::", (), "127.0.0.1"),
        ("::", (V6_ONLY,), "::1"),
        ("::1", (), "::1"),
        ("127.0.0.1", (), "127.0.0.1"),
        ("127.0.0.2", (), "127.0.0.2"),
        ("localhost", (), "127.0.0.1"),
    ],
    ids=["no host", "0.0.0.0", "::", ":: on a node with bindv6only", "::1", "127.0.0.1", "one address", "localhost"],
)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    """The port of an engine, and the address that reaches it."""
    host, options, reached = request.param
    with closing(listen(host, *options)) as server:
        yield server.getsockname()[1], reached


def test_it_is_found_where_it_listens(hook: ModuleType, engine: tuple[int, str]) -> None:
    port, reached = engine
    assert hook.answering(port, 1) == reached


def test_its_clients_are_counted(hook: ModuleType, engine: tuple[int, str]) -> None:
    port, reached = engine
    with socket.create_connection((reached, port), 1):
        assert hook.connections(port) >= 1


def test_what_is_bound_and_does_not_listen_yet_is_still_loading(hook: ModuleType) -> None:
    with closing(socket.socket()) as server:
        server.bind(("", 0))
        assert hook.answering(server.getsockname()[1], 1) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_without_the_kernels_table_both_loopbacks_are_tried(
    hook: ModuleType, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "sockets", lambda _: [])
    with closing(listen(host)) as server:
        assert hook.answering(server.getsockname()[1], 1) == host
