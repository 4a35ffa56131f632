"""A model as an image, in a registry that nodes pull from: pulled once for a node, then as quick as files at hand.

A story in order: the image is removed from the registry in its course.
"""

import dataclasses
import statistics
import subprocess
from collections.abc import Iterator

import pytest

from ci.kind.parts import REGISTRY_HOST
from tests.e2e import registries
from tests.e2e.clients import Application, assert_answers, pod_name, start_application
from tests.e2e.conftest import NAMESPACES
from tests.e2e.diagnoses import wait_for_finding
from tests.e2e.profiles import Profile
from tests.e2e.registries import FOLDER, Registry
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.starts import seconds_to_ready
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm

pytestmark = pytest.mark.image_volume

MODEL = "san-francisco"
#: Of what starts from files at hand.
SLOWER_AT_MOST = 1.1
TURNS = 3
NOWHERE = "sha256:" + "0" * 64


@dataclasses.dataclass(frozen=True)
class Image:
    """The model's image: its name in the registry, and its reference by digest."""

    registry: Registry
    repository: str
    reference: str

    def pulls(self) -> list[registries.Pull]:
        return self.registry.pulls(self.repository)


@pytest.fixture(scope="module")
def image(pytestconfig: pytest.Config, cluster: Cluster, namespace: str, profile: Profile) -> Image:
    """In a repository of this run: what was pulled of it is this run's."""
    registry = Registry(cluster)
    if not registry.is_there():
        pytest.skip("needs a registry that nodes pull from: `ci/run cluster -- up --registry`")
    if not profile.no_gpu or len(profile.gpu_nodes) < 2:
        pytest.skip("needs two nodes with simulated GPUs, which have the CPU engine's image")
    pytestconfig.stash[NAMESPACES].append((cluster, registries.NAMESPACE))
    repository = f"{namespace}/{MODEL}"
    return Image(registry, repository, registry.push(profile.folders[f"model-{MODEL}"], repository))


def on(node: str) -> dict[str, object]:
    """Values of a release of one engine on a node, which needs no GPU."""
    return {"gpu": {"count": 0}, "replicaCount": 1, "nodeSelector": {"kubernetes.io/hostname": node}}


def mounting(profile: Profile, node: str, reference: str, folder: str = FOLDER) -> dict[str, object]:
    """Values of a release whose model is an image."""
    model = {"id": MODEL, "servedModelName": [MODEL], "image": {"reference": reference, "subPath": folder}}
    return {**profile.article.values, **on(node), "model": model, "volumes": [], "volumeMounts": []}


def installation(
    helm: Helm, cluster: Cluster, profile: Profile, namespace: str, name: str, values: dict[str, object]
) -> Installation:
    model = dataclasses.replace(profile.article, values=values)
    return Installation(helm, cluster, profile, namespace, name, model, (SHORT_STOP,))


@pytest.fixture(scope="module")
def mounted(helm: Helm, cluster: Cluster, namespace: str, profile: Profile, image: Image) -> Iterator[Installation]:
    """Whose model is the image, on the first node."""
    start_application(cluster, namespace)
    values = mounting(profile, min(profile.gpu_nodes), image.reference)
    release = installation(helm, cluster, profile, namespace, "mounted", values)
    release.install()
    yield release
    release.uninstall()


@pytest.fixture(scope="module")
def at_hand(helm: Helm, cluster: Cluster, namespace: str, profile: Profile) -> Iterator[Installation]:
    """Whose model is files of a ConfigMap, on the same node."""
    values = {**profile.article.values, **on(min(profile.gpu_nodes))}
    release = installation(helm, cluster, profile, namespace, "at-hand", values)
    release.install()
    yield release
    release.uninstall()


def answers(release: Installation) -> None:
    assert_answers(Application(release.cluster, release.namespace, release.service), release.model)


def start_again(release: Installation) -> float:
    """Delete the release's pod: seconds from the next one's creation until it is ready."""
    (old,) = release.engines()
    options = (f"--namespace={release.namespace}", "--wait")
    subprocess.run(release.cluster.kubectl("delete", "pod", pod_name(old), *options), check=True)
    release.wait_until_available()
    (new,) = release.engines()
    return seconds_to_ready(new)


def test_a_model_that_is_an_image_is_pulled_once_and_answers(mounted: Installation, image: Image) -> None:
    answers(mounted)
    pulls = image.pulls()
    assert len({pull.client for pull in pulls}) == 1
    assert len({pull.what for pull in pulls}) == len(pulls) >= 3, "manifest, configuration and files: each once"
    (pod,) = mounted.engines()
    print(f"image: {sum(pull.sent for pull in pulls)} bytes pulled, {seconds_to_ready(pod):.0f} s from pod to ready")


def test_the_next_pod_on_the_node_pulls_nothing_and_starts_as_with_files_at_hand(
    mounted: Installation, at_hand: Installation, image: Image
) -> None:
    before = image.pulls()
    times: dict[str, list[float]] = {mounted.name: [], at_hand.name: []}
    for _ in range(TURNS):  # in turns, because the machine may be busy for a while
        for release in (mounted, at_hand):
            times[release.name].append(start_again(release))
    assert image.pulls() == before, "0 bytes"
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    print(f"seconds from pod to ready: {times}, medians {medians}")
    assert min(times[mounted.name]) <= SLOWER_AT_MOST * min(times[at_hand.name]), times


def test_a_node_that_has_the_image_does_without_the_registry(mounted: Installation, image: Image) -> None:
    image.registry.remove(image.reference)
    before = image.pulls()
    start_again(mounted)
    assert image.pulls() == before
    answers(mounted)


@pytest.mark.parametrize(
    ("reference", "words", "remedy"),
    [
        pytest.param("", "not found", "that exists", id="removed-and-on-another-node"),
        pytest.param(f"{REGISTRY_HOST}/acme/model@{NOWHERE}", "not found", "that exists", id="no-such-digest"),
        pytest.param(f"{REGISTRY_HOST}/acme/model:v1", "not found", "that exists", id="no-such-tag"),
        pytest.param(f"registry.absent.svc/acme/model@{NOWHERE}", "dial tcp", "can't reach", id="no-registry"),
    ],
)
def test_an_image_that_is_not_there_is_named(
    helm: Helm,
    cluster: Cluster,
    namespace: str,
    profile: Profile,
    image: Image,
    reference: str,
    words: str,
    remedy: str,
) -> None:
    reference = reference or image.reference
    values = mounting(profile, max(profile.gpu_nodes), reference)
    release = installation(helm, cluster, profile, namespace, "absent", values)
    release.install(wait=False)
    try:
        finding = wait_for_finding(release, "image", words)
        assert finding.severity == "error"
        assert reference in finding.message
        assert "model.image.reference" in finding.remedy
        assert remedy in finding.remedy
    finally:
        release.uninstall()


def test_a_folder_that_the_image_does_not_have_is_named(
    helm: Helm, cluster: Cluster, namespace: str, profile: Profile, mounted: Installation, image: Image
) -> None:
    """On the node that has the image: the registry does not any more."""
    values = mounting(profile, min(profile.gpu_nodes), image.reference, "absent")
    release = installation(helm, cluster, profile, namespace, "no-folder", values)
    release.install(wait=False)
    try:
        finding = wait_for_finding(release, "image", "ImageVolumeMountFailed")
        assert "model.image.subPath" in finding.remedy
    finally:
        release.uninstall()
