"""Releases that do not come up: each ends in a message that names the value to change."""

import concurrent.futures
import dataclasses
from collections.abc import Iterator

import pytest

from tests.e2e.diagnoses import wait_for_finding
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm

# Broken engines are not worth waiting for at their end.
SHORT = ("replicaCount=1", SHORT_STOP, "shutdown.drainSeconds=1")


@dataclasses.dataclass(frozen=True)
class Mistake:
    """`--set` expressions, and what the diagnosis has to say."""

    set_: tuple[str, ...]
    check: str
    message: str
    remedy: str


MISTAKES = {
    "missing-secret": Mistake(
        ("hub.tokenSecretRef.name=absent",), "configuration", 'secret "absent" not found', "hub.tokenSecretRef.name"
    ),
    "missing-config-map": Mistake(
        ("envFrom[0].configMapRef.name=absent",), "configuration", 'configmap "absent" not found', "envFrom"
    ),
    "too-many-gpus": Mistake(
        ("gpu.count=64",), "scheduling", "asks for 64 nvidia.com/gpu, and the most that one node offers", "gpu.count"
    ),
    "too-much-memory": Mistake(
        ("resources.requests.memory=64Ti", "resources.limits.memory=64Ti"),
        "scheduling",
        "memory, and the most that one node offers",
        "resources.requests.memory",
    ),
    "no-such-node": Mistake(
        ("nodeSelector.pool=absent",), "scheduling", "no node has all of", "write a label of your nodes in nodeSelector"
    ),
    "no-such-storage-class": Mistake(
        ("persistence.enabled=true", "persistence.storageClassName=absent"),
        "scheduling",
        "unbound immediate PersistentVolumeClaims",
        "persistence.storageClassName",
    ),
    "not-restricted": Mistake(("hostNetwork=true",), "pod-security", "violates PodSecurity", "podSecurityContext"),
    "no-such-image": Mistake(("image.repository=vllm/absent",), "image", "vllm/absent", "image.repository"),
    "no-such-model": Mistake(
        ("model.id=absent/absent", "hub.offline=true"), "model", "absent/absent: ", "correct model.id"
    ),
    "no-number": Mistake(
        ("engine.extraArgs[0]=--seed=many",), "engine-arguments", "argument --seed: ", "engine.extraArgs"
    ),
    "too-little-shared-memory": Mistake(
        ("shm.sizeLimit=64Mi",),
        "shared-memory",
        "Insufficient space in /dev/shm",
        "shm.sizeLimit",
    ),
    "too-little-memory": Mistake(
        # A small KV cache, so that it is only the engine's code that does not fit: the chart knows of the rest.
        (
            "resources.requests.memory=200Mi",
            "resources.limits.memory=600Mi",
            "shm.sizeLimit=100Mi",
            "engine.args.kv-cache-memory-bytes=64M",
            "env.VLLM_CPU_KVCACHE_SPACE=null",
        ),
        "memory",
        "the limit is 600Mi",
        "resources.limits.memory",
    ),
    "too-little-time": Mistake(
        ("startup.budgetSeconds=10",), "startup", "not ready after 10 s", "startup.budgetSeconds"
    ),
}
# Where the diagnosis first shows: in a pod, unless the API server lets none be made.
REFUSED = {"not-restricted"}
# Those that come as far as an engine. They stand last.
STARTS_AN_ENGINE = {"no-such-model", "no-number", "too-little-shared-memory", "too-little-memory", "too-little-time"}
# An engine on one GPU has no worker beside itself to share memory with.
ONLY_ON_CPUS = {"too-little-shared-memory"}


class Releases:
    """A release for each mistake, installed when it is wanted."""

    def __init__(self, helm: Helm, cluster: Cluster, profile: Profile, namespace: str) -> None:
        # None of them ever uses a GPU: on CPUs they ask for none, so that each has its own wait, and not for another.
        self.side_by_side = bool(profile.no_gpu)
        common = (*SHORT, "gpu.count=0") if self.side_by_side else SHORT
        self._releases = {
            name: Installation(helm, cluster, profile, namespace, name, profile.article, (*common, *mistake.set_))
            for name, mistake in MISTAKES.items()
        }
        self._installed: set[str] = set()

    def install(self, *names: str) -> None:
        """Install these at the same time, but for those that are."""
        wanted = [name for name in names if name not in self._installed]
        self._installed.update(wanted)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self._releases[name].install(wait=False), wanted))

    def get(self, name: str) -> Installation:
        """The release of a mistake, and of those that come soon: engines that fail take cores, one after the other."""
        after = [*MISTAKES][[*MISTAKES].index(name) + 1 :]
        without_engine = [other for other in MISTAKES if other not in STARTS_AN_ENGINE and other in after]
        soon = (without_engine or after[:1]) if self.side_by_side else []
        self.install(name, *soon)
        return self._releases[name]


@pytest.fixture(scope="module")
def releases(helm: Helm, cluster: Cluster, namespace: str, profile: Profile) -> Releases:
    return Releases(helm, cluster, profile, namespace)


@pytest.fixture(params=MISTAKES)
def broken(request: pytest.FixtureRequest, releases: Releases, profile: Profile) -> Iterator[Installation]:
    if request.param in ONLY_ON_CPUS and not profile.no_gpu:
        pytest.skip("this mistake needs the CPU engine")
    release = releases.get(request.param)
    yield release
    release.helm.uninstall(release.name, namespace=release.namespace)


def test_a_mistake_is_named_with_its_remedy(broken: Installation) -> None:
    mistake = MISTAKES[broken.name]
    finding = wait_for_finding(broken, mistake.check, mistake.message, without_pods=broken.name in REFUSED)
    assert finding.severity == "error"
    assert mistake.remedy in finding.remedy
