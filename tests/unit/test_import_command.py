"""`vllm-chart import`: what is written where, exit codes, secrets, and files that are something else."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import values_from_yaml

from tests.commands import run
from vllm_chart import yaml_text
from vllm_chart.cli import import_values
from vllm_chart.helm import render
from vllm_chart.importing import read

ENGINE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: engine}
spec:
  selector: {matchLabels: {app: engine}}
  template:
    metadata: {labels: {app: engine}}
    spec:
      containers:
        - name: engine
          image: vllm/vllm-openai:v0.33.0
          args: [--model, Qwen/Qwen3-8B]
          resources: {limits: {nvidia.com/gpu: 1}}
"""


def test_values_of_one_model_go_to_standard_output_and_all_else_does_not() -> None:
    result = run("import", "-", given=ENGINE)

    assert result.exit_code == 0
    assert values_from_yaml(result.stdout)["model"] == {"id": "Qwen/Qwen3-8B"}
    assert "fields carried" in result.stderr


def numbers_as_texts() -> str:
    """ENGINE with texts that Helm takes for numbers where they have no quotes."""
    document = yaml.safe_load(engine_with("--model=org/model", "--revision=1234e56"))
    document["spec"]["template"]["metadata"]["annotations"] = {"build": "1e3"}
    document["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "SEED", "value": "0o17"}]
    return yaml_text.dump(document)


def test_a_text_that_looks_like_a_number_stays_one() -> None:
    result = run("import", "-", given=numbers_as_texts())
    values = values_from_yaml(result.stdout)

    assert result.exit_code == 0, result.stderr
    assert values["model"] == {"id": "org/model", "revision": "1234e56"}
    assert (values["env"], values["podAnnotations"]) == ({"SEED": "0o17"}, {"build": "1e3"})


def test_what_is_checked_is_what_helm_reads_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = numbers_as_texts()
    monkeypatch.setattr(yaml_text, "dump", lambda value, width: yaml.safe_dump(value, width=width))
    result = run("import", "-", given=text)

    assert result.exit_code == 1
    assert "model.revision: got number, want string" in result.stderr


def test_several_models_need_a_directory(tmp_path: Path) -> None:
    two = (
        ENGINE.replace("name: engine}", "name: one}")
        + "---"
        + ENGINE.replace("name: engine}", "name: two}").replace("Qwen3-8B", "Qwen3-4B")
    )

    assert run("import", "-", given=two).exit_code == 2
    assert run("import", "-", f"--output-dir={tmp_path}", given=two).exit_code == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.yaml", "two.yaml"]
    assert "Qwen3-4B" in (tmp_path / "two.yaml").read_text()


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    two = f"{ENGINE}---{ENGINE.replace('name: engine}', 'name: other}')}"
    (tmp_path / "other.yaml").write_text("# written by hand\n")
    result = run("import", "-", f"--output-dir={tmp_path}", given=two)

    assert result.exit_code == 2
    assert f"{tmp_path}/other.yaml is there already: move it away, or name another --output-dir" in result.stderr
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("other.yaml", "# written by hand\n")]


def test_two_models_of_one_name_are_two_files(tmp_path: Path) -> None:
    prod, dev = (ENGINE.replace("name: engine}", f"name: llm, namespace: {name}}}") for name in ("prod", "dev"))
    other = ENGINE.replace("name: engine}", "name: llm}").replace("Qwen/", "org/")
    result = run("import", "-", f"--output-dir={tmp_path}", given="---".join((prod, dev, other)))

    assert result.exit_code == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["llm-dev.yaml", "llm-prod.yaml", "llm.yaml"]
    assert "org/Qwen3-8B" in (tmp_path / "llm.yaml").read_text()


def test_what_check_finds_is_told_of_each_of_two_models_of_one_name(tmp_path: Path) -> None:
    wrong = ENGINE.replace("Qwen3-8B]", "Qwen3-8B, --max-model-len, '0']")
    result = run("import", "-", f"--output-dir={tmp_path}", given=f"{wrong}---{ENGINE}")

    assert result.exit_code == 1
    assert "max-model-len" in result.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["engine-2.yaml", "engine.yaml"]


