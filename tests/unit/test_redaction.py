"""What a secret looks like: the same to what is imported, what is shown of a log and what is kept of a bench."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster_objects import pod, snapshot
from vllm_chart.bench.keep import Folder
from vllm_chart.findings import Finding
from vllm_chart.importing import secrets
from vllm_chart.importing.draft import Draft
from vllm_chart.live.diagnose import explain
from vllm_chart.redaction import cleaned, named_so, without

PEM = "-----BEGIN RSA PRIVATE KEY-----\ns3cr3tMIIE\n-----END RSA PRIVATE KEY-----"
#: Texts, and what is not to be seen of each.
SECRETS = {
    "the Hub's": ("not for hf_s3cr3tAbCdEf", "s3cr3t"),
    "the Hub's for an application": ("not for hf_oauth_s3cr3tAbCdEf", "s3cr3t"),
    "an API key": ("sent sk-s3cr3t-1", "s3cr3t"),
    "an API key in capitals": ("sent SK-S3CR3T-1", "S3CR3T"),
    "AWS's": ("AKIAS3CR3TS3CR3TS3CR", "S3CR3T"),
    "GitHub's": ("ghp_s3cr3ts3cr3ts3cr3ts3cr3t", "s3cr3t"),
    "a header": ("Authorization: Bearer s3cr3t", "s3cr3t"),
    "a bearer": ("sent Bearer s3cr3t to it", "s3cr3t"),
    "a bearer of a word": ("sent bearer sesame to it", "sesame"),
    "a URL's user": ("GET https://me:s3cr3t@host/a failed", "s3cr3t"),
    "an argument": ("vllm serve a/b --api-key s3cr3t", "s3cr3t"),
    "an argument with two": ("vllm serve a/b --api-key $KEY s3cr3t", "s3cr3t"),
    "an argument in a sentence": ("it sent --api-key s3cr3t to the engine's port", "s3cr3t"),
    "a variable": ("export DB_PASSWORD=s3cr3t", "s3cr3t"),
    "a variable of a word": ("export DB_PASSWORD=sesame", "sesame"),
    "the second of a kind": ("API_KEY_2=s3cr3t", "s3cr3t"),
    "JSON": ('{"db": {"password": "sesame"}}', "sesame"),
    "a list in Python": ("{'api_key': ['k3y', 's3cr3t'], 'port': 1}", "s3cr3t"),
    "a list in JSON": ('{"api_key": ["k3y", "s3cr3t"]}', "s3cr3t"),
    "a list in lines": ('{\n  "api_key": [\n    "k3y",\n    "s3cr3t"]}', "s3cr3t"),
    "a list in YAML": ("api-key: ['k3y', 's3cr3t']", "s3cr3t"),
    "an account's": ("AccountName=us;AccountKey=s3cr3t==;EndpointSuffix=core.windows.net", "s3cr3t"),
    "Azure's URL": ("GET https://us.blob.core.windows.net/a?sv=2022&sig=s3cr3t%3D", "s3cr3t"),
    "S3's URL": ("GET https://us.s3.amazonaws.com/a?X-Amz-Expires=60&X-Amz-Signature=s3cr3t", "s3cr3t"),
    "YAML": ("password: s3cr3t", "s3cr3t"),
    "a private key": (PEM, "s3cr3t"),
    "MinIO's client": ("mc alias set store http://store:9000 s3cr3t-user s3cr3t-key --api S3v4", "s3cr3t"),
    "MinIO's client, half of it a variable": ("mc alias set store $URL $USER s3cr3t && mc ls store", "s3cr3t"),
    "MinIO's client, flags between": ("mc --insecure alias set --api s3v4 --path=on a $URL 's3cr3t' s3cr3t", "s3cr3t"),
    "MinIO's client of old": ("mc config host add store http://store:9000 s3cr3t-user s3cr3t-key", "s3cr3t"),
    "MinIO's client, in lines": ("mc alias set \\\n  store http://store \\\n  s3cr3t-user \\\n  s3cr3t-key", "s3cr3t"),
    "a login": ("wandb login --relogin s3cr3t", "s3cr3t"),
    "ssh's": ("sshpass -p s3cr3t ssh host", "s3cr3t"),
    "a registry's": ("docker login -u me --password-stdin=false -p s3cr3t registry.example", "s3cr3t"),
    "Helm's for a registry": ("helm registry login registry.example -p=s3cr3t", "s3cr3t"),
    "a cookie": ("curl -H 'Cookie: seen=1; session=s3cr3t' http://a.svc", "s3cr3t"),
    "a cookie of curl's": ("curl -b session=s3cr3t http://a.svc", "s3cr3t"),
}  # fmt: skip


def shown_of_log(text: str) -> Finding:
    """What diagnose tells of an engine that ended with it."""
    ended = {"exitCode": 1, "reason": "Error", "finishedAt": "2026-11-28T00:00:00Z", "message": f"ValueError: {text}"}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    status = {"name": "vllm", "image": "i", "imageID": "", "ready": False, "restartCount": 3, "state": waiting,
              "lastState": {"terminated": ended}}  # fmt: skip
    return next(iter(explain(snapshot(pod(status={"phase": "Running", "containerStatuses": [status]})))))


def kept_of_bench(folder: Path, values: Any) -> str:
    class Subject:
        pass

    subject: Any = Subject()
    subject.values = values
    container = {"command": ["python3", "-c", "source", "{}"], "env": [{"name": "HTTP_PROXY", "value": values["text"]}]}
    Folder(folder).begin(subject, {"spec": {"containers": [container]}})
    return (folder / "values.json").read_text() + (folder / "pod.json").read_text()


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS.keys())
def test_each_hides_what_any_of_them_knows(text: str, secret: str, tmp_path: Path) -> None:
    assert secret in text
    draft = Draft("llm")
    draft.values = {"extraContainers": [{"command": ["sh", "-c", text]}]}
    told = [finding.where for finding in secrets.scrub(draft, set())]

    assert secret not in json.dumps(draft.values)
    assert told == ["extraContainers[0].command[2]"]
    assert secret not in kept_of_bench(tmp_path / "kept", {"text": text})
    finding = shown_of_log(text.replace("\\\n", " "))
    assert "ValueError" in finding.message
    assert secret not in str(finding)


@pytest.mark.parametrize(
    "words",
    [
        ["--token", "s3cr3t"],
        ["mc", "alias", "set", "store", "http://store:9000", "s3cr3t-user", "s3cr3t-key"],
        ["sh", "-c", "a: 1\npassword: x1", "--api-key", "s3cr3t", "s3cr3t-2"],
    ],
)
def test_a_word_of_a_command_is_known_by_those_before_it(words: list[str]) -> None:
    value, places, found = cleaned({"args": ["plain", *words]})

    assert "s3cr3t" not in json.dumps(value)
    assert value["args"][0] == "plain"
    assert {text for text in words if "s3cr3t" in text} <= found
    assert places[-1] == f"args[{max(at for at, word in enumerate(words, 1) if 's3cr3t' in word)}]"


@pytest.mark.parametrize(
    "text",
    [
        "from huggingface_hub import hf_hub_download",
        "the model hf_hub/x",
        "mc alias set store http://store:9000",
        'mc alias set store "$URL" "$KEY" "$SECRET"',
        "mc alias list store",
        "--api-key $KEY",
        "eos_token: abc",
        "kubectl create secret generic llm --from-literal=token=…",
    ],
)
def test_what_is_none_is_left(text: str) -> None:
    assert without(text) == text
    assert without(text, prose=True) == text


@pytest.mark.parametrize(
    "text",
    [
        'MountVolume.SetUp failed for volume "hub-token" : secret "hub" not found',
        'references non-existent secret key: "tls.crt"',
        "invalid token: unexpected end of text",
        "it needs --api-key to be set, and --seed-token with it",
        "engine.extraArgs: --api-key is the chart's own: put each key in a Secret and name it in auth.apiKeySecretRef",
        "password: authentication failed, and the connection is closed",
    ],
)
def test_a_sentence_of_a_log_is_shown(text: str) -> None:
    assert without(text, prose=True) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("api-key: ['k3y one', 'it''s']\n", "api-key: [REMOVED, REMOVED]\n"),
        ("api-key:\n- k3y one\n-  it''s\nmodel: a/b\n", "api-key:\n- REMOVED\n-  REMOVED\nmodel: a/b\n"),
        ("eos_token: ['a', 'b']\n", "eos_token: ['a', 'b']\n"),
        ("secret:\n- name: a\n- name: b\n", "secret:\n- name: a\n- name: b\n"),
    ],
)
def test_each_text_of_a_list_is_known_for_a_secret(text: str, left: str) -> None:
    value, _, found = cleaned(text)

    assert value == left
    assert found == ({"k3y one", "it''s"} if "REMOVED" in left else set())


@pytest.mark.parametrize("prose", [False, True])
@pytest.mark.parametrize("piece", ["\\a", "'a'", '"a"'])
def test_no_text_takes_long(piece: str, prose: bool) -> None:
    # Were each piece to be tried in two ways, this would not end.
    assert without(f"mc alias set {piece * 200}", prose=prose) == f"mc alias set {piece * 200}"


def test_a_number_in_a_secret_is_one_and_another_is_none() -> None:
    fields = {"password": 12345678, "tokens": 100000, "max-model-len": 131072}

    value, places, found = cleaned({"stringData": fields})

    assert value == {"stringData": fields | {"password": "REMOVED"}}
    assert (places, found) == (["stringData.password"], {"12345678"})


def test_what_is_kept_has_no_text_that_may_be_secret_by_its_name() -> None:
    values: dict[Any, Any] = {
        "env": {"HF_TOKEN": "x", "AWS_SECRET_ACCESS_KEY": "y", "TOKENS_OF_OURS": "1", "A": "b"},
        "hub": {"tokenSecretRef": {"name": "s", "key": "token"}},
        "engine": {"args": {"tokenizer": "a/b", "api-key": ["k", "l"]}},
        "extraContainers": [{"name": "c", "env": [{"name": "DB_PASSWORD", "value": "z"}, {"name": "B", "value": "c"}]}],
    }
    shown = cleaned({**values, 1: "a"}, perhaps=True).value
    assert shown.pop(1) == "a"
    assert shown["hub"] == values["hub"]
    assert shown["env"] == {
        "HF_TOKEN": "REMOVED",
        "AWS_SECRET_ACCESS_KEY": "REMOVED",
        "TOKENS_OF_OURS": "REMOVED",
        "A": "b",
    }
    assert shown["engine"]["args"] == {"tokenizer": "a/b", "api-key": ["REMOVED", "REMOVED"]}
    assert [each["value"] for each in shown["extraContainers"][0]["env"]] == ["REMOVED", "c"]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("API_KEY", True),
        ("API_KEY_2", True),
        ("api-key2", True),
        ("SHA256", False),
        ("EOS_TOKEN", False),
        ("KEYS", False),
    ],
)
def test_a_variable_is_known_by_its_name(name: str, is_one: bool) -> None:
    assert named_so(name, "a text") == is_one
