"""`vllm-chart import`: secrets beside the engine's own, in every place where people write them out."""

import json

import pytest
from helm_python import values_from_yaml

from tests.commands import run
from tests.unit.test_import_command import ENGINE

ARGS = "args: [--model, Qwen/Qwen3-8B]"
REFERENCE = {"secretKeyRef": {"name": "db", "key": "password"}}


def with_args(*words: str) -> str:
    return ENGINE.replace(ARGS, f"args: {json.dumps(words)}")


def with_script(script: str) -> str:
    return ENGINE.replace(ARGS, f"command: {json.dumps(['sh', '-c', script])}")


def with_fields(**fields: object) -> str:
    """Of the engine's container."""
    lines = "".join(f"{key}: {json.dumps(value)}\n          " for key, value in fields.items())
    return ENGINE.replace("resources:", f"{lines}resources:")


def with_config_map(engine: str = ENGINE, **data: str) -> str:
    data_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}
    return f"{engine}---\n{json.dumps(data_map)}\n"


def with_sidecar(**fields: object) -> str:
    return f"{ENGINE}        - {json.dumps({'name': 'b', 'image': 'b:1', **fields})}\n"


PEM = "-----BEGIN RSA PRIVATE KEY-----\ns3cr3tMIIE\n-----END RSA PRIVATE KEY-----\n"
VOLUME = '      volumes: [{"name": "c", "configMap": {"name": "settings"}}]\n'
WRITTEN_OUT = {
    "a ConfigMap's key": with_config_map(HF_TOKEN="s3cr3t-value"),
    "a ConfigMap's file": with_config_map(**{"a.yaml": "db:\n  password: s3cr3t-value\n"}),
    "a ConfigMap's INI file": with_config_map(**{"a.ini": "[default]\naws_access_key_id = s3cr3t-value\n"}),
    "a ConfigMap that is mounted": with_config_map(
        with_fields(volumeMounts=[{"name": "c", "mountPath": "/c"}]) + VOLUME,
        **{"a.json": '{"db": {"password": "s3cr3t-value"}}'},
    ),
    "a ConfigMap as variables": with_config_map(
        with_fields(envFrom=[{"configMapRef": {"name": "settings"}}]), DB_PASSWORD="s3cr3t-value"
    ),
    "a private key": with_fields(env=[{"name": "TLS", "value": PEM}]),
    "half of a credential": with_fields(env=[{"name": "AWS_ACCESS_KEY_ID", "value": "s3cr3t-value"}]),
    "half of a credential of a sidecar": with_sidecar(env=[{"name": "AWS_ACCESS_KEY_ID", "value": "s3cr3t-value"}]),
    "half of a credential in a script": with_script("export AWS_ACCESS_KEY_ID=s3cr3t-value; vllm serve a/b"),
    "half of a credential in a branch": with_script("if a; then AWS_ACCESS_KEY_ID=s3cr3t-value vllm serve a/b; fi"),
    "a tool's setting": with_sidecar(command=["sh", "-c", "aws configure set aws_access_key_id s3cr3t-value"]),
    "curl's user": with_script("curl -u me:s3cr3t-value https://host/a && vllm serve a/b"),
    "curl's user among letters": with_script('curl -fsSu "me:s3cr3t value" https://host/a && vllm serve a/b'),
    "curl's user in one word": with_script("curl -sume:s3cr3t-value https://host/a && vllm serve a/b"),
    "a store's key": with_script("mc alias set store http://store:9000 s3cr3t-user s3cr3t-value; vllm serve a/b"),
    "a store's key in words": with_sidecar(command=["mc", "alias", "set", "a", "http://a", "s3cr3t-user", "s3cr3t-b"]),
    "JSON": with_args("a/b", "--model-loader-extra-config", '{"db": {"password": "s3cr3t-value"}}'),
    "JSON in one word": with_args("a/b", '--model-loader-extra-config={"password":"s3cr3t-value"}'),
    "JSON with dots": with_args("a/b", "--model-loader-extra-config.password", "s3cr3t-value"),
    "a default of a variable that is not set": with_script("vllm serve a/b --api-key ${MISSING:-s3cr3t-value}"),
    "beside a variable that is not set": with_script("PASSWORD=s3cr3t-value vllm serve a/b --api-key $MISSING"),
}


@pytest.mark.parametrize("text", WRITTEN_OUT.values(), ids=WRITTEN_OUT.keys())
@pytest.mark.parametrize("output", ["human", "json"])
def test_a_secret_is_written_nowhere(text: str, output: str) -> None:
    assert "s3cr3t" in text
    result = run("import", "-", f"--output={output}", given=text)

    assert result.exit_code in (0, 1)
    assert "image" in result.stdout
    assert "s3cr3t" not in result.stdout + result.stderr


@pytest.mark.parametrize("name", ["DB_PASSWORD", "AWS_ACCESS_KEY_ID", "PLAIN"])
def test_a_variable_of_a_secret_is_kept(name: str) -> None:
    result = run("import", "-", given=with_fields(env=[{"name": name, "valueFrom": REFERENCE}]))

    assert result.exit_code == 0
    assert values_from_yaml(result.stdout)["env"] == {name: {"valueFrom": REFERENCE}}
    assert "import-secrets" not in result.stderr


def test_a_key_in_a_variable_that_is_not_set_is_asked_for() -> None:
    result = run("import", "-", given=with_args("a/b", "--api-key", "$(MISSING)"))

    assert result.exit_code == 1
    assert "auth.apiKeySecretRef" in result.stderr
    assert "MISSING" not in result.stdout
