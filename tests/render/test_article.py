"""values/llama3.yaml renders what the article deploys: every field of its manifests is kept, or mended for a reason.

"Centralized vLLM on Kubernetes for Scalable LLM Infrastructure", DZone.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.article import DEPLOYMENT, SERVICE
from tests.render.conftest import EXAMPLES
from vllm_chart.helm import render
from vllm_chart.rendered.manifests import Manifests

Objects = dict[str, Any]
Path = tuple[str | int, ...]


def leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every field of a manifest, as `(path, value)`."""
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, step))
    else:
        yield path, value


ARTICLE: dict[Path, Any] = {
    **dict(leaves(values_from_yaml(DEPLOYMENT), ("Deployment",))),
    **dict(leaves(values_from_yaml(SERVICE), ("Service",))),
}
TEMPLATE: Path = ("Deployment", "spec", "template")
CONTAINER: Path = (*TEMPLATE, "spec", "containers", 0)
IDENTITY = {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}


def pod(objects: Objects) -> Any:
    return objects["Deployment"]["spec"]["template"]["spec"]


def engine(objects: Objects) -> Any:
    return pod(objects)["containers"][0]


#: What is not as in the article: which of its fields, why, and what stands in its place.
MENDED: list[tuple[Path, str, Callable[[Objects], bool]]] = [
    (
        ("Deployment", "metadata", "labels", "app"),
        "Kubernetes' recommended labels, which tools know",
        lambda o: IDENTITY.items() <= o["Deployment"]["metadata"]["labels"].items(),
    ),
    (
        ("Deployment", "spec", "selector", "matchLabels", "app"),
        "two releases in one namespace never mix",
        lambda o: o["Deployment"]["spec"]["selector"]["matchLabels"] == IDENTITY,
    ),
    (
        (*TEMPLATE, "metadata", "labels", "app"),
        "as the selector",
        lambda o: IDENTITY.items() <= o["Deployment"]["spec"]["template"]["metadata"]["labels"].items(),
    ),
    (
        ("Service", "spec", "selector", "app"),
        "as the selector",
        lambda o: o["Service"]["spec"]["selector"] == IDENTITY,
    ),
    (
        (*CONTAINER, "name"),
        "named for what it is, whatever the release",
        lambda o: engine(o)["name"] == "vllm",
    ),
    (
        (*CONTAINER, "image"),
        "latest is another image tomorrow",
        lambda o: re.fullmatch(r"vllm/vllm-openai:v[0-9.]+", engine(o)["image"]) is not None,
    ),
    (
        (*CONTAINER, "command", 0),
        "a shell would be the first process, and keep SIGTERM to itself",
        lambda o: "command" not in engine(o),
    ),
    ((*CONTAINER, "command", 1), "as above", lambda o: "command" not in engine(o)),
    (
        (*CONTAINER, "args", 0),
        "words instead of a shell's line; the model's own code is not run",
        lambda o: (
            engine(o)["args"][0] == "meta-llama/Llama-3.1-8B"
            and {"--enable-chunked-prefill", "--max-num-batched-tokens=1024"} <= set(engine(o)["args"])
            and "--trust-remote-code" not in engine(o)["args"]
        ),
    ),
    (
        (*CONTAINER, "env", 0, "name"),
        "the Hub's client reads HF_TOKEN; the old name is deprecated",
        lambda o: "HF_TOKEN" in [entry["name"] for entry in engine(o)["env"]],
    ),
    (
        (*CONTAINER, "livenessProbe", "initialDelaySeconds"),
        "a start may take longer than any fixed delay: the startup probe waits for it",
        lambda o: (
            "initialDelaySeconds" not in engine(o)["livenessProbe"]
            and engine(o)["startupProbe"]["failureThreshold"] == 900
        ),
    ),
    (
        (*CONTAINER, "readinessProbe", "initialDelaySeconds"),
        "a model that is ready serves at once",
        lambda o: "initialDelaySeconds" not in engine(o)["readinessProbe"],
    ),
    (
        ("Service", "spec", "ports", 0, "name"),
        "one name for every release, which gateways and monitors can rely on",
        lambda o: o["Service"]["spec"]["ports"][0]["name"] == "http",
    ),
]

