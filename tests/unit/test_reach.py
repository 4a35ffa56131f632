"""`vllm-chart check --reach`: tables of who reaches what."""

import json
import re
from pathlib import Path

import pytest

from tests.commands import run
from vllm_chart.checks import reach
from vllm_chart.findings import Exit, WrongCallError

VALUES = "values/network.yaml"
PAGE = Path("docs/network.md").read_text()
IN_THE_PAGE = "".join(re.findall(r"```yaml\n(- about.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "reach.yaml"


def test_the_table_in_the_page_is_so(table: Path) -> None:
    table.write_text(IN_THE_PAGE)

    result = run("check", "-f", VALUES, "--reach", table, "--kube-versions", "1.37")

    assert result.exit_code == Exit.OK
    assert re.search(r"the endpoint asks the engine +allowed +NetworkPolicy/llm-vllm: ingress\[0\]\n", result.stdout)
    assert len(result.stdout.splitlines()) == IN_THE_PAGE.count("expected") + 1


@pytest.mark.parametrize("row", range(IN_THE_PAGE.count("expected")))
def test_each_row_of_it_can_be_wrong(table: Path, row: int) -> None:
    turned = {"allowed": "denied", "denied": "allowed"}
    before = IN_THE_PAGE.split("expected: ")
    before[row + 1] = re.sub(r"^\w+", lambda word: turned[word[0]], before[row + 1])
    table.write_text("expected: ".join(before))

    result = run("check", "-f", VALUES, "--reach", table, "--kube-versions", "1.37", "-o", "json")

    said = json.loads(result.stdout)
    assert result.exit_code == Exit.REFUSED
    assert [(one["check"], one["where"]) for one in said["findings"]] == [("reach", f"{table}: rows[{row}]")]
    assert [one["expected"] != one["verdict"] for one in said["reach"]].index(True) == row


def test_what_is_ignored_is_told_apart(table: Path) -> None:
    table.write_text("[{who: {ip: 203.0.113.7}, where: 8000, expected: allowed}]")

    result = run("check", "-f", VALUES, "--reach", table, "--ignore", "reach", "--kube-versions", "1.37")

    assert result.exit_code == Exit.OK
    assert "ignored: reach, which lets this pass:" in result.stdout


IGNORED = ("--set", "model.id=meta-llama/Llama-3.1-8B,gpu.count=3", "--ignore", "divisibility")


def test_values_whose_errors_are_ignored_have_a_table(table: Path) -> None:
    table.write_text("[{who: {ip: 203.0.113.7}, where: 8000, expected: denied}]")

    result = run("check", *IGNORED, "--reach", table, "--kube-versions", "1.37")

    assert result.exit_code == Exit.REFUSED
    assert "203.0.113.7 to 8000/TCP is allowed, not denied" in result.stdout


def test_a_policy_without_a_form_is_told_beside_the_table(table: Path, tmp_path: Path) -> None:
    table.write_text("[{who: {ip: 203.0.113.7}, where: 8000, expected: allowed}]")
    extra = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "mine"}}
    values = tmp_path / "values.yaml"
    values.write_text(json.dumps({"extraObjects": [extra | {"spec": {"podSelector": {}, "ingress": ["x"]}}]}))

    result = run("check", *IGNORED, "-f", values, "--reach", table, "--kube-versions", "1.37")

    assert result.exit_code == Exit.REFUSED
    assert "error: NetworkPolicy/mine: spec.ingress[0]: 'x' is not of type" in result.stdout
    assert re.search(r"203.0.113.7 to 8000/TCP +allowed", result.stdout)


def test_a_chart_without_pods_has_no_table(table: Path, tmp_path: Path) -> None:
    table.write_text("[{who: {ip: 203.0.113.7}, where: 8000, expected: allowed}]")
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: maps\nversion: 1.0.0\n")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")

    result = run("check", "--chart", tmp_path, "--reach", table, "--kube-versions", "1.37")

    assert result.exit_code == Exit.USAGE
    assert "--reach: nothing that the chart renders keeps a pod running" in result.stderr