@pytest.mark.parametrize(("name", "file"), [("../escape", "escape.yaml"), ("meta/Llama", "meta-llama.yaml")])
def test_no_name_leads_out_of_the_directory(name: str, file: str, tmp_path: Path) -> None:
    stack = f"servingEngineSpec: {{modelSpec: [{{name: {name}, modelURL: org/model, requestGPU: 1}}]}}"
    directory = tmp_path / "inner"
    run("import", "-", f"--output-dir={directory}", given=stack)

    assert [one.relative_to(directory).name for one in tmp_path.rglob("*.yaml")] == [file]


def test_a_field_that_nobody_knows_is_named_and_an_error() -> None:
    result = run(
        "import", "-", "--output=json", given=ENGINE.replace("resources:", "workingDir: /app\n          resources:")
    )
    document = json.loads(result.stdout)

    assert result.exit_code == 1
    assert not document["ok"]
    (left,) = (field for field in document["fields"] if field["fate"] == "left")
    assert left["field"].endswith("containers[0].workingDir")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("Qwen/Qwen3-8B]", "Qwen/Qwen3-8B, --api-key, s3cr3t-value]", "auth.apiKeySecretRef"),
        ("Qwen/Qwen3-8B]", "Qwen/Qwen3-8B, --api_key=s3cr3t-value]", "auth.apiKeySecretRef"),
        ("Qwen/Qwen3-8B]", "Qwen/Qwen3-8B, --hf-token, s3cr3t-value]", "hub.tokenSecretRef"),
        (
            "args: [--model, Qwen/Qwen3-8B]",
            "command: [sh, -c, vllm serve Qwen/Qwen3-8B --api-key s3cr3t-value]",
            "auth.apiKeySecretRef",
        ),
        (
            "v0.33.0\n          args: [",
            "v0.10.2\n          command: [vllm, serve]\n          args: [--api-key, s3cr3t-value, ",
            "auth.apiKeySecretRef",
        ),
        (
            "args: [--model, Qwen/Qwen3-8B]",
            "command: [sh, -c, export HF_TOKEN=s3cr3t-value; vllm serve Qwen/Qwen3-8B]",
            "hub.tokenSecretRef",
        ),
        (
            "args: [--model, Qwen/Qwen3-8B]",
            "command: [sh, -c, 'hf auth login --token s3cr3t-value && vllm serve Qwen/Qwen3-8B']",
            "command[2]",
        ),
        (
            "args: [--model, Qwen/Qwen3-8B]",
            "args: [Qwen/Qwen3-8B]\n        - {name: b, image: 'b:1', env: [{name: HF_TOKEN, value: s3cr3t-value}]}\n"
            "        - name: c\n          image: c:1",
            "extraContainers[0].env[0]",
        ),
        ("resources:", "env: [{name: HF_TOKEN, value: s3cr3t-value}]\n          resources:", "hub.tokenSecretRef"),
        (
            "resources:",
            "env: [{name: VLLM_API_KEY, value: s3cr3t-value}]\n          resources:",
            "auth.apiKeySecretRef",
        ),
        ("resources:", "env: [{name: DB_PASSWORD, value: s3cr3t-value}]\n          resources:", "env.DB_PASSWORD"),
        ("resources:", "env: [{name: AWS_SECRET_ACCESS_KEY, value: s3cr3t-value}]\n          resources:", "env.AWS"),
    ],
)
@pytest.mark.parametrize("output", ["human", "json"])
def test_a_secret_is_written_nowhere(old: str, new: str, key: str, output: str) -> None:
    result = run("import", "-", f"--output={output}", given=ENGINE.replace(old, new))

    assert result.exit_code == 1
    assert "s3cr3t" not in result.stdout + result.stderr
    assert key in result.output
    assert "kubectl create secret generic" in result.output or "secretKeyRef" in result.output


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Qwen3-8B]", "Qwen3-8B, --api-key, s3cr3t-one, s3cr3t-two]"),
        ("Qwen3-8B]", "Qwen3-8B, --api-key, $(MINE)]\n          env: [{name: MINE, value: s3cr3t-value}]"),
        (
            "args: [--model, Qwen/Qwen3-8B]",
            "command: [sh, -c, 'vllm serve a/b --api-key $MINE']\n          env: [{name: MINE, value: s3cr3t-value}]",
        ),
        (
            "args: [--model, Qwen/Qwen3-8B]",
            """command: [sh, -c, 'if true; then vllm serve a/b --api-key "a$b & s3cr3t"; fi']""",
        ),
        ("resources:", "env: [{name: URL, value: 'https://me:s3cr3t-value@host/a'}]\n          resources:"),
        (
            "args: [--model, Qwen/Qwen3-8B]",
            """command: [sh, -c, 'vllm serve a/b; curl -H "Authorization: Bearer s3cr3t-value" c']""",
        ),
    ],
)
def test_a_secret_is_known_by_its_place(old: str, new: str) -> None:
    for output in ("human", "json"):
        result = run("import", "-", f"--output={output}", given=ENGINE.replace(old, new))
        assert "s3cr3t" not in result.stdout + result.stderr


