"""What is told of TLS handshakes that failed, by what replicas count before and after a while."""

from collections.abc import Iterator

import pytest

from vllm_chart.endpoint import handshakes

SAN, AUTHORITY, PLAIN = "ssl_fail_verify_san", "ssl_fail_verify_error", "ssl_connection_error"


def page(healthy: int = 0, total: int = 1, **counted: int) -> dict[str, str]:
    """A replica's, of one model."""
    counts = {"membership_healthy": healthy, "membership_total": total, **counted}
    lines = [f'envoy_cluster_{name}{{envoy_cluster_name="model-0",model="a"}} {n}\n' for name, n in counts.items()]
    return {"pod": "".join(lines)}


def told(*pages: dict[str, str]) -> list[str]:
    """Asked one after the other; the last one goes on."""

    def following() -> Iterator[dict[str, str]]:
        yield from pages
        while True:
            yield pages[-1]

    watched = handshakes.watch(following().__next__, seconds=0.1)
    return [one.message for one in handshakes.explain("endpoint-models", watched)]


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([page(total=0, **{PLAIN: 1})], id="scaled to zero"),
        pytest.param([page(total=0, **{PLAIN: 1}), page(total=0, **{PLAIN: 2})], id="its last handshake fails"),
        pytest.param([page(**{AUTHORITY: 1})], id="down, after an authority that was mended"),
        pytest.param([page(**{AUTHORITY: 9}), page(**{AUTHORITY: 1})], id="restarted meanwhile"),
        pytest.param([page(**{AUTHORITY: 1}), page(healthy=1, **{AUTHORITY: 2})], id="well again"),
        pytest.param([{}, page(**{AUTHORITY: 1})], id="a pod that is new"),
        pytest.param([page(**{AUTHORITY: 1}), {}], id="a pod that is gone"),
    ],
)
def test_what_failed_before_is_no_news(pages: list[dict[str, str]]) -> None:
    assert told(*pages) == []


@pytest.mark.parametrize(
    ("grown", "words"), [(SAN, "another name"), (AUTHORITY, "another authority"), (PLAIN, "no TLS could be spoken")]
)
def test_what_fails_now_is_told(grown: str, words: str) -> None:
    before = {SAN: 5, AUTHORITY: 5, PLAIN: 5}
    [message] = told(page(**before), page(**before | {grown: 6}))
    assert words in message


def test_nobody_waits_where_every_model_has_an_engine() -> None:
    asked: list[int] = []

    def ask() -> dict[str, str]:
        asked.append(1)
        return page(healthy=1)

    handshakes.watch(ask, seconds=60)
    assert asked == [1]
