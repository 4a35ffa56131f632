"""Several API keys: from Secrets, in order, none of them on a command line."""

import json

import pytest
from helm_python import values_from_yaml

from tests.render.verdicts import Row, hold
from tests.render.view import View
from vllm_chart.helm import render

TWO = "auth: {apiKeySecretRefs: [{name: keys, key: a}, {name: keys, key: b}]}"

ROWS: list[Row] = [
    ("one", "auth: {apiKeySecretRef: {name: llm}}", ""),
    ("one, as a list", "auth: {apiKeySecretRefs: [{name: keys, key: a}]}", ""),
    ("two", TWO, ""),
    ("one and one more", "auth: {apiKeySecretRef: {name: llm}, apiKeySecretRefs: [{name: new, key: api-key}]}", ""),
    ("of several Secrets", "auth: {apiKeySecretRefs: [{name: a, key: k}, {name: b, key: k}, {name: c, key: k}]}", ""),
    ("with no middleware else", f"{{{TWO}, shutdown: {{closeConnections: false}}, hang: {{seconds: 0}}}}", ""),
    ("with several API servers", f"{{{TWO}, engine: {{args: {{api-server-count: 4}}}}}}", ""),
    (
        "the same twice",
        "auth: {apiKeySecretRefs: [{name: keys, key: a}, {name: keys, key: a}]}",
        "error: auth.apiKeySecretRefs: key a of Secret keys is there twice",
    ),
    (
        "the first once more",
        "auth: {apiKeySecretRef: {name: keys, key: a}, apiKeySecretRefs: [{name: keys, key: a}]}",
        "error: auth.apiKeySecretRefs: key a of Secret keys is there twice",
    ),
    (
        "a key in the place of its Secret",
        "auth: {apiKeySecretRefs: [{name: sk-AbC, key: a}]}",
        "error: goes into that Secret",
    ),
    ("a key as text", "auth: {apiKeySecretRefs: [sk-abc]}", "error: auth.apiKeySecretRefs[0]"),
    (
        "no key of the Secret",
        "auth: {apiKeySecretRefs: [{name: keys}]}",
        "error: auth.apiKeySecretRefs[0].key: is missing",
    ),
    ("a value", "auth: {apiKeySecretRefs: [{name: a, key: b, value: c}]}", "error: put the value in a Secret"),
    (
        "another name",
        "auth: {apiKeys: [a, b]}",
        "error: put each key in a Secret and name them in auth.apiKeySecretRefs",
    ),
    ("at the root", "apiKeys: [a, b]", "error: put each key in a Secret and name them in auth.apiKeySecretRefs"),
    (
        "vLLM's own flag",
        "{engine: {args: {api-key: [$(A), $(B)]}}, env: {A: {valueFrom: {secretKeyRef: {name: k, key: a}}}}}",
        "error: name it in auth.apiKeySecretRef, more in auth.apiKeySecretRefs",
    ),
    (
        "vLLM's own flag, as words",
        "engine: {extraArgs: [--api-key, $(A), $(B)]}",
        "error: more in auth.apiKeySecretRefs",
    ),
    ("the chart's variable", "env: {OTHER_API_KEY_2: {value: x}}", "error: write auth.apiKeySecretRefs"),
    (
        "a script of one's own",
        f"{{{TWO}, image: {{repository: a.io/b, tag: v1}}, engine: {{passArguments: false}}}}",
        "error: is loaded by the chart's arguments",
    ),
    ("the Rust frontend", f"{{{TWO}, env: {{VLLM_USE_RUST_FRONTEND: 1}}}}", "error: the Rust frontend does not load"),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_keys(text: str, expected: str) -> None:
    hold(text, expected)


def test_they_come_from_secrets_in_order_and_stand_on_no_command_line() -> None:
    text = "auth: {apiKeySecretRef: {name: llm}, apiKeySecretRefs: [{name: keys, key: a}, {name: keys, key: b}]}"
    view = View(render(values={"model": {"id": "a/b"}} | values_from_yaml(text)))

    names = ["VLLM_API_KEY", "OTHER_API_KEY_2", "OTHER_API_KEY_3"]
    assert [view.secret(name) for name in names] == [("llm", "api-key"), ("keys", "a"), ("keys", "b")]
    middleware = [word for word in view.args if word.startswith("--middleware")]
    assert middleware[-1] == "--middleware=api_keys.ApiKeys"  # the last one is asked first
    assert "$(" not in json.dumps(view.args)
    assert "api_keys.py" in view.manifests.one("ConfigMap", "llm-vllm-lifecycle")["data"]
    assert view.env["PYTHONPATH"] == "/etc/vllm/lifecycle"


def test_one_key_needs_no_middleware() -> None:
    view = View(render(values={"model": {"id": "a/b"}, "auth": {"apiKeySecretRefs": [{"name": "keys", "key": "a"}]}}))
    assert view.secret("VLLM_API_KEY") == ("keys", "a")
    assert not any("api_keys" in word for word in view.args)
    assert "api_keys.py" not in view.manifests.one("ConfigMap", "llm-vllm-lifecycle")["data"]


def test_the_test_of_the_release_shows_the_first() -> None:
    manifests = render(values={"model": {"id": "a/b"}} | values_from_yaml(TWO))
    (variable,) = (one for one in manifests.one("Pod")["spec"]["containers"][0]["env"] if one["name"] == "VLLM_API_KEY")
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "keys", "key": "a"}
    assert 'Authorization: Bearer $API_KEY"' in manifests.notes
    assert "Secret keys" in manifests.notes