def engine_with(*words: str, image: str = "v0.33.0") -> str:
    return ENGINE.replace("[--model, Qwen/Qwen3-8B]", json.dumps(words)).replace("v0.33.0", image)


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["--port=$(IT)"], "containerPort"),
        (["--tensor-parallel-size", "$(IT)"], "parallelism.tensorParallelSize"),
        (["-tp", "$(IT)"], "parallelism.tensorParallelSize"),
        (["--pipeline_parallel_size=$(IT)"], "parallelism.pipelineParallelSize"),
    ],
)
def test_a_number_that_only_the_pod_knows_is_asked_for(words: list[str], key: str) -> None:
    """The devices are two, so that a size of 1 would be written if the source gave none."""
    of_config_map = "env: [{name: IT, valueFrom: {configMapKeyRef: {name: a, key: b}}}]\n          resources:"
    text = engine_with("--model=org/model", *words).replace("resources:", of_config_map).replace("gpu: 1", "gpu: 2")
    result = run("import", "-", given=text)

    assert result.exit_code == 1
    assert f"write the number as {key}" in result.stderr
    sizes = {"parallelism"} if key == "containerPort" else set()
    assert values_from_yaml(result.stdout).keys() == {"model", "gpu", "env", "image", "podLabels"} | sizes


@pytest.mark.parametrize(
    ("words", "args"),
    [
        (
            ["org/model", "--compilation-config", '{"nope": 3}', "-q", "fp8", "--max-model-len", "4k"],
            {"compilation-config": '{"nope": 3}', "quantization": "fp8", "max-model-len": 4000},
        ),
        (
            ["org/model", "--nobody-knows", "x", "--dtype", "bad", "-O3", "--max-num-batched-tokens", "-1"],
            {"nobody-knows": "x", "dtype": "bad", "optimization-level": "3", "max-num-batched-tokens": -1},
        ),
        (
            ["--dtype=bad", "--enforce_eager", "--model", "org/model", "--hf-overrides.a", "1", "--hf-overrides.b=c d"],
            {"dtype": "bad", "enforce-eager": True, "hf-overrides": {"a": 1, "b": "c d"}},
        ),
        (["--enforce-eager", "org/model", "--dtype", "bad"], {"enforce-eager": True, "dtype": "bad"}),
    ],
)
def test_a_flag_that_the_parser_refuses_is_kept_as_text_and_the_others_are_read(
    words: list[str], args: dict[str, object]
) -> None:
    result = run("import", "-", given=engine_with(*words, "-tp", "1", "--served-model-name", "a", "b"))
    values = values_from_yaml(result.stdout)

    assert result.stderr.count("refuses the arguments") == 1
    assert values["engine"]["args"] == args
    assert values["model"] == {"id": "org/model", "servedModelName": ["a", "b"]}
    assert "parallelism" not in values


