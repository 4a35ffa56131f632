"""The download Job, and how engines wait for it."""

import json
from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml

from vllm_chart.helm import render
from vllm_chart.rendered.manifests import Manifests

BASE = """
model: {id: org/name, revision: main}
replicaCount: 3
persistence: {enabled: true, accessModes: [ReadWriteMany]}
download: {enabled: true}
"""


def rendered(more: str = "{}") -> Manifests:
    values: dict[str, Any] = values_from_yaml(BASE)
    for key, value in values_from_yaml(more).items():
        values[key] = {**values[key], **value} if isinstance(values.get(key), dict) else value
    return render(values=values)


def deployment(manifests: Manifests) -> Any:
    return manifests.one("Deployment")["spec"]


def waiting(manifests: Manifests) -> Any:
    return deployment(manifests)["template"]["spec"]["initContainers"][0]


def test_a_null_deletes_as_everywhere() -> None:
    job = rendered("download: {resources: {limits: null}, nodeSelector: null, annotations: null}").one("Job")
    assert "limits" not in job["spec"]["template"]["spec"]["containers"][0]["resources"]


def test_nothing_of_it_is_there_by_default() -> None:
    manifests = render(values={"model": {"id": "org/name"}})
    assert manifests.maybe("Job") is None
    assert "initContainers" not in deployment(manifests)["template"]["spec"]
    assert "wait_for_download.py" not in str([*manifests])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "{limits: {cpu: 8, memory: 32Gi}, requests: {cpu: 8, memory: 32Gi, ephemeral-storage: 1Gi}}",
            {"limits": {"cpu": 8, "memory": "32Gi"}, "requests": {"cpu": 8, "memory": "32Gi"}},
        ),
        ("{requests: {memory: 32Gi}}", {"requests": {"memory": "32Gi"}}),
        ("{}", None),
    ],
)
def test_who_waits_has_what_the_engine_has(given: str, expected: Any) -> None:
    """A pod is Guaranteed if all its containers have limits that are their requests, and a quota asks each of them."""
    assert waiting(rendered(f"resources: {given}")).get("resources") == expected


def test_the_job_is_an_ordinary_object_that_stays() -> None:
    job = rendered().one("Job")
    assert "annotations" not in job["metadata"], "no hook"
    assert "ttlSecondsAfterFinished" not in job["spec"]
    pod = job["spec"]["template"]["spec"]
    assert not any("gpu" in str(container.get("resources")) for container in pod["containers"])
    assert pod["restartPolicy"] == "Never", "or what a failed attempt said goes with its pod"


@pytest.mark.parametrize(
    "change",
    [
        "model: {revision: v2}",
        "model: {id: org/other}",
        "download: {exclude: []}",
        "download: {verify: false}",
        "download: {resources: {limits: {memory: 4Gi}}}",
        "download: {nextRevision: v2}",
        "image: {tag: v0.32.0}",
        "podSecurityContext: {fsGroup: 7}",
        "hub: {endpoint: 'https://hub.example.com'}",
        "env: {HF_HUB_DOWNLOAD_TIMEOUT: 60}",
        "persistence: {subPath: a}",
        "tolerations: [{operator: Exists}]",
    ],
)
def test_what_changes_the_job_changes_its_name(change: str) -> None:
    """A Job's template is immutable: `helm upgrade` would fail."""
    before, after = rendered().one("Job"), rendered(change).one("Job")
    assert before["spec"] != after["spec"]
    assert before.name != after.name


@pytest.mark.parametrize(
    "change", ["service: {port: 9}", "engine: {args: {max-model-len: 8}}", "replicaCount: 5", "podLabels: {a: b}"]
)
def test_what_does_not_concern_the_job_leaves_it(change: str) -> None:
    before, after = rendered().one("Job"), rendered(change).one("Job")
    assert (before.name, before["spec"]) == (after.name, after["spec"])


@pytest.mark.parametrize(
    "change",
    [
        "download: {resources: {limits: {memory: 4Gi}}}",
        "download: {nextRevision: v2}",
        "download: {xet: true}",
        "download: {nodeSelector: {a: b}}",
        "download: {annotations: {a: b}}",
    ],
)
def test_what_concerns_the_job_alone_restarts_no_engine(change: str) -> None:
    assert deployment(rendered())["template"] == deployment(rendered(change))["template"]


@pytest.mark.parametrize(
    ("more", "name", "revision", "key"),
    [
        ("{}", "org/name", "main", "model.revision"),
        ("engine: {args: {tokenizer: a/b, tokenizer-revision: v1}}", "a/b", "v1", "engine.args.tokenizer-revision"),
        ("engine: {args: {hf-config-path: a/b}}", "a/b", "main", "model.revision"),
        (
            "engine: {args: {speculative-config: {model: a/b, revision: v1, num_speculative_tokens: 2}}}",
            "a/b",
            "v1",
            "engine.args.speculative-config.revision",
        ),
        (
            "lora: {adapters: [{name: a, source: /cache/a}, {name: b, source: a/b, revision: v1}]}",
            "a/b",
            "v1",
            "lora.adapters[1].revision",
        ),
        ("download: {nextRevision: v2}", "org/name", "v2", "download.nextRevision"),
    ],
)
def test_the_job_knows_which_key_says_a_revision(more: str, name: str, revision: str, key: str) -> None:
    told = order(rendered(more))
    keys = {(each["name"], each["revision"]): each["key"] for each in told["repositories"] + told.get("ahead", [])}
    assert keys[name, revision] == key