#: What the article lacks.
ADDED: list[tuple[str, Callable[[Objects], bool]]] = [
    ("links to Services would set VLLM_PORT", lambda o: pod(o)["enableServiceLinks"] is False),
    ("a pod that ends has time for its requests", lambda o: pod(o)["terminationGracePeriodSeconds"] == 160),
    ("requests still come while the cluster learns of the end", lambda o: "preStop" in engine(o)["lifecycle"]),
    ("the engine finishes what it has", lambda o: "--shutdown-timeout=120" in engine(o)["args"]),
    ("not root", lambda o: pod(o)["securityContext"]["runAsNonRoot"] is True),
    ("no capabilities", lambda o: engine(o)["securityContext"]["capabilities"] == {"drop": ["ALL"]}),
    ("no credentials of the cluster", lambda o: pod(o)["automountServiceAccountToken"] is False),
    ("weights outlive the container", lambda o: "cache" in [volume["name"] for volume in pod(o)["volumes"]]),
    (
        "one node's loss is not the loss of both replicas",
        lambda o: pod(o)["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname",
    ),
    (
        "no spare GPU is needed for a change",
        lambda o: o["Deployment"]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1},
    ),
    ("a node drain takes one pod at a time", lambda o: o["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1),
]

KEPT = [path for path in ARTICLE if path not in [row[0] for row in MENDED]]


@pytest.fixture(scope="module")
def manifests() -> Manifests:
    (example,) = [path for path in EXAMPLES if path.stem == "llama3"]
    # The article's name, so that it can be compared too.
    return render(values_files=[example], values={"fullnameOverride": "llama-3"})


@pytest.fixture(scope="module")
def objects(manifests: Manifests) -> Objects:
    return {found.kind: dict(found) for found in manifests}


def ours(path: Path, objects: Objects) -> list[str]:
    """What stands at a field of the article in ours, in whichever items of lists."""
    found: list[Any] = [objects]
    for step in path:
        if isinstance(step, int):
            found = [item for value in found for item in value]
        else:
            found = [value[step] for value in found if step in value]
    (port,) = engine(objects)["ports"]
    if path[-1] in ("port", "targetPort"):  # by the port's name
        found = [port["containerPort"] if value == port["name"] else value for value in found]
    return [str(value) for value in found]


@pytest.mark.parametrize("path", KEPT, ids=lambda path: ".".join(map(str, path)))
def test_a_field_is_kept(path: Path, objects: Objects) -> None:
    assert str(ARTICLE[path]) in ours(path, objects)


@pytest.mark.parametrize(("path", "why", "mended"), MENDED, ids=[".".join(map(str, row[0])) for row in MENDED])
def test_a_mistake_is_mended(path: Path, why: str, mended: Callable[[Objects], bool], objects: Objects) -> None:
    assert path in ARTICLE
    assert mended(objects), why


@pytest.mark.parametrize(("why", "added"), ADDED, ids=[row[0] for row in ADDED])
def test_what_is_missing_is_added(why: str, added: Callable[[Objects], bool], objects: Objects) -> None:
    assert added(objects), why


def test_the_secret_stays_the_users(manifests: Manifests, objects: Objects) -> None:
    (token,) = [entry for entry in engine(objects)["env"] if entry["name"] == "HF_TOKEN"]

    assert manifests.maybe("Secret") is None
    assert token["valueFrom"] == {"secretKeyRef": {"name": "hf-token-secret", "key": "token"}}


def test_without_an_override_the_release_names_the_objects() -> None:
    (example,) = [path for path in EXAMPLES if path.stem == "llama3"]

    assert render(values_files=[example]).inventory() == [
        "ConfigMap/llm-vllm-lifecycle",
        "Deployment/llm-vllm",
        "NetworkPolicy/llm-vllm",
        "Pod/llm-vllm-test",
        "PodDisruptionBudget/llm-vllm",
        "Service/llm-vllm",
        "ServiceAccount/llm-vllm",
    ]
