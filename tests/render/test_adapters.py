"""LoRA adapters: what follows from the list, and what must not."""

import json
from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.render.view import View
from vllm_chart import checks, facts
from vllm_chart.helm import render

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SQL = {"name": "sql", "source": "acme/sql", "revision": COMMIT}
LEGAL = {"name": "legal", "source": "acme/legal", "revision": "v2/final"}


def values(*adapters: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "model": {"id": "org/model", "servedModelName": ["chat", "model"]},
        "lora": {"adapters": [*adapters], **more},
    }


def view(*adapters: dict[str, str], **more: Any) -> View:
    return View(render(values=values(*adapters, **more)))


def listed(view: View) -> list[dict[str, str]]:
    (config,) = [one for one in view.manifests.all("ConfigMap") if "adapters.json" in one["data"]]
    return list(json.loads(config["data"]["adapters.json"]))


def test_vllm_gets_them_in_order_each_revision_at_a_path_of_its_own() -> None:
    args = view(SQL, LEGAL).args
    at = args.index("--lora-modules")
    assert [json.loads(text) for text in args[at + 1 : at + 3]] == [
        {"name": "sql", "path": f"/cache/adapters/acme--sql/{COMMIT}", "base_model_name": "chat"},
        {"name": "legal", "path": "/cache/adapters/acme--legal/v2--final", "base_model_name": "chat"},
    ]
    assert args[at + 3].startswith("--"), "what stands there would be taken for one more adapter"


def test_the_check_is_told_what_the_engine_is() -> None:
    container = view(SQL, maxRank=32).pod["initContainers"][-1]
    command = dict(word.lstrip("-").partition("=")[::2] for word in container["command"])
    assert command["max-rank"] == "32"
    assert command["model"] == "org/model"
    assert [word for word in container["command"] if word.startswith("--served=")] == [
        "--served=chat",
        "--served=model",
    ]
    (told,) = json.loads(command["adapters"])
    assert told == {**SQL, "path": f"/cache/adapters/acme--sql/{COMMIT}"}


@pytest.mark.parametrize("reload", [False, True])
def test_the_check_finds_a_model_that_is_an_image(reload: bool) -> None:
    image = {"reference": f"registry.example.com/models/llama@sha256:{'0' * 64}"}
    adapter = {"name": "sql", "source": "/adapters/sql"}
    rest = {
        "volumes": [{"name": "a", "configMap": {"name": "a"}}],
        "volumeMounts": [{"name": "a", "mountPath": "/adapters"}],
    }
    lora = {"adapters": [adapter], "reload": reload, "maxLoras": 1}
    v = View(render(values={"model": {"id": "llama", "image": image}, "lora": lora, **rest}))
    (container,) = [one for one in v.pod["initContainers"] if one["name"] == "adapters"]
    (folder,) = [word.partition("=")[2] for word in container["command"] if word.startswith("--folder=")]
    assert folder in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert folder in v.args
    elsewhere = view(SQL, reload=reload, maxLoras=1).pod["initContainers"]
    assert not any(word.startswith("--folder") for one in elsewhere for word in one.get("command") or [])


def test_a_dollar_reaches_the_check_as_it_stands() -> None:
    """Kubernetes would put a variable in the place of $(NAME)."""
    odd = {"name": "sql", "source": "/models/$(HOME)"}
    mounts: dict[str, Any] = {
        "volumes": [{"name": "m", "persistentVolumeClaim": {"claimName": "m"}}],
        "volumeMounts": [{"name": "m", "mountPath": "/models"}],
    }
    pod = View(render(values=values(odd) | mounts)).pod
    assert "/models/$$(HOME)" in pod["initContainers"][-1]["command"][-1]


def test_it_has_the_engines_memory_and_none_of_its_devices() -> None:
    resources = {"requests": {"cpu": 4, "memory": "16Gi"}, "limits": {"memory": "16Gi", "rdma/hca": 1}}
    pod = View(render(values=values(SQL) | {"resources": resources})).pod
    assert pod["initContainers"][-1]["resources"] == {
        "requests": {"cpu": 4, "memory": "16Gi"},
        "limits": {"memory": "16Gi"},
    }
    assert "/dev/shm" not in {mount["mountPath"] for mount in pod["initContainers"][-1]["volumeMounts"]}


def test_a_change_of_the_list_restarts_no_pod_where_it_is_reloaded() -> None:
    one, two = view(SQL, reload=True, maxLoras=4), view(SQL, LEGAL, reload=True, maxLoras=4)
    assert one.template == two.template
    assert (len(listed(one)), len(listed(two))) == (1, 2)
    assert view(SQL, maxLoras=4).template != view(SQL, LEGAL, maxLoras=4).template