@pytest.mark.parametrize(
    "more", ["engine: {args: {tokenizer: org/name}}", "engine: {args: {tokenizer: org/name, tokenizer-revision: main}}"]
)
def test_what_two_keys_name_is_fetched_once(more: str) -> None:
    assert [each["key"] for each in order(rendered(more))["repositories"]] == ["model.revision"]


def order(manifests: Manifests) -> dict[str, Any]:
    """What the Job is told."""
    [container] = manifests.one("Job")["spec"]["template"]["spec"]["containers"]
    [told] = [entry["value"] for entry in container["env"] if entry["name"] == "DOWNLOAD"]
    read: dict[str, Any] = json.loads(told)
    return read


def test_a_revision_that_was_fetched_ahead_is_the_one_that_engines_then_wait_for() -> None:
    marker = waiting(rendered("model: {revision: v2}"))["args"][1]
    assert marker.rpartition("/")[2] in str(order(rendered("download: {nextRevision: v2}"))["ahead"])


def test_what_is_fetched_already_is_not_fetched_ahead() -> None:
    assert "ahead" not in order(rendered("download: {nextRevision: main}"))


NAMES = """
serviceAccount: {create: true, name: reader}
hostAliases: [{ip: 10.0.0.1, hostnames: [hub.example.com]}]
dnsPolicy: %s
dnsConfig: {nameservers: [10.0.0.2]}
"""


def test_the_job_is_the_engines_account_and_finds_the_hub_as_it_does() -> None:
    manifests = rendered(NAMES % "None")
    job, engine = (manifests.one(kind)["spec"]["template"]["spec"] for kind in ("Job", "Deployment"))
    for key in ("serviceAccountName", "hostAliases", "dnsPolicy", "dnsConfig"):
        assert job[key] == engine[key]
    assert job["automountServiceAccountToken"] is False
    assert "dnsPolicy" not in rendered(NAMES % "ClusterFirstWithHostNet").one("Job")["spec"]["template"]["spec"]


def test_engines_wait_before_anything_else_runs() -> None:
    manifests = rendered("initContainers: [{name: mine, image: 'a:1'}]")
    pod = deployment(manifests)["template"]["spec"]
    assert [container["name"] for container in pod["initContainers"]] == ["wait-for-download", "mine"]
    assert "--seconds=4500" in waiting(manifests)["args"], "provisioning and the download"
    assert manifests.one("Job")["spec"]["activeDeadlineSeconds"] == 4500
    (config,) = [item for item in manifests.all("ConfigMap") if item.name.endswith("-lifecycle")]
    assert "wait_for_download.py" in config["data"]


def test_deadlines_count_the_download_once() -> None:
    without, with_it = rendered("download: {enabled: false}"), rendered("download: {budgetSeconds: 1000}")
    assert deployment(with_it)["progressDeadlineSeconds"] - deployment(without)["progressDeadlineSeconds"] == 1000
    timeouts = [int(manifests.notes.partition("--timeout ")[2].partition("s")[0]) for manifests in (without, with_it)]
    assert timeouts[1] - timeouts[0] == 1000, "three turns of a rollout, one download"


def test_the_service_and_the_budget_do_not_take_the_jobs_pods_for_engines() -> None:
    manifests = rendered()
    labels = manifests.one("Job")["spec"]["template"]["metadata"]["labels"]
    selector = manifests.one("Service")["spec"]["selector"]
    assert not selector.items() <= labels.items()
    assert labels["app.kubernetes.io/instance"] == "llm", "by which diagnose finds it"


LORA = """
lora:
  adapters: [{name: sql, source: acme/sql, revision: v1}, {name: own, source: /cache/a}]
  maxLoras: 2
  reload: %s
"""


def offline(manifests: Manifests) -> bool:
    (container,) = [
        each for each in deployment(manifests)["template"]["spec"]["initContainers"] if each["name"] == "adapters"
    ]
    return any(variable["name"] == "HF_HUB_OFFLINE" for variable in container["env"])


def test_adapters_are_fetched_as_well() -> None:
    manifests = rendered(LORA % "false")
    assert "acme/sql at v1" in waiting(manifests)["args"]
    assert '\\"adapter\\":\\"/cache/adapters/acme--sql/v1\\"' in json.dumps(manifests.one("Job")["spec"])
    assert offline(manifests)


def test_adapters_that_come_and_go_are_fetched_by_their_sidecar() -> None:
    manifests = rendered(LORA % "true")
    assert "acme/sql at v1" not in waiting(manifests)["args"], "or another list would restart engines"
    assert "acme/sql" not in str(manifests.one("Job")["spec"])
    assert not offline(manifests)


def test_names_in_the_order_are_taken_literally() -> None:
    job = rendered("download: {exclude: ['$(HOME)/*']}").one("Job")
    assert '"$$(HOME)/*"' in str(job["spec"]["template"]["spec"]["containers"][0]["env"])


def test_the_notes_say_where_to_look_and_what_a_branch_becomes() -> None:
    notes = rendered().notes
    assert f"logs -f job/{rendered().one('Job').name}" in notes
    assert "It resolves main to one commit for all replicas" in notes
    assert "It resolves" not in rendered(f"model: {{revision: {'a' * 40}}}").notes


def test_the_program_is_the_file_of_the_chart() -> None:
    (container,) = rendered().one("Job")["spec"]["template"]["spec"]["containers"]
    text = Path("charts/vllm/files/programs/download.py").read_text()
    assert container["args"][0].strip() == text.strip()