def test_the_endpoint_has_tables_too(table: Path) -> None:
    table.write_text(
        "[{who: {namespace: apps}, where: http, expected: allowed}, {who: {}, where: metrics, expected: allowed},"
        " {who: {namespace: apps}, where: 9901, expected: denied}]".replace("who: {},", "who: {labels: {a: b}},")
    )
    values = "values/endpoint/two-models.yaml"

    result = run("check", "--chart", "vllm-endpoint", "-f", values, "--reach", table, "--kube-versions", "1.37")

    assert result.exit_code == Exit.OK, result.stdout


def test_values_that_helm_refuses_come_before_the_table(table: Path) -> None:
    table.write_text(IN_THE_PAGE)
    result = run("check", "--set", "replicas=1", "--reach", table, "-o", "json")
    assert {one["check"] for one in json.loads(result.stdout)["findings"]} >= {"schema"}
    assert "reach" not in json.loads(result.stdout)


def test_the_release_and_its_namespace_count(table: Path) -> None:
    table.write_text(
        "[{who: {labels: {app.kubernetes.io/name: vllm, app.kubernetes.io/instance: chat}}, where: 5557, "
        "expected: allowed}, {who: {namespace: default, labels: {app.kubernetes.io/name: vllm, "
        "app.kubernetes.io/instance: chat}}, where: 5557, expected: denied}]"
    )
    options = ("--release", "chat", "--namespace", "models", "--kube-versions", "1.37")
    assert run("check", "-f", VALUES, "--reach", table, *options).exit_code == Exit.OK
    assert run("check", "-f", VALUES, "--reach", table, *options[2:]).exit_code == Exit.REFUSED


WRONG = {
    "no list": ("a: b", "no table: write a list"),
    "nothing in it": ("[]", "no table: write a list"),
    "no YAML": ("[{", "no YAML"),
    "text for a row": ("[a]", "rows[0]: no row: write who"),
    "no who": ("[{where: 1, expected: denied}]", "has no who: write who: {namespace: apps"),
    "no port": ("[{who: {ip: 1.1.1.1}, expected: denied}]", "has no where: write the port"),
    "no verdict": ("[{who: {ip: 1.1.1.1}, where: 1}]", "has no expected: write allowed or denied"),
    "another verdict": ("[{who: {ip: 1.1.1.1}, where: 1, expected: yes}]", "expected: write allowed or denied"),
    "another key": ("[{who: {ip: 1.1.1.1}, where: 1, expected: denied, from: a}]", "from is no key of a row"),
    "another key of who": ("[{who: {pod: a}, where: 1, expected: denied}]", "who: write who: {namespace: apps"),
    "labels as a list": ("[{who: {labels: [a]}, where: 1, expected: denied}]", "labels are a map"),
    "a network": ("[{who: {ip: 10.0.0.0/8}, where: 1, expected: denied}]", "write one address, 203.0.113.7"),
    "a direction": ("[{who: {ip: 1.1.1.1}, where: 1, expected: denied, direction: in}]", "direction: write ingress"),
    "a protocol": ("[{who: {ip: 1.1.1.1}, where: 1/HTTP, expected: denied}]", "where: write the port: 8000"),
    "no such number": ("[{who: {ip: 1.1.1.1}, where: 70000, expected: denied}]", "where: write the port: 8000"),
    "no such name": (
        "[{who: {ip: 1.1.1.1}, where: web, expected: denied}]",
        "no port is called web: write a number, or one of http",
    ),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_table_that_is_none_is_a_wrong_call(table: Path, text: str, words: str) -> None:
    table.write_text(text)

    result = run("check", "-f", VALUES, "--reach", table, "--kube-versions", "1.37")

    assert (result.exit_code, words in result.stderr) == (Exit.USAGE, True), result.stderr


def test_rows_may_stand_under_a_key(table: Path) -> None:
    table.write_text("rows: [{who: {ip: 1.1.1.1}, where: 53/udp, expected: denied, direction: egress}]")
    [row] = reach.read(table, "models")
    assert (row.where, row.direction, row.allowed) == ("53/UDP", "Egress", False)


def test_a_file_that_is_not_there_is_a_wrong_call() -> None:
    assert run("check", "-f", VALUES, "--reach", "/nowhere.yaml").exit_code == Exit.USAGE
    with pytest.raises(OSError, match="nowhere"):
        reach.read("/nowhere.yaml", "default")


def test_text_that_is_no_unicode(table: Path) -> None:
    table.write_bytes(b"\xff\xfe")
    with pytest.raises(WrongCallError, match="no YAML"):
        reach.read(table, "default")
