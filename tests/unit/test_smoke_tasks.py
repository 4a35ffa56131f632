"""The smoke test of models without words or embeddings: each is asked what it is for, and what it says is read."""

from typing import Any

import pytest

from tests.task_server import CLASSES, POOLING, RANKING, UNSUPPORTED, engine
from vllm_chart.live import smoke

SPEECH = {"/v1/audio/transcriptions": {"text": "you"}}
TOKENS = {"/v1/embeddings": {"data": [{"embedding": [[0.1, 0.2], [0.3, 0.4]]}]}}
COMPLETION = {"/v1/completions": {"choices": [{"text": " city"}], "usage": {"completion_tokens": 1}}}


@pytest.mark.parametrize(
    ("routes", "check", "said"),
    [
        (RANKING | CLASSES | POOLING, "ranking", "2 documents, the best 0.900"),
        (CLASSES | POOLING, "classification", "toxic"),
        (POOLING, "pooling", "1 pooled"),
        (SPEECH, "transcription", "'you'"),
        (TOKENS | POOLING, "embedding", "2 embeddings, each of 2 dimensions"),
        (RANKING | {"/v1/completions": UNSUPPORTED, "/v1/chat/completions": UNSUPPORTED}, "ranking", "2 documents"),
    ],
    ids=[
        "reranker",
        "classifier",
        "reward model",
        "speech",
        "an embedding for each token",
        "reranker of an old engine",
    ],
)
def test_a_healthy_model_passes_by_what_it_is_for(routes: dict[str, Any], check: str, said: str) -> None:
    with engine(routes) as (url, _):
        report = smoke.run(smoke.Endpoint(url))
    assert report.findings == []
    (result,) = (one for one in report.results if one.check == check)
    assert result.status == "passed"
    assert said in result.detail


def test_a_model_that_nothing_can_be_asked_is_said_to_be_checked_no_further() -> None:
    with engine({}) as (url, _):
        report = smoke.run(smoke.Endpoint(url))
    assert [(one.check, one.severity) for one in report.findings] == [("smoke-tasks", "warning")]


def test_a_wrong_answer_is_a_fault() -> None:
    with engine({"/rerank": {"results": []}}) as (url, _):
        report = smoke.run(smoke.Endpoint(url))
    assert [one.check for one in report.findings] == ["smoke-ranking"]


def test_a_model_of_words_is_asked_for_nothing_else() -> None:
    with engine(COMPLETION | RANKING) as (url, asked):
        smoke.run(smoke.Endpoint(url))
    assert "/rerank" not in asked
