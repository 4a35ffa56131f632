"""`vllm-chart endpoint values`, out of releases as the chart renders them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from tests import envoy
from tests.api_server import cluster_of
from tests.commands import run
from tests.unit.test_commands_page import documented
from vllm_chart import helm
from vllm_chart.findings import Exit

Json = dict[str, Any]
HEADLESS = {"clusterIP": "None"}
MODEL = "meta-llama/Llama-3.1-8B"


def release(name: str, namespace: str = "models", **values: Any) -> list[Json]:
    """What the chart renders, as an API server has it."""
    values = {"model": {"id": MODEL, "servedModelName": [name]}, "service": HEADLESS, **values}
    rendered = [dict(one) for one in helm.render(release=name, namespace=namespace, values=values)]
    for one in rendered:
        if one["kind"] == "Service":
            one["spec"] = {"clusterIP": "10.0.0.7", **one["spec"]}
    return rendered


def objects(*releases: list[Json], every: bool = False) -> Json:
    """The API's paths, by namespace, or those of all."""
    answers: Json = {}
    for one in (one for rendered in releases for one in rendered):
        group = {"Deployment": "/apis/apps/v1", "Service": "/api/v1"}.get(one["kind"])
        if group:
            within = "" if every else f"/namespaces/{one['metadata']['namespace']}"
            answers.setdefault(f"{group}{within}/{one['kind'].lower()}s", []).append(one)
    return answers


def call(folder: Path, there: Json, *arguments: str) -> Result:
    with cluster_of({"/api/v1/namespaces/models/services": []} | there, folder):
        kubeconfig = f"--kubeconfig={folder / 'kubeconfig'}"
        return run("endpoint", "values", "--namespace=models", kubeconfig, *arguments)


def written(result: Result) -> Json:
    assert result.exit_code == 0, result.output
    document: Json = yaml.safe_load(result.stdout)
    return document


MANY = (
    release("llama3", model={"id": MODEL, "servedModelName": ["llama3", MODEL]}),
    release("plain", model={"id": "Qwen/Qwen3-8B"}),
    release("locked", auth={"apiKeySecretRef": {"name": "engine-key", "key": "key"}}, containerPort=9000),
    release("adapted", lora={"adapters": [{"name": "sql", "source": "acme/sql"}]}, persistence={"enabled": True}),
    release("own", engine={"extraArgs": ["--enable-lora", "--lora-modules", "poems=/mnt/poems"]}),
)


def test_the_models_are_those_of_the_releases(tmp_path: Path) -> None:
    models = written(call(tmp_path, objects(*MANY)))["models"]

    assert models == {
        "adapted": {"service": "adapted-vllm", "namespace": "models", "port": 8000, "adapters": ["sql"]},
        "llama3": {"service": "llama3-vllm", "namespace": "models", "port": 8000, "aliases": [MODEL]},
        "locked": {
            "service": "locked-vllm",
            "namespace": "models",
            "port": 9000,
            "apiKeySecretRef": {"name": "engine-key", "key": "key"},
        },
        "own": {"service": "own-vllm", "namespace": "models", "port": 8000, "adapters": ["poems"]},
        "Qwen/Qwen3-8B": {"service": "plain-vllm", "namespace": "models", "port": 8000},
    }


def test_check_and_envoy_take_what_is_written(tmp_path: Path) -> None:
    result = call(tmp_path, objects(*MANY))
    checked = run("check", "--chart", "vllm-endpoint", "-f", "-", given=result.stdout)

    assert (checked.exit_code, "error" in checked.output) == (0, False), checked.output
    assert envoy.validate(tmp_path, yaml.safe_load(result.stdout)) == ""


def test_all_namespaces(tmp_path: Path) -> None:
    there = objects(release("a"), release("b", "research"), every=True)
    models = written(call(tmp_path, there, "--all-namespaces"))["models"]

    assert {name: model["namespace"] for name, model in models.items()} == {"a": "models", "b": "research"}


def test_an_ordinary_service_has_its_own_port_and_is_told(tmp_path: Path) -> None:
    result = call(tmp_path, objects(release("a", service={"port": 8888})))

    assert written(result)["models"]["a"]["port"] == 8888
    assert "Service a-vllm is not headless" in result.stderr
    assert "write service.pods: {enabled: true}" in result.stderr


def test_a_headless_service_beside_it_is_taken(tmp_path: Path) -> None:
    adapters = [{"name": "sql", "source": "acme/sql"}]
    lora: Json = {"lora": {"adapters": adapters}, "persistence": {"enabled": True}}
    result = call(tmp_path, objects(release("a", service={"pods": {"enabled": True}}, containerPort=9000, **lora)))

    found = {"service": "a-vllm-pods", "namespace": "models", "port": 9000, "adapters": ["sql"]}
    assert written(result)["models"]["a"] == found
    assert result.stderr == ""