def test_flags_of_kserves_own_server_are_left_out_with_their_values() -> None:
    service = """
    apiVersion: serving.kserve.io/v1beta1
    kind: InferenceService
    metadata: {name: a}
    spec:
      predictor:
        model:
          modelFormat: {name: huggingface}
          args: [--model_name, b, --backend, vllm, --model_id, org/model, --disable_vllm, --http_port=80, --dtype, half]
    """
    values = values_from_yaml(run("import", "-", given=service).stdout)

    assert values["model"] == {"id": "org/model", "servedModelName": ["b"]}
    assert values["engine"]["args"] == {"dtype": "half"}


def test_of_a_model_that_is_not_carried_the_arguments_are_not_blamed() -> None:
    service = """
    apiVersion: serving.kserve.io/v1beta1
    kind: InferenceService
    metadata: {name: a}
    spec:
      predictor:
        model: {modelFormat: {name: huggingface}, storageUri: "https://example.com/a", args: [--model_name=b]}
    """
    result = run("import", "-", given=service)

    assert "nothing here fetches https://" in result.stderr
    assert "model.id: no model is named" in result.stderr
    assert "refuses the arguments" not in result.stderr
    assert values_from_yaml(result.stdout)["model"] == {"servedModelName": ["b"]}


def test_adapters_that_kserve_does_not_hand_to_the_engine_are_not_carried() -> None:
    service = """
    apiVersion: serving.kserve.io/v1alpha1
    kind: LLMInferenceService
    metadata: {name: a}
    spec:
      model: {uri: "hf://org/model", lora: {adapters: [{name: b, uri: "hf://org/b"}]}}
      template: {containers: [{name: main, args: [--enable-lora, --lora-modules, c=org/c]}]}
    """
    result = run("import", "-", given=service)

    assert values_from_yaml(result.stdout)["lora"]["adapters"] == [{"name": "c", "source": "org/c"}]
    assert "the arguments say --lora-modules" in result.stderr


def test_what_check_finds_of_the_values_counts() -> None:
    result = run("import", "-", given=ENGINE.replace("Qwen3-8B]", "Qwen3-8B, --max-model-len, '0']"))

    assert result.exit_code == 1
    assert "max-model-len" in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: {{ .Values.b }}", "line 1 is of a template"),
        ("{", "line 2: not a YAML mapping: did not find expected node content (column 1)"),
        ("", "nothing is in it"),
        ("- a", "not a YAML mapping: its outermost level is a list"),
        ("model: {id: org/name}", "no engine is in it: values: give what runs one"),
        ("servingEngineSpec: {modelSpec: 3}", "modelSpec: a list is expected here, and not a number"),
        ("servingEngineSpec: {modelSpec: [{name: a, requestGPU: [1]}]}", "a field has another form"),
        (
            ENGINE.replace("apps/v1\nkind: Deployment", "argoproj.io/v1alpha1\nkind: Rollout")
            + "      terminationGracePeriodSeconds: 60s",
            "a field has another form than it should have: invalid literal for int()",
        ),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {}", "no engine is in it: ConfigMap/a"),
        (
            ENGINE.replace("limits: {nvidia.com/gpu: 1}", "limits: [1]"),
            "resources.limits: what is there is not of type",
        ),
    ],
)
def test_a_file_that_is_something_else_is_a_wrong_call(text: str, words: str) -> None:
    result = run("import", "-", given=text)

    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        '{{ $labels.pod }} is at {{ printf "%.0f" $value }}',
        '{{ range query "up" }}{{ .Labels.pod }}{{ end }}',
        '{{ define "title" }}{{ with .CommonLabels }}{{ .Values | join }}{{ end }}{{ end }}',
        "{{ .GroupLabels.Values.Len }}{{/* include it */}}",
        "{{- 'the parameters that are required ' + tool.required | join }}",
    ],
)
def test_what_prometheus_and_alertmanager_fill_in_is_no_template_of_helms(text: str) -> None:
    annotations = {"description": text}
    rule = {"alert": "Down", "expr": "up == 0", "annotations": annotations}
    group = {"groups": [{"name": "engine", "rules": [rule]}]}
    beside = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "a"}}
    result = run("import", "-", given=f"{ENGINE}---\n{yaml.safe_dump(beside | {'spec': group})}")

    assert result.exit_code == 0, result.stderr
    assert values_from_yaml(result.stdout)["model"] == {"id": "Qwen/Qwen3-8B"}


