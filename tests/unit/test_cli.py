"""The command: what it prints, and with which code it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.commands import run
from vllm_chart import checks, helm
from vllm_chart.cli.main import main
from vllm_chart.findings import Exit, Finding, UnavailableError, to_human, told_once
from vllm_chart.live import smoke

GOOD = "model: {id: org/name}\n"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    return file


def findings(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


# validate


def test_good_values_are_fine(good: Path) -> None:
    human, machine = run("validate", "-f", good), run("validate", "-f", good, "--output", "json")

    assert (human.exit_code, human.stdout) == (Exit.OK, "fine: the chart takes these values\n")
    assert json.loads(machine.stdout) == {"ok": True, "findings": []}


MISTAKES: list[tuple[str, str, str]] = [
    # values, where, part of the remedy or message
    ("modle: {id: x}", "modle", "did you mean model?"),
    ("model: {id: x, revison: y}", "model.revison", "did you mean model.revision?"),
    ("replicas: 2", "replicas", "write replicaCount"),
    ("tensor-parallel-size: 2", "tensor-parallel-size", "did you mean parallelism.tensorParallelSize?"),
    ("tolerations: [{ky: x}]", "tolerations[0].ky", "did you mean tolerations[0].key?"),
    ("readinessProbe: {httpGet: {port: 1, pth: x}}", "readinessProbe.httpGet.pth", "readinessProbe.httpGet.path"),
    ("engine: {args: {gpuMemoryUtilization: 0.9}}", "engine.args.gpuMemoryUtilization", "write gpu-memory-utilization"),
    ("engine: {args: {tensor_parallel_size: 2}}", "engine.args.tensor_parallel_size", "write gpu.count"),
    ("env: {A: {valeFrom: {}}}", "env.A.valeFrom", "did you mean env.A.valueFrom?"),
    ("engine: {maxModelLen: 4096}", "engine.maxModelLen", "write engine.args.max-model-len"),
    ("dtype: half", "dtype", "write engine.args.dtype"),
    ("nodeSelector: gpu", "nodeSelector", "write a map: nodeSelector: {name: value}"),
    ("engine: {args: {max-num-seqs: 1k}}", "engine.args.max-num-seqs", "write a whole number"),
    ("engine: {args: {max-model-len: many}}", "engine.args.max-model-len", "write a whole number: 8192, 8k"),
    ("engine: {args: {gpu-memory-utilization: 90%}}", "engine.args.gpu-memory-utilization", "write a fraction"),
    (
        'engine: {args: {cudagraph-capture-sizes: "1,2"}}',
        "engine.args.cudagraph-capture-sizes",
        "a list of them: [1, 2]",
    ),
    ("model: org/name", "model", "write a map: model.id, model.revision"),
    ("engine: cpu", "engine", "write a map: engine.args, engine.device, engine.extraArgs"),
    ("engine: {extraArgs: --max-model-len 8k}", "engine.extraArgs", "write a list: extraArgs: [text]"),
    ("tolerations: {key: a}", "tolerations", "write a list: tolerations: […]"),
    ("image: vllm/vllm-openai:v0.33.0", "image", "write a map: image.repository, image.tag"),
    ("securityContext: {fsGroup: 0}", "securityContext.fsGroup", "write podSecurityContext.fsGroup"),
    ("gpu: {count: two}", "gpu.count", "write a whole number"),
    ("service: {type: Web}", "service.type", "ClusterIP"),
    ("model:", "model", "a null deletes a default"),
    ("model: {id: x}\ngpu: {count: 2}\nparallelism: {tensorParallelSize: 3}", "parallelism", "gpu.count"),
    ("qqqqqq: 1", "qqqqqq", "no such key"),
    (
        "engine: {args: {kv-transfer-config: {kv_connector: NixlConnector, kv_rol: kv_both}}}",
        "engine.args.kv-transfer-config.kv_rol",
        "did you mean engine.args.kv-transfer-config.kv_role?",
    ),
]


def test_within_a_flag_of_json_no_key_of_the_charts_own_is_meant() -> None:
    config = "{kv_connector: NixlConnector, kv_role: kv_both, kv_parallel_size: 2, kv_rank: 0}"
    values = f"model: {{id: a/b}}\nengine: {{args: {{kv-transfer-config: {config}}}}}"
    told = findings(run("validate", "-f", "-", "-o", "json", given=values))

    assert {finding["where"].rpartition(".")[2] for finding in told} == {"kv_parallel_size", "kv_rank"}
    assert not [finding for finding in told if "parallelism" in finding["remedy"]]


@pytest.mark.parametrize(("values", "where", "advice"), MISTAKES, ids=[where for _, where, _ in MISTAKES])
def test_a_mistake_is_told_with_its_key_and_what_to_write(tmp_path: Path, values: str, where: str, advice: str) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(values)

    result = run("validate", "-f", file, "--output", "json")

    assert result.exit_code == Exit.REFUSED
    told = {finding["where"]: f"{finding['message']} {finding['remedy']}" for finding in findings(result)}
    assert advice in told[where]


def test_every_mistake_is_told(good: Path) -> None:
    result = run("validate", "-f", good, "--set", "a=1,gpu.cout=2", "--set-string", "replicaCount=3", "-o", "json")

    assert {finding["where"] for finding in findings(result)} == {"a", "gpu.cout", "replicaCount"}


def test_every_broken_rule_is_told() -> None:
    result = run("validate", "--set", "image.tag=latest,service.nodePort=30000", "-o", "json")

    assert {finding["where"] for finding in findings(result)} == {"model.id", "image.tag", "service.nodePort"}


def test_files_and_expressions_are_merged_as_helm_merges_them(tmp_path: Path, good: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("tolerations: [{key: gpu}]\nreplicaCount: 2\n")

    assert run("validate", "-f", good, "-f", over, "--set", "tolerations[0].operator=Exists").exit_code == Exit.OK
    assert run("validate", "-f", good, "-f", over, "--set", "tolerations[0].op=Exists").exit_code == Exit.REFUSED


def test_a_key_twice_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text("model: {id: x}\nreplicaCount: 1\nreplicaCount: 2\n")

    (finding,) = findings(run("validate", "-f", file, "-o", "json"))

    assert finding["where"] == f"{file}:3"
    assert "'replicaCount' is there twice" in finding["message"]


@pytest.mark.parametrize("content", [b"model: [", b"- a list", b"\xff\xfe\x00"], ids=["syntax", "list", "binary"])
def test_a_file_that_is_no_values_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.yaml"
    file.write_bytes(content)

    result = run("validate", "-f", file)

    assert result.exit_code == Exit.REFUSED
    assert "broken.yaml" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "-f", "absent.yaml"],
        ["validate", "--nonsense"],
        ["validate", "--chart", "."],
        ["check", "--kube-versions", "1.20"],
        ["check", "--kube-versions", "1.37-1.30"],
        ["check", "--pod-security", "secure"],
        ["smoke"],
        ["smoke", "http://localhost", "--release", "llm"],
        ["smoke", "localhost:8000"],
        ["load", "localhost:8000"],
        ["check", "--namespace", "A B"],
        ["check", "--release", "Llama_3"],
        ["check", "--api-versions", "ServiceMonitor"],
        ["plan", "--gpu-memory", "44"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_ends_with_2_and_says_why(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)

    assert result.exit_code == Exit.USAGE
    assert "Error: " in result.stderr


# check


def test_check_says_what_it_checked(good: Path) -> None:
    result = run("check", "-f", good, "--kube-versions", "1.30,1.36-1.37")

    assert result.exit_code == Exit.OK, result.output
    assert "Kubernetes 1.30, 1.36, 1.37" in result.stdout
    assert "restricted" in result.stdout


def test_check_begins_with_the_values() -> None:
    (finding,) = findings(run("check", "-o", "json"))

    assert (finding["check"], finding["where"]) == ("rule", "model.id")


def test_check_finds_what_helm_would_let_pass(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(
        GOOD + "hostNetwork: true\n"
        "livenessProbe: {initialDelaySeconds: 300}\n"
        "extraObjects:\n"
        "  - {apiVersion: v1, kind: ConfigMap, metadata: {name: x}, daata: {}}\n"
        "  - {apiVersion: example.com/v1, kind: Widget, metadata: {name: x}}\n"
    )

    result = run("check", "-f", file, "-o", "json")
    found = {finding["check"]: finding for finding in findings(result)}

    assert result.exit_code == Exit.REFUSED
    assert found["pod-security"]["where"] == "Deployment/llm-vllm: hostNetwork"
    assert found["probes-do-not-wait"]["severity"] == "warning"
    schema = {finding["where"]: finding for finding in findings(result) if finding["check"] == "kubernetes-schema"}
    assert "'daata' was unexpected" in schema["ConfigMap/x"]["message"]
    assert schema["Widget/x"]["severity"] == "info"


def test_a_level_of_pod_security_is_a_choice(good: Path) -> None:
    arguments = ["check", "-f", str(good), "--set", "securityContext.allowPrivilegeEscalation=true"]

    assert run(*arguments).exit_code == Exit.REFUSED
    assert run(*arguments, "--pod-security", "baseline").exit_code == Exit.OK


# smoke


def test_smoke_passes_on_what_was_asked_and_ends_by_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[smoke.Target, str, float]] = []

    def fake(target: smoke.Target, *, model: str, timeout_seconds: float, **_: object) -> smoke.SmokeReport:
        asked.append((target, model, timeout_seconds))
        return smoke.SmokeReport([], [Finding("smoke-health", "", "no answer")])

    monkeypatch.setattr(smoke, "run", fake)

    assert run("smoke", "http://x", "--model", "m", "--timeout", "2").exit_code == Exit.REFUSED
    assert run("smoke", "--release", "llm", "-n", "models").exit_code == Exit.REFUSED
    assert asked == [(smoke.Endpoint("http://x"), "m", 2.0), (smoke.Release("llm", "models"), "", 60.0)]


def test_what_is_missing_ends_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object, **__: object) -> smoke.SmokeReport:
        raise UnavailableError("no answer: start it")

    monkeypatch.setattr(smoke, "run", unavailable)
    result = run("smoke", "http://x")

    assert (result.exit_code, result.stderr) == (Exit.ENVIRONMENT, "Error: no answer: start it\n")


# What every command shares


@pytest.mark.parametrize(
    "content",
    [b"- a list", b"a word", b"{}", b"clusters: 1", b"model: [", b"\x80\xff", b"a: &a [*a]", b"a: \0", b"[" * 5000],
)
def test_a_file_that_is_no_kubeconfig_ends_with_3(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config"
    file.write_bytes(content)
    result = run("diagnose", "--release", "llm", "--kubeconfig", file)

    assert result.exit_code == Exit.ENVIRONMENT
    assert result.stderr.startswith("Error: no cluster to talk to: ")


@pytest.mark.parametrize("command", [[], *([name] for name in main.commands)], ids=lambda c: "".join(c))
def test_help_teaches(command: list[str]) -> None:
    result = run(*command, "--help")

    assert result.exit_code == Exit.OK
    assert "Exit codes:" in result.stdout
    assert f"vllm-chart {' '.join(command)}".strip() in result.stdout.partition("Options:")[0]


def test_errors_come_first_and_a_remedy_below() -> None:
    text = to_human([Finding("a", "here", "maybe", severity="warning"), Finding("b", "there", "wrong", "mend it")])

    assert text == "error: there: wrong [b]\n    -> mend it\nwarning: here: maybe [a]"


def test_a_finding_of_some_versions_names_them() -> None:
    always, once = Finding("a", "", "always"), Finding("b", "", "once")

    told = told_once({"1.30": [always, once], "1.37": [always]})

    assert [finding.message for finding in told] == ["always", "once (Kubernetes 1.30)"]


def test_a_finding_that_is_made_twice_is_told_once_too() -> None:
    twice, once = Finding("a", "", "twice"), Finding("b", "", "twice in one")

    told = told_once({"1.36": [twice, twice], "1.37": [twice, twice, once, once]})

    assert [finding.message for finding in told] == ["twice", "twice in one (Kubernetes 1.37)"]


def test_the_names_of_the_checks_are_those_of_the_findings(good: Path) -> None:
    found = checks.check(values_files=[good], set_=["hostNetwork=true,serviceAccount.automount=true"])

    assert {finding.check for finding in found} <= set(checks.registry.of_check())
    assert helm.render(values_files=[good]).one("Deployment").name == "llm-vllm"
