"""What the smoke test makes of answers; that it asks the right questions, the live tests show."""

import json
from collections.abc import Sequence

import pytest

from vllm_chart.live.smoke import NotOfferedError, WrongAnswerError, judge, read_stream, sse_data


def openai_error(message: str, code: int) -> str:
    """An error as vLLM 0.32 writes it."""
    return json.dumps({"error": {"message": message, "type": "BadRequestError", "param": None, "code": code}})


NO_TEMPLATE = (
    "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if "
    "the tokenizer does not define one."
)


def test_an_answer_is_accepted() -> None:
    judge(200, "", "/v1/completions")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(404, '{"detail":"Not Found"}', id="route of another task"),
        pytest.param(404, "<html>default backend - 404</html>", id="route that a gateway hides"),
        pytest.param(501, openai_error("The model does not support Embeddings API", 501), id="not supported"),
        pytest.param(400, openai_error(NO_TEMPLATE, 400), id="no chat template"),
    ],
)
def test_what_an_endpoint_does_not_offer_is_no_failure(status: int, body: str) -> None:
    with pytest.raises(NotOfferedError):
        judge(status, body, "/v1/something")


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, openai_error("The model `gpt-5` does not exist.", 404), "The model `gpt-5` does not exist."),
        (400, openai_error("max_tokens must be at least 1", 400), "max_tokens must be at least 1"),
        (500, "Internal Server Error", "HTTP 500: Internal Server Error"),
        (503, "", "HTTP 503"),
        (401, '{"error":"Unauthorized"}', "another API key"),
    ],
)
def test_a_wrong_answer_says_what_was_answered(status: int, body: str, message: str) -> None:
    with pytest.raises(WrongAnswerError, match=message):
        judge(status, body, "/v1/completions")


def test_a_refused_key_names_the_variable_that_holds_it() -> None:
    with pytest.raises(WrongAnswerError) as refused:
        judge(401, '{"error":"Unauthorized"}', "/v1/models")
    assert "VLLM_API_KEY" in refused.value.remedy


@pytest.mark.parametrize(
    ("status", "body", "value"),
    [
        (
            400,
            openai_error('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', 400),
            "engine.args.tool-call-parser",
        ),
        (404, openai_error("The model `gpt-5` does not exist.", 404), "model.servedModelName"),
        (400, openai_error("This model's maximum context length is 2048 tokens. However", 400), "max-model-len"),
        (400, openai_error("At most 1 image(s) may be provided in one prompt.", 400), "limit-mm-per-prompt"),
        (504, "<html><title>504 Gateway Time-out</title></html>", "timeouts of the proxy"),
        (502, "<html><title>502 Bad Gateway</title></html>", "traffic.keepAliveSeconds"),
        (413, "<html><title>413 Request Entity Too Large</title></html>", "the proxy in front"),
        (503, "no healthy upstream", "vllm-chart diagnose"),
        (503, openai_error("Too many requests", 503), "log says more"),
    ],
)
def test_a_wrong_answer_says_what_to_change(status: int, body: str, value: str) -> None:
    with pytest.raises(WrongAnswerError) as wrong:
        judge(status, body, "/v1/chat/completions")
    assert value in wrong.value.remedy


def test_a_model_without_a_chat_template_may_be_given_one() -> None:
    with pytest.raises(NotOfferedError, match=r"model\.chatTemplate"):
        judge(400, openai_error(NO_TEMPLATE, 400), "/v1/chat/completions")


def test_server_sent_events_are_data_without_comments_and_blank_lines() -> None:
    lines = ['data: {"a": 1}', "", ": keep-alive", "event: ping", "data:[DONE]", ""]
    assert list(sse_data(lines)) == ['{"a": 1}', "[DONE]"]


def test_a_stream_is_read_up_to_its_end() -> None:
    assert read_stream(['{"n": 1}', '{"n": 2}', "[DONE]", "not read"]) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        pytest.param(['{"n": 1}', '{"n": 2}'], "broke off after 2 chunks", id="cut"),
        pytest.param([], "broke off after 0 chunks", id="empty"),
        pytest.param(['{"n": 1}', "[DONE]"], "one piece", id="buffered by a proxy"),
        pytest.param(['{"n": 1}', openai_error("EngineCore died", 500), "[DONE]"], "EngineCore died", id="error"),
        pytest.param(['{"n": 1}', "<html>", "[DONE]"], "other than JSON", id="not JSON"),
    ],
)
def test_a_stream_that_is_not_whole_fails(events: Sequence[str], message: str) -> None:
    with pytest.raises(WrongAnswerError, match=message):
        read_stream(events)
