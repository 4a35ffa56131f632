"""What is said of chat templates that values bring along."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml
from kubernetes.client import V1ConfigMap

from tests.preflights import preflight
from vllm_chart import checks
from vllm_chart.vllm_args import chat_template

FINE = "{% for message in messages %}<{{ message.role }}>{{ message.content }}\n{% endfor %}"


def said(text: str, **kwargs: Any) -> str:
    return "; ".join(finding.message for finding in chat_template.findings("model.chatTemplate", text, kwargs))


@pytest.mark.parametrize(
    "text",
    [
        FINE,
        # Extensions, functions and the filter that transformers has.
        "{% for message in messages %}{% generation %}{{ message.content }}{% endgeneration %}{% break %}{% endfor %}",
        "{{ bos_token + strftime_now('%Y') + messages[0].content }}{{ raise_exception('no') if tools }}",
        "{{ messages | tojson(indent=2, sort_keys=True) }}{{ {'a': '<'} | tojson }}",
        # The content in parts, as vLLM finds out that a template wants it.
        "{% for part in messages[0].content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}",
        # A reranker's.
        "{{ (messages | selectattr('role', 'eq', 'query') | first).content }}",
    ],
    ids=["plain", "generation", "functions", "tojson", "parts", "query"],
)
def test_a_template_that_makes_a_prompt_is_fine(text: str) -> None:
    assert said(text) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{% for message in messages %}\n{{ message.content }", "line 2: Jinja can't parse it: unexpected '}'"),
        ("{% for message in messages %}{{ message.content }}", "Unexpected end of template"),
        ("{{ messages[0].content | shout }}", "No filter named 'shout'"),
        ("{% break %}", "Jinja can't compile it: 'break' outside loop"),
        ("{{ message.content }}", "it ends for the message of one user: 'message' is undefined"),
        ("{% for message in messages %}<{{ message.role }}>{% endfor %}", "what the user says is not in the prompt"),
        ("Answer in one word. {# {{ messages }} #}", "what the user says is not in the prompt"),
        ("{{ messages.append(messages[0]) }}", "it ends for the message of one user"),
        ("{{ messages[0].content.__class__.__mro__ }}", "it ends for the message of one user"),
        ("{% for message in messages %}{% include 'other' %}{% endfor %}", "it ends for the message of one user"),
    ],
    ids=["brace", "end", "filter", "break", "name", "ignored", "comment", "changes", "sandbox", "include"],
)
def test_a_template_that_makes_none_is_refused(text: str, words: str) -> None:
    assert words in said(text)


ROUNDS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
TWICE = "{% macro twice(n) %}{% if n %}{{ twice(n - 1) }}{{ twice(n - 1) }}{% endif %}{% endmacro %}{{ twice(60) }}"


@pytest.mark.parametrize("text", [ROUNDS, TWICE], ids=["loops", "macro"])
def test_a_template_that_does_not_end_is_ended(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "MOST_TURNS", 1000)
    with ThreadPoolExecutor() as threads:  # as a test of a user's may
        told = threads.submit(said, FINE + text).result()
    assert "it takes over 1,000 turns of loops and macros for the message of one user" in told


@pytest.mark.parametrize(("turns", "fine"), [(999, True), (1000, False)])
def test_the_verdict_goes_by_turns_whatever_they_take(turns: int, fine: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One turn is of FINE's own loop. A clock that runs away is that of a machine that is slow."""
    seconds = itertools.count(step=1000)
    monkeypatch.setattr(time, "thread_time", lambda: next(seconds))
    monkeypatch.setattr(chat_template, "MOST_TURNS", 1000)
    assert (said(FINE + f"{{% for i in range({turns}) %}}{{% endfor %}}") == "") == fine


def test_a_template_that_refuses_a_plain_message_may_mean_it() -> None:
    [finding] = chat_template.findings("model.chatTemplate", "{{ raise_exception('write <<<text>>>') }}")
    assert (finding.severity, finding.message) == (
        "warning",
        "it refuses the message of one user: write <<<text>>>",
    )


def test_a_template_gets_the_engines_own_arguments() -> None:
    text = "{{ raise_exception('no language') if not language }}" + FINE
    assert "no language" in said(text)
    assert said(text, language="de") == ""


REFERENCE = """
model: {id: a/b, chatTemplateRef: {name: templates, key: chat.jinja}}
extraObjects:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: templates}, data: {chat.jinja: "{% if %}"}}
"""


@pytest.mark.parametrize("run", [checks.validate, checks.check], ids=["validate", "check"])
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('model: {id: a/b, chatTemplate: "{% if %}"}', "model.chatTemplate"),
        (REFERENCE, "model.chatTemplateRef"),
        ('{model: {id: a/b}, engine: {args: {chat-template: "{% if %}"}}}', "engine.args.chat-template"),
        ('{model: {id: a/b}, engine: {extraArgs: ["--chat-template", "{% if %}"]}}', "engine.args.chat-template"),
    ],
    ids=["value", "reference", "argument", "extraArgs"],
)
def test_it_is_said_wherever_the_template_stands(run: Any, text: str, where: str) -> None:
    found = [finding for finding in run(values=values_from_yaml(text)) if finding.check == "chat-template"]
    assert [(finding.where, finding.severity) for finding in found] == [(where, "error")]


@pytest.mark.parametrize(
    "text",
    [
        "model: {id: a/b}",
        "model: {id: a/b, chatTemplateRef: {name: somebodys}}",
        "{model: {id: a/b}, engine: {args: {chat-template: template_chatml.jinja}}}",
        '{model: {id: a/b, chatTemplate: "{{ language + messages[0].content }}"}, '
        "engine: {args: {default-chat-template-kwargs: {language: de}}}}",
    ],
    ids=["none", "unknown", "path", "arguments"],
)
def test_nothing_is_said_where_it_is_not_known_or_right(text: str) -> None:
    assert [finding for finding in checks.validate(values=values_from_yaml(text)) if finding.severity == "error"] == []


def test_a_template_out_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "chat.jinja"
    file.write_text("{% if %}")
    found = checks.validate(values={"model": {"id": "a/b"}}, set_file=[f"model.chatTemplate={file}"])
    assert [finding.check for finding in found] == ["chat-template"]


@pytest.mark.parametrize(("template", "expected"), [(FINE, []), ("{% if %}", ["model.chatTemplateRef"])])
def test_preflight_tries_the_one_of_a_config_map_in_the_cluster(template: str, expected: list[str]) -> None:
    there = {("ConfigMap", "ours"): V1ConfigMap(data={"chat-template.jinja": template})}
    found = preflight("model: {id: a/b, chatTemplateRef: {name: ours}}\n", found=there)
    assert [finding.where for finding in found if finding.check == "chat-template"] == expected


def test_preflight_hands_it_the_engines_own_arguments() -> None:
    there = {("ConfigMap", "ours"): V1ConfigMap(data={"a": "{{ language + messages[0].content }}"})}
    values = "{model: {id: a/b, chatTemplateRef: {name: ours, key: a}}, engine: {args: {%s}}, tolerations: []}"
    told = preflight(values % "default-chat-template-kwargs: {language: de}", found=there)
    assert "chat-template" in {finding.check for finding in preflight(values % "", found=there)}
    assert "chat-template" not in {finding.check for finding in told}