@pytest.mark.parametrize(
    "more",
    [
        {"tls": {"secretName": "a-tls"}},
        {
            "engine": {"args": {"ssl-certfile": "/tls/tls.crt", "ssl-keyfile": "/tls/tls.key"}},
            "volumes": [{"name": "t", "secret": {"secretName": "a-tls"}}],
            "volumeMounts": [{"name": "t", "mountPath": "/tls"}],
        },
    ],
)
def test_an_engine_that_speaks_tls_is_asked_by_it(tmp_path: Path, more: Json) -> None:
    result = call(tmp_path, objects(release("a", service={"pods": {"enabled": True}}, **more)))
    tls = {"caSecretName": "a-tls", "serverName": "a-vllm.models.svc"}

    assert written(result)["models"]["a"] == {
        "service": "a-vllm-pods",
        "namespace": "models",
        "port": 8000,
        "tls": tls,
    }
    assert "checked by ca.crt of Secret a-tls in the endpoint's namespace" in result.stderr
    assert envoy.validate(tmp_path, yaml.safe_load(result.stdout)) == ""


@pytest.mark.parametrize("other", ["a-public", "a-vllm-public"])
def test_the_certificate_is_for_the_releases_own_service(tmp_path: Path, other: str) -> None:
    there = objects(release("a", service={"pods": {"enabled": True}}, tls={"secretName": "a-tls"}))
    services = there["/api/v1/namespaces/models/services"]
    [own] = [one for one in services if one["metadata"]["name"] == "a-vllm"]
    public = {**own, "metadata": {**own["metadata"], "name": other}}
    for several in ([public, *services], [*services, public]):
        result = call(tmp_path, {**there, "/api/v1/namespaces/models/services": several})
        assert written(result)["models"]["a"]["tls"]["serverName"] == "a-vllm.models.svc"


def test_names_that_collide_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    releases = (
        release("a", model={"id": MODEL, "servedModelName": ["llama3", "big"]}),
        release("b", model={"id": MODEL, "servedModelName": ["llama3"]}),
        release("c", lora={"adapters": [{"name": "big", "source": "a/b"}]}, persistence={"enabled": True}),
    )
    human = call(tmp_path, objects(*releases))
    machine = json.loads(call(tmp_path, objects(*releases), "--output=json").stdout)

    assert (human.exit_code, human.stdout) == (Exit.REFUSED, "")
    assert "llama3: it is a name of release a in namespace models and release b in namespace models" in human.stderr
    assert [one["where"] for one in machine["findings"] if one["severity"] == "error"] == ["llama3", "big"]
    assert [*machine] == documented("`endpoint values`")
    assert machine["values"] == {}


def test_the_clients_secret_may_be_another_files(tmp_path: Path) -> None:
    there = objects(release("a"))

    assert written(call(tmp_path, there))["clients"] == {"secretName": "llm-clients"}
    assert written(call(tmp_path, there, "--clients-secret=keys"))["clients"] == {"secretName": "keys"}
    assert written(call(tmp_path, there, "--clients-secret=")).keys() == {"models"}


def test_a_key_of_an_engine_is_wanted_where_the_endpoint_is(tmp_path: Path) -> None:
    assert "Secret engine-key, which the endpoint reads in its own namespace" in call(tmp_path, objects(*MANY)).stderr


def test_what_is_no_release_of_the_chart_is_passed_over(tmp_path: Path) -> None:
    endpoint = [dict(one) for one in helm.render(chart="charts/vllm-endpoint", release="e", values=ENDPOINT)]
    other = {"kind": "Deployment", "metadata": {"name": "x", "namespace": "models", "labels": {}}, "spec": {}}

    assert written(call(tmp_path, objects(release("a"), [other], endpoint)))["models"].keys() == {"a"}


ENDPOINT = {"models": {"a": {"service": "a-vllm"}}, "clients": {"secretName": "k"}}


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda there: there.clear(), Exit.ENVIRONMENT, "no release of the chart vllm in namespace models"),
        (lambda there: there.pop("/api/v1/namespaces/models/services"), Exit.REFUSED, "no Service with a port http"),
        (lambda there: _tell(there, ["Qwen/Qwen3-8B", "--nonsense"]), Exit.REFUSED, "its names are not known"),
        (lambda there: _tell(there, [MODEL, "--ssl-certfile=/tls/tls.crt"]), Exit.OK, "tls.caSecretName by hand"),
    ],
)
def test_what_is_wrong_with_a_release_is_told(tmp_path: Path, change: Any, code: Exit, said: str) -> None:
    there = objects(release("a"))
    change(there)
    result = call(tmp_path, there)

    assert result.exit_code == code
    assert said in result.stderr


def _tell(there: Json, arguments: list[str]) -> None:
    [deployment] = there["/apis/apps/v1/namespaces/models/deployments"]
    deployment["spec"]["template"]["spec"]["containers"][0]["args"] = arguments
