"""The parts of the local cluster: their manifests name the images that are made, and hold to what the page says."""

import dataclasses
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci import go, versions
from ci.engine import Engine
from ci.images import programs
from ci.images.programs import Program
from ci.kind import parts
from ci.kind.nodes import Node, reach_registry
from ci.kind.parts import Part
from ci.kind.parts import programs as part_programs
from ci.shell import HarnessError
from tests.e2e import registries
from tests.e2e.registries import Pull

ALL = {part.name: part for found in parts.SETS.values() for part in found}
NEVER = {"*", "escalate", "bind", "impersonate"}


def objects(part: Part) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(part.manifests()) if document]


@pytest.fixture(params=list(ALL))
def part(request: pytest.FixtureRequest) -> Part:
    return ALL[request.param]


def pods(part: Part) -> list[dict[str, Any]]:
    kinds = ("Deployment", "DaemonSet", "Job")
    return [found["spec"]["template"]["spec"] for found in objects(part) if found["kind"] in kinds]


def test_containers_run_images_that_are_made(part: Part) -> None:
    made = {program.reference for program in part.programs}
    used = {container["image"] for pod in pods(part) for container in pod["containers"]}
    assert used
    assert used <= made
    assert all(reference in part.manifests() for reference in made), "an image is made for nothing"


def test_pods_are_restricted(part: Part) -> None:
    """As the namespaces of the parts enforce it, but for kube-system."""
    if part is parts.NETWORK:
        pytest.skip("a firewall writes its node's rules")
    for pod in pods(part):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_services_lead_to_ports_that_pods_have(part: Part) -> None:
    names = {
        port["name"] for pod in pods(part) for container in pod["containers"] for port in container.get("ports", [])
    }
    targets = {
        port["targetPort"] for found in objects(part) if found["kind"] == "Service" for port in found["spec"]["ports"]
    }
    made_by_the_operator = {"web"}
    assert {target for target in targets if isinstance(target, str)} <= names | made_by_the_operator


def test_nobody_may_do_everything(part: Part) -> None:
    rules = [rule for found in objects(part) if found["kind"] in ("ClusterRole", "Role") for rule in found["rules"]]
    for rule in rules:
        assert not set(rule["verbs"]) & NEVER
        assert "*" not in rule["apiGroups"]
    everywhere = [rule for found in objects(part) if found["kind"] == "ClusterRole" for rule in found["rules"]]
    writers = [rule for rule in everywhere if "secrets" in rule["resources"] and "create" in rule["verbs"]]
    assert writers == [], "Secrets are written in the part's own namespace alone"


def test_an_envoy_that_is_started_for_a_gateway_has_images_that_the_cluster_has() -> None:
    """The control plane writes its pod, with images of its own choice otherwise."""
    (proxy,) = (found for found in objects(parts.GATEWAY) if found["kind"] == "EnvoyProxy")
    (class_,) = (found for found in objects(parts.GATEWAY) if found["kind"] == "GatewayClass")
    (text,) = (found["data"].values() for found in objects(parts.GATEWAY) if found["kind"] == "ConfigMap")
    config = yaml.safe_load(*text)

    deployment = proxy["spec"]["provider"]["kubernetes"]["envoyDeployment"]
    assert deployment["container"]["image"] == versions.ENVOY_IMAGE
    manager = config["provider"]["kubernetes"]["shutdownManager"]
    assert manager["image"] == part_programs.ENVOY_GATEWAY.reference
    reference = class_["spec"]["parametersRef"]
    assert (reference["name"], reference["namespace"]) == (proxy["metadata"]["name"], proxy["metadata"]["namespace"])
    assert class_["spec"]["controllerName"] == config["gateway"]["controllerName"]


