"""`vllm-chart rules`: a rule file on standard output, and nothing else there."""

import json

import yaml

from tests.commands import run
from vllm_chart import helm
from vllm_chart.charts import ENDPOINT

MODEL = "--set=model.id=org/name"


def test_it_prints_what_the_object_has() -> None:
    values = {"model": {"id": "org/name"}, "prometheusRule": {"enabled": True}}
    rendered = helm.render(values=values, release="chat", namespace="models").one("PrometheusRule")
    result = run("rules", MODEL, "--release=chat", "--namespace=models")

    assert (result.exit_code, result.stderr) == (0, "")
    assert yaml.safe_load(result.stdout) == rendered["spec"]
    document = json.loads(run("rules", MODEL, "--release=chat", "--namespace=models", "--output=json").stdout)
    assert document["groups"] == rendered["spec"]["groups"]


def test_it_does_not_matter_whether_the_object_is_rendered() -> None:
    one = run("rules", MODEL, "--set=prometheusRule.enabled=false", "--set=prometheusRule.interval=45s").stdout

    assert "interval: 45s" in one
    assert one == run("rules", MODEL, "--set=prometheusRule.enabled=true", "--set=prometheusRule.interval=45s").stdout


def test_a_person_can_read_it() -> None:
    text = run("rules", MODEL).stdout

    assert text.startswith("# Rules of the release llm in namespace default")
    assert "  - alert: VLLMDown\n    expr: |\n      sum by (namespace, job) (up{" in text
    assert "\\n" not in text


def test_what_is_wrong_never_gets_into_the_file() -> None:
    result = run("rules", MODEL, "--set=slo.ttft.seconds=2")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "slo.ttft.seconds" in result.stderr
    told = json.loads(run("rules", MODEL, "--set=slo.ttft.seconds=2", "--output=json").stdout)
    assert (told["ok"], told["findings"][0]["where"]) == (False, "slo.ttft.seconds")


def test_a_warning_stands_beside_the_groups_alone() -> None:
    values = (MODEL, "--set=env.VLLM_NONSENSE=1")
    result, document = run("rules", *values), json.loads(run("rules", *values, "--output=json").stdout)

    assert "VLLM_NONSENSE" not in result.stdout
    assert "warning: env.VLLM_NONSENSE: " in result.stderr
    assert (document["ok"], [one["where"] for one in document["findings"]]) == (True, ["env.VLLM_NONSENSE"])
    assert document["groups"] == yaml.safe_load(result.stdout)["groups"]


def test_values_that_are_refused_anyway_are_told() -> None:
    result = run("rules", MODEL, "--set=prometheusRule=true")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "write a map" in result.stderr


def test_those_of_the_endpoint_are_printed_alike() -> None:
    values = {
        "models": {"llama3": {"service": "llm"}},
        "clients": {"secretName": "keys"},
        "prometheusRule": {"enabled": True},
    }
    rendered = helm.render(chart=ENDPOINT.folder, values=values, release="llm").one("PrometheusRule")
    result = run("rules", "--chart=vllm-endpoint", "--set=models.llama3.service=llm", "--set=clients.secretName=keys")

    assert (result.exit_code, result.stderr) == (0, "")
    assert yaml.safe_load(result.stdout) == rendered["spec"]