@pytest.mark.parametrize(
    "text",
    [
        "{{ .Values.b }}",
        '"{{ $.Values.b | quote }}"',
        "{{- if and (eq .Values.b 1) .Values.c }}",
        '"{{ include "a" . }}"',
        "{{- toYaml $b | nindent 2 }}",
        "a-{{ .Release.Name }}",
    ],
)
def test_what_helm_fills_in_is_to_be_rendered_first(text: str) -> None:
    result = run("import", "-", given=ENGINE.replace("{name: engine}\nspec", f"\n  name: {text}\nspec"))

    assert result.exit_code == 2
    assert "line 5 is of a template: render it first" in result.stderr


def test_a_file_in_another_encoding_is_a_wrong_call(tmp_path: Path) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_bytes(ENGINE.encode("utf-16"))
    result = run("import", file)

    assert result.exit_code == 2
    assert "is not UTF-8: invalid start byte at byte 0: save it as UTF-8" in result.stderr


@pytest.mark.parametrize("kind", ["LeaderWorkerSet", "RayCluster", "DynamoGraphDeployment", "Kustomization"])
def test_what_is_no_release_is_named_with_its_reason(kind: str) -> None:
    result = run("import", "-", given=f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{size: 2}}\n")

    assert result.exit_code == 1
    assert f"error: {kind}/a: " in result.stderr
    assert result.stdout == ""


def test_an_unknown_kind_that_runs_vllm_is_an_error_and_another_is_told() -> None:
    fleet = "apiVersion: a/v1\nkind: Fleet\nmetadata: {name: a}\nspec: {args: [vllm serve org/model]}\n"
    other = "apiVersion: a/v1\nkind: Fleet\nmetadata: {name: a}\nspec: {size: 1}\n---" + ENGINE

    assert "error: Fleet/a: Fleet is not known here, and runs vLLM" in run("import", "-", given=fleet).stderr
    assert "warning: Fleet/a: Fleet is not known here" in run("import", "-", given=other).stderr


def test_a_form_that_is_not_in_the_file_is_a_wrong_call() -> None:
    assert "nothing of kserve is in it" in run("import", "-", "--from=kserve", given=ENGINE).stderr


def test_what_the_api_server_wrote_is_told_as_such() -> None:
    live = ENGINE.replace(
        "metadata: {name: engine}", "metadata: {name: a, uid: b, resourceVersion: '1', generation: 2}"
    )
    result = run("import", "-", "--output=json", given=live + "status: {replicas: 1}\n")
    fates = {field["field"]: field["fate"] for field in json.loads(result.stdout)["fields"]}

    assert result.exit_code == 0
    assert fates["Deployment/a: metadata.uid"] == fates["Deployment/a: status"] == "covered"


def test_flags_of_a_script_of_ones_own_are_not_guessed() -> None:
    script = "command: [sh, -c, 'if true; then vllm serve org/model; fi']"
    result = run("import", "-", given=ENGINE.replace("args: [--model, Qwen/Qwen3-8B]", script))

    assert result.exit_code == 1
    assert values_from_yaml(result.stdout)["engine"] == {"passArguments": False}
    assert "it has conditions, loops or substitutions" in result.stderr


def test_the_command_offers_the_forms_that_are_read() -> None:
    assert import_values.FORMS == read.FORMS