def test_a_new_revision_is_a_new_path() -> None:
    first = listed(view(SQL, reload=True, maxLoras=4))
    second = listed(view({**SQL, "revision": "a" * 40}, reload=True, maxLoras=4))
    assert first[0]["path"] != second[0]["path"]


def test_the_pod_is_ready_by_the_file_that_the_sidecar_writes() -> None:
    pod = view(reload=True, maxLoras=4).pod
    (sidecar,) = pod["initContainers"]
    assert sidecar["readinessProbe"]["exec"]["command"] == ["cat", facts.LORA_READY]
    environments = [container["env"] for container in (sidecar, pod["containers"][0])]
    tokens = [{entry["name"]: entry.get("value") for entry in env}["ADAPTER_TOKEN_FILE"] for env in environments]
    assert tokens == [facts.LORA_TOKEN] * 2
    assert any(mount["mountPath"] == "/tmp" for mount in sidecar["volumeMounts"])


def test_the_sidecar_gets_the_key_and_the_hub_but_not_the_rest() -> None:
    more: dict[str, Any] = {
        "auth": {"apiKeySecretRef": {"name": "llm", "key": "key"}},
        "hub": {"endpoint": "https://hub.example.com", "tokenSecretRef": {"name": "hub"}},
        "env": {"HF_HUB_DISABLE_XET": "1", "SECRET_OF_OURS": "x"},
        "proxy": {"httpsProxy": "http://proxy:3128"},
    }
    (sidecar,) = View(render(values=values(SQL, reload=True, maxLoras=4) | more)).pod["initContainers"]
    names = {entry["name"] for entry in sidecar["env"]}
    assert {"VLLM_API_KEY", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_DISABLE_XET", "HTTPS_PROXY", "https_proxy"} <= names
    assert not names & {"SECRET_OF_OURS", "PYTHONPATH", "VLLM_CACHE_ROOT"}


@pytest.mark.parametrize("reload", [False, True])
@pytest.mark.parametrize(
    ("more", "disabled"),
    [
        ({}, ["1"]),
        ({"download": {"xet": True}}, []),
        ({"env": {"HF_HUB_DISABLE_XET": "0"}}, ["0"]),
    ],
)
def test_the_hubs_own_protocol_is_off_unless_it_is_asked_for(
    more: dict[str, Any], disabled: list[str], reload: bool
) -> None:
    pod = View(render(values=values(SQL, reload=reload, maxLoras=4) | more)).pod
    env = pod["initContainers"][-1]["env"]
    assert [entry["value"] for entry in env if entry["name"] == "HF_HUB_DISABLE_XET"] == disabled


GUARD = "--middleware=adapter_routes.AdapterRoutes"


@pytest.mark.parametrize(
    ("env", "guarded"),
    [
        ("{}", False),
        ('{VLLM_ALLOW_RUNTIME_LORA_UPDATING: "0"}', False),
        ("{VLLM_ALLOW_RUNTIME_LORA_UPDATING: false}", False),
        ('{VLLM_ALLOW_RUNTIME_LORA_UPDATING: "1"}', True),
        ("{VLLM_ALLOW_RUNTIME_LORA_UPDATING: true}", True),
        ('{VLLM_ALLOW_RUNTIME_LORA_UPDATING: {value: "1"}}', True),
        ("{VLLM_ALLOW_RUNTIME_LORA_UPDATING: {valueFrom: {configMapKeyRef: {name: a, key: b}}}}", True),
    ],
)
def test_the_routes_are_guarded_wherever_they_are_open(env: str, guarded: bool) -> None:
    rendered = View(render(values={"model": {"id": "org/model"}, "env": values_from_yaml(env)}))
    (programs,) = rendered.manifests.all("ConfigMap")
    assert (GUARD in rendered.args) == guarded
    assert ("adapter_routes.py" in programs["data"]) == guarded
    assert "ADAPTER_TOKEN_FILE" not in rendered.env, "nobody writes one: somebody's own sidecar has none"


def test_the_service_tells_the_names_to_whoever_routes() -> None:
    service = view(SQL, LEGAL).manifests.one("Service")
    assert json.loads(service["metadata"]["annotations"]["vllm-chart/adapters"]) == ["sql", "legal"]
    assert "annotations" not in render(values={"model": {"id": "org/model"}}).one("Service")["metadata"]


def test_what_is_not_pinned_is_said() -> None:
    report = checks.check(values=values({"name": "sql", "source": "acme/sql"}, SQL | {"name": "pinned"}))
    (finding,) = [finding for finding in report.findings if finding.check == "revisions"]
    assert (finding.where, finding.severity) == ("lora.adapters[0].revision", "warning")
    assert "acme/sql is not pinned" in finding.message
