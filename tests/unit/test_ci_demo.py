"""The demo waits for a release that is ready, whatever its containers went through before."""

from typing import cast

import pytest

from ci import demo
from ci.shell import HarnessError
from vllm_chart.cluster.api import Cluster
from vllm_chart.findings import Finding
from vllm_chart.live import diagnose

NO_CLUSTER = cast(Cluster, None)
RESTARTED = Finding("crash", "Pod/llm", "its node was restarted while it ran", severity="warning")
STARTS = Finding("starting", "Pod/llm", "not ready yet", severity="info")
BROKEN = Finding("image", "Pod/llm", "there is no such image")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "ASK_SECONDS", 0)
    monkeypatch.setattr(demo, "MEND_SECONDS", 0)


def answers(monkeypatch: pytest.MonkeyPatch, *findings: list[Finding]) -> list[list[Finding]]:
    """What `diagnose` says, one after the other; it must not be asked more often."""
    left = list(findings)
    monkeypatch.setattr(diagnose, "release", lambda *_: left.pop(0))
    return left


def test_a_restart_that_is_over_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    left = answers(monkeypatch, [RESTARTED, STARTS], [RESTARTED])
    demo._wait_until_ready(NO_CLUSTER)
    assert not left


def test_what_does_not_mend_itself_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, [RESTARTED, BROKEN], [RESTARTED, BROKEN])
    with pytest.raises(HarnessError, match="no such image"):
        demo._wait_until_ready(NO_CLUSTER)