def test_a_part_brings_the_kinds_that_it_has_objects_of(part: Part) -> None:
    names = [name for found in part.definitions for name in found.names]
    groups = {name.partition("_")[0] for name in names}
    for found in objects(part):
        group, kind = found["apiVersion"].partition("/")[0], found["kind"].lower()
        if group in groups:
            singular = kind.removesuffix("y")
            assert [name for name in names if name.startswith(f"{group}_{singular}")], kind


def test_a_part_is_installed_anew_when_its_definitions_change(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = dataclasses.replace(parts.GATEWAY.definitions[0], version="9.9.9")
    assert dataclasses.replace(parts.GATEWAY, definitions=(newer,)).fingerprint() != parts.GATEWAY.fingerprint()


def test_a_part_is_installed_anew_when_its_programs_change(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    before = part.fingerprint()
    assert before == part.fingerprint()
    monkeypatch.setattr(Program, "fingerprint", lambda self: "another")
    assert part.fingerprint() != before


def test_an_image_has_its_program_and_a_folder_for_anybody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[tuple[tarfile.TarInfo, ...]] = []
    told: list[str] = []

    def build(packages: tuple[str, ...], version: str, target: Path, **options: Any) -> None:
        target.mkdir()
        (target / "a").write_text("a program")

    def run(engine: Engine, *words: Any) -> None:
        told.extend(map(str, words))
        with tarfile.open(words[-2]) as archive:
            made.append(tuple(archive))

    monkeypatch.setattr(go, "build", build)
    monkeypatch.setattr(Engine, "run", run)
    programs.build(Engine("docker", {}), Program("a", "a:1", ("example.com/a",), "1.0.0", "/usr/local/bin/a"))

    ((files),) = ({entry.name: entry for entry in entries} for entries in made)
    assert files["./usr/local/bin/a"].isfile()
    assert (files["./tmp"].isdir(), files["./tmp"].mode) == (True, 0o1777)
    (path,) = (word.removeprefix("ENV PATH=") for word in told if word.startswith("ENV PATH="))
    assert "/usr/local/bin" in path.split(":")


def test_programs_that_are_made_differently_have_different_names() -> None:
    one = Program("a", "a:1", ("example.com/a",), "1.0.0", "/a")
    others = [
        Program("a", "a:1", ("example.com/a",), "1.0.1", "/a"),
        Program("a", "a:1", ("example.com/a",), "1.0.0", "/b"),
        Program("a", "a:1", ("example.com/a",), "1.0.0", "/a", tags="netgo"),
        Program("a", "a:1", ("example.com/a",), "1.0.0", "/a", stamp="main.version=1"),
    ]
    assert len({program.fingerprint() for program in (one, *others)}) == 5


LOG = """
127.0.0.1 - - [28/Nov/2026:16:00:00 +0000] "PUT /v2/a/manifests/latest HTTP/1.1" 201 0 "" "crane/0.22.1"
172.18.0.3 - - [28/Nov/2026:16:00:01 +0000] "HEAD /v2/a/manifests/sha256:1 HTTP/1.1" 200 512 "" "containerd/v2.4.2"
172.18.0.3 - - [28/Nov/2026:16:00:01 +0000] "GET /v2/a/manifests/sha256:1 HTTP/1.1" 200 512 "" "containerd/v2.4.2"
172.18.0.3 - - [28/Nov/2026:16:00:02 +0000] "GET /v2/a/b/blobs/sha256:2 HTTP/1.1" 206 70000 "" "containerd/v2.4.2"
172.18.0.3 - - [28/Nov/2026:16:00:03 +0000] "GET /v2/a/manifests/sha256:3 HTTP/1.1" 404 84 "" "containerd/v2.4.2"
time="2026-11-28T16:00:04Z" level=warning msg="GET /v2/ HTTP/1.1"
"""


def test_what_a_registry_has_sent_is_read_in_its_log() -> None:
    assert registries.parse(LOG) == [
        Pull("172.18.0.3", "a", "sha256:1", 512),
        Pull("172.18.0.3", "a/b", "sha256:2", 70000),
    ]


def test_nodes_pull_from_a_registry_by_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(Engine, "run", lambda _, *arguments, stdin: asked.append((*arguments, stdin)))
    node = Node("worker", "172.18.0.3", "10.244.1.0/24", gpu=True, gpus=1, ready=True, reported=None)
    reach_registry(Engine("docker", {}), [node], parts.REGISTRY_HOST, "10.96.1.2:5000")
    ((*_, name, _, _, script, written),) = asked
    assert name == "worker"
    assert f"/etc/containerd/certs.d/{parts.REGISTRY_HOST}/hosts.toml" in script
    assert tomllib.loads(written) == {"server": "http://10.96.1.2:5000"}


def test_a_program_of_our_own_counts_too(tmp_path: Any) -> None:
    source = tmp_path / "main.go"
    source.write_text("package main\n")
    program = Program("a", "a:1", ("example.com/a",), "1.0.0", "/a", program=source)
    before = program.fingerprint()
    source.write_text("package main // changed\n")
    assert program.fingerprint() != before
    assert programs.NOBODY.split(":")[0] != "0"


def test_images_for_pods_of_tests_are_loaded_where_their_set_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    loaded: list[tuple[str, str]] = []
    monkeypatch.setattr("ci.images.ensure", lambda wanted: made.extend(each.reference for each in wanted))
    monkeypatch.setattr(parts, "load", lambda references, nodes: loaded.extend((each, nodes) for each in references))
    parts.ensure(["object-storage", "object-storage"])
    assert loaded == [(image.reference, nodes) for image, nodes in parts.IMAGES["object-storage"]]
    assert made == [reference for reference, _ in loaded]
    assert set(parts.IMAGES) <= set(parts.SETS)


@pytest.mark.parametrize(
    ("asks", "wanted", "made"),
    [
        ("keda/keda-metrics-apiserver", parts.KEDA, []),
        ("monitoring/prometheus-adapter", parts.KEDA, ["keda/keda-metrics-apiserver"]),
        ("keda/keda-metrics-apiserver", parts.PROMETHEUS_ADAPTER, ["monitoring/prometheus-adapter"]),
        ("", parts.PROMETHEUS_ADAPTER, ["monitoring/prometheus-adapter"]),
    ],
)
def test_who_was_wanted_last_serves_external_metrics(
    asks: str, wanted: Part, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no certificate of the other's: its APIService goes before."""
    called: list[str] = []
    applied: list[dict[str, Any]] = []

    def kubectl(*arguments: str, stdin: str | None = None) -> str:
        called.append(arguments[0])
        if stdin:
            applied.append(yaml.safe_load(stdin))
        return asks

    monkeypatch.setattr(parts, "kubectl", kubectl)
    monkeypatch.setattr(parts, "answers", lambda path: path == "/apis/external.metrics.k8s.io/v1beta1")
    wanted.then()
    assert called == ["get", *(["delete", "apply"] if made else [])]
    services = [item["spec"]["service"] for item in applied]
    assert [f"{one['namespace']}/{one['name']}" for one in services] == made
    assert all(item["metadata"]["name"] == "v1beta1.external.metrics.k8s.io" for item in applied)


def test_two_that_serve_external_metrics_are_not_had_at_once() -> None:
    """The tests of the one that is not asked would all be left out."""
    with pytest.raises(HarnessError, match="either KEDA or prometheus-adapter"):
        parts.ensure(["autoscaling", "autoscaling-hpa"])


def test_the_adapter_has_the_rules_of_the_documentation() -> None:
    config = next(found for found in objects(parts.PROMETHEUS_ADAPTER) if found["kind"] == "ConfigMap")
    rules = yaml.safe_load(config["data"]["config.yaml"])["externalRules"]
    written = yaml.safe_load(parts.ADAPTER_RULES.read_text())["rules"]["external"]
    assert rules == [*written, parts.QUEUE_RULE]
    assert len(written) == 2