OTHERS_OF_KSERVE = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris}
spec: {predictor: {sklearn: {storageUri: "gs://x/y"}}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: trees}
spec: {predictor: {model: {modelFormat: {name: xgboost}, storageUri: "gs://x/y"}}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: own}
spec: {predictor: {containers: [{name: kserve-container, image: "org/server:v1"}]}}
---
"""


def test_a_service_of_kserve_that_runs_something_else_is_named_and_the_rest_is_read() -> None:
    result = run("import", "-", given=OTHERS_OF_KSERVE + ENGINE)

    assert result.exit_code == 0
    assert values_from_yaml(result.stdout)["model"] == {"id": "Qwen/Qwen3-8B"}
    for name in ("iris", "trees", "own"):
        assert f"info: InferenceService/{name}: no container of it runs vLLM" in result.stderr
    assert "no engine is in it: InferenceService/iris" in run("import", "-", given=OTHERS_OF_KSERVE).stderr


def test_arguments_in_a_variable_whose_quotes_do_not_match_are_named() -> None:
    service = """
    apiVersion: serving.kserve.io/v1alpha1
    kind: LLMInferenceService
    metadata: {name: llm}
    spec:
      model: {uri: "hf://org/model"}
      template:
        containers:
          - name: main
            image: vllm/vllm-openai:v0.33.0
            env: [{name: VLLM_ADDITIONAL_ARGS, value: "--api-key s3cr3t-value 'open"}]
            resources: {limits: {nvidia.com/gpu: 1}}
    """
    result = run("import", "-", given=service)

    assert result.exit_code == 1
    assert "containers[0].env[0]: its quotes don't match" in result.stderr
    assert values_from_yaml(result.stdout)["model"]["id"] == "org/model"
    assert "s3cr3t" not in result.stdout + result.stderr


def owned(kind: str, name: str, owner: str, above: str, labels: str = "{}") -> str:
    """An object of ENGINE's pods, as the cluster makes it out of another."""
    made = yaml.safe_load(ENGINE)
    by = {"apiVersion": "apps/v1", "kind": owner, "name": above, "uid": "u", "controller": True}
    spec = made["spec"]["template"]["spec"] if kind == "Pod" else made["spec"]
    metadata = {"name": name, "labels": yaml.safe_load(labels), "ownerReferences": [by]}
    return yaml.safe_dump(
        {"apiVersion": "v1" if kind == "Pod" else "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}
    )


@pytest.mark.parametrize("with_set", [True, False])
def test_what_a_workload_of_the_file_makes_is_no_other_release(with_set: bool) -> None:
    """As `kubectl get all -o yaml` has it, and `kubectl get deployment,pod`."""
    middle = [owned("ReplicaSet", "engine-abc", "Deployment", "engine")] if with_set else []
    pod = owned("Pod", "engine-abc-x", "ReplicaSet", "engine-abc", "{pod-template-hash: abc}")
    result = run("import", "-", given="---\n".join([ENGINE, *middle, pod]))

    assert result.exit_code == 0, result.stderr
    assert "makes it\n    Pod/engine-abc-x" in result.stderr
    assert run("import", "-", given=pod).exit_code == 0, "alone it is one"


LOAD = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: load}
spec:
  selector: {matchLabels: {app: load}}
  template:
    metadata: {labels: {app: load}}
    spec:
      containers: [{name: load, image: "vllm/vllm-openai:v0.33.0", COMMAND}]
"""


@pytest.mark.parametrize(
    ("command", "engine"),
    [
        ("command: [vllm, bench, serve, --model, org/model]", False),
        ("command: [sleep, infinity]", False),
        ("command: [bash, -c, vllm bench serve --model org/model]", False),
        ("command: [/opt/start.sh]", True),
        ("command: [bash, /opt/start]", True),
        ("args: [org/model]", True),
    ],
)
def test_a_container_of_vllms_image_is_an_engine_only_where_it_may_start_one(command: str, engine: bool) -> None:
    result = run("import", "-", "--output=json", given=ENGINE + LOAD.replace("COMMAND", command))

    assert [release["name"] for release in json.loads(result.stdout)["releases"]] == ["engine", *["load"] * engine]


def test_what_the_chart_renders_is_one_release() -> None:
    """Its test, a hook of Helm's, runs vLLM's image too."""
    rendered = "---\n".join(yaml.safe_dump(dict(one)) for one in render(values={"model": {"id": "org/model"}}))
    result = run("import", "-", "--output=json", given=rendered)

    assert [release["name"] for release in json.loads(result.stdout)["releases"]] == ["llm-vllm"]
    assert "helm.sh/hook" in rendered


def test_a_certificate_by_arguments_stays_one() -> None:
    certificate = "[--model, a/b, --ssl-certfile, /tls/tls.crt, --ssl-keyfile, /tls/tls.key, --enable-ssl-refresh]"
    text = ENGINE.replace("[--model, Qwen/Qwen3-8B]", certificate).replace(
        "resources:", "volumeMounts: [{name: tls, mountPath: /tls, readOnly: true}]\n          resources:"
    )
    result = run("import", "-", given=text + "      volumes: [{name: tls, secret: {secretName: tls}}]\n")

    assert "enable-ssl-refresh: true" in result.stdout
    assert "enable-ssl-refresh" not in result.stderr, result.stderr


def deployment(**pod: Any) -> Any:
    """ENGINE with fields of its pod, and of its container in `container`."""
    document = yaml.safe_load(ENGINE)
    spec = document["spec"]["template"]["spec"]
    spec["containers"][0] |= pod.pop("container", {})
    spec |= pod
    return document


def outcome(document: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The values of the one release, and what is found."""
    told = json.loads(run("import", "-", "--output=json", given=yaml.safe_dump(document)).stdout)
    (release,) = told["releases"]
    return release["values"], told["findings"]


