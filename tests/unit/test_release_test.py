"""What `helm test` runs: a model of any task is asked what it can answer; one that should answer and does not fails."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.task_server import CLASSES, POOLING, RANKING, UNSUPPORTED, engine

PROGRAM = Path(__file__).parents[2] / "charts/vllm/files/programs/test_completion.py"

COMPLETION = {"/v1/completions": {"choices": [{"text": " city"}]}}
CHAT = {"/v1/chat/completions": {"choices": [{"message": {"content": "A city."}}]}}
TRANSCRIPTION = {"/v1/audio/transcriptions": {"text": ""}}
EMBEDDING = {"/v1/embeddings": {"data": [{"embedding": [0.1, 0.2]}]}}

NO_MODEL = (404, {"error": {"message": "The model `m` does not exist."}})


def outcome(url: str, expect: str = "", key: str = "") -> subprocess.CompletedProcess[str]:
    asked = {"VLLM_URL": url, "VLLM_MODEL": "m", "VLLM_PROMPT": "San Francisco is a", "VLLM_EXPECT": expect}
    environment = os.environ | asked | {"VLLM_TIMEOUT": "10", "VLLM_API_KEY": key}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.read_text()], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        (COMPLETION | CHAT, "San Francisco is a city"),
        (CHAT, "A city."),
        (TRANSCRIPTION, "a second of silence"),
        (EMBEDDING | RANKING | POOLING, "an embedding of 2 numbers"),
        (RANKING | CLASSES | POOLING, "2 documents ranked"),
        (CLASSES | POOLING, "classified"),
        (POOLING, "1 pooled"),
        ({}, "no route that this test can ask"),
        ({"/v1/completions": UNSUPPORTED, "/v1/chat/completions": UNSUPPORTED} | EMBEDDING, "an embedding of 2"),
        ({"/v1/completions": (501, {"error": {"message": "The model does not support Completions API"}})} | CHAT, "A"),
        (COMPLETION | {"/v1/chat/completions": (500, {})}, "San Francisco is a city"),
    ],
    ids=[
        "a model of words",
        "chat alone",
        "speech",
        "embeddings",
        "reranker",
        "classifier",
        "reward model",
        "realtime speech alone",
        "embeddings, by an old engine",
        "not implemented",
        "only the first question is asked",
    ],
)
def test_a_healthy_model_passes(routes: dict[str, Any], said: str) -> None:
    with engine(routes) as (url, _):
        result = outcome(url)
    assert result.returncode == 0, result.stderr
    assert said in result.stdout


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({"/v1/completions": (500, {"error": {"message": "engine core died"}})} | CHAT, "engine core died"),
        ({"/v1/completions": NO_MODEL, "/v1/chat/completions": NO_MODEL}, "does not exist"),
        ({"/rerank": (400, {"error": {"message": "too long"}})}, "too long"),
        ({"/v1/models": {"data": [{"id": "other"}]}}, "m is not served here, but other"),
        ({"/v1/models": (503, {})}, "HTTP 503"),
    ],
    ids=["a fault", "another name", "a question that is refused", "another model", "not ready"],
)
def test_one_that_should_answer_and_does_not_fails(routes: dict[str, Any], said: str) -> None:
    with engine(routes) as (url, _):
        result = outcome(url)
    assert result.returncode == 1
    assert said in result.stderr


def test_what_is_expected_is_looked_for_in_words_alone() -> None:
    with engine(COMPLETION) as (url, _):
        assert outcome(url, expect="city").returncode == 0
        assert "does not contain 'town'" in outcome(url, expect="town").stderr
    with engine(RANKING) as (url, _):
        assert "answers without words" in outcome(url, expect="city").stderr


def test_the_key_is_shown() -> None:
    with engine(COMPLETION, key="secret") as (url, _):
        assert outcome(url, key="secret").returncode == 0
        assert "HTTP 401" in outcome(url, key="other").stderr


def test_who_is_refused_at_first_tries_again() -> None:
    """As a new pod is, until the network plugin knows that a policy lets it in."""
    with engine(COMPLETION, listens_after=2) as (url, _):
        result = outcome(url)
    assert result.returncode == 0, result.stderr