def test_a_mount_of_a_claim_template_is_named_and_not_written() -> None:
    mounts = [{"name": "cache", "mountPath": "/root/.cache/huggingface"}]
    document = deployment(container={"volumeMounts": mounts})
    document["kind"] = "StatefulSet"
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    document["spec"] |= {"volumeClaimTemplates": [{"metadata": {"name": "cache"}, "spec": claim}]}
    beside = {"name": "beside", "image": "org/beside:1", "volumeMounts": mounts}
    document["spec"]["template"]["spec"]["containers"].append(beside)
    values, findings = outcome(document)

    assert "volumeMounts" not in values
    assert values["extraContainers"][0]["volumeMounts"] == []
    assert sum("has no volume of this name" in finding["message"] for finding in findings) == 2
    assert [finding for finding in findings if finding["check"] == "rule"] == []


@pytest.mark.parametrize(
    ("pod", "container", "written"),
    [
        ({}, {"privileged": True}, {"securityContext": {"privileged": True, "allowPrivilegeEscalation": True}}),
        (
            {},
            {"capabilities": {"add": ["SYS_ADMIN"]}},
            {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}, "allowPrivilegeEscalation": True}},
        ),
        ({}, {"runAsUser": 0}, {"securityContext": {"runAsUser": 0}, "podSecurityContext": {"runAsNonRoot": False}}),
        ({"runAsUser": 0}, {}, {"podSecurityContext": {"runAsUser": 0, "runAsNonRoot": False}}),
        (
            {"runAsUser": 0},
            {"runAsNonRoot": False},
            {"securityContext": {"runAsNonRoot": False}, "podSecurityContext": {"runAsUser": 0, "runAsNonRoot": False}},
        ),
    ],
)
def test_a_security_context_that_worked_is_not_refused(pod: Any, container: Any, written: Any) -> None:
    values, findings = outcome(deployment(securityContext=pod, container={"securityContext": container}))

    assert {key: value for key, value in values.items() if key.endswith("ecurityContext")} == written
    assert [finding for finding in findings if finding["check"] == "rule"] == []


@pytest.mark.parametrize(("args", "told"), [([], 1), (["--tensor-parallel-size=8"], 0)])
def test_devices_that_the_engine_leaves_idle_are_told(args: list[str], told: int) -> None:
    resources = {"limits": {"nvidia.com/gpu": 8}}
    _, findings = outcome(deployment(container={"args": ["--model=a/b", *args], "resources": resources}))

    idle = [finding for finding in findings if "the pod has 8 devices" in finding["message"]]
    assert len(idle) == told
    assert all("parallelism.tensorParallelSize: 8" in finding["remedy"] for finding in idle)


@pytest.mark.parametrize(("network", "node", "refused"), [(True, 8000, 0), (False, 8000, 1), (True, 9000, 1)])
def test_a_port_of_the_node_is_the_pods_own_on_the_hosts_network(network: bool, node: int, refused: int) -> None:
    ports = [{"containerPort": 8000, "hostPort": node}]
    _, findings = outcome(deployment(hostNetwork=network, container={"ports": ports}))

    assert sum("no port of the node" in finding["message"] for finding in findings) == refused
