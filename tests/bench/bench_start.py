"""From `helm install` to the first token, by how the model comes into the pod, and what that takes over the wire.

python -m tests.bench.bench_start --kubeconfig ~/.kube/config [--json out.json] [--only download,image] [--turns 3]

On the local cluster with `--registry --object-storage`. For each method a release is installed where nothing is there
yet, uninstalled, and installed again: its claims and the node's images are left. The model is a Llama of random
weights, which a Hub and a store in pods and the registry have alike, and what they send is counted. The engine compiles
it, as engines on GPUs do. Progress goes to standard error, the table for docs/models.md to standard output.
"""

import abc
import argparse
import contextlib
import dataclasses
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ci import tools
from tests import grown_model
from tests.bench.namespaces import bench_namespace
from tests.e2e import profiles
from tests.e2e.clients import execute, pod_name
from tests.e2e.evidence import evidence
from tests.e2e.hubs import REPOSITORY, HubPod
from tests.e2e.profiles import Profile
from tests.e2e.registries import FOLDER, Registry
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.starts import compile_cache, first_token, stages_told
from tests.e2e.stores import StorePod
from vllm_chart.cluster.api import Cluster
from vllm_chart.findings import UnavailableError
from vllm_chart.helm import Helm, HelmError

Json = dict[str, Any]

TINY = "model-san-francisco"
SERVED = "grown"
#: 257 MiB of weights: their bytes are seen, and one core answers soon.
HIDDEN, LAYERS = 1024, 8
#: Long enough for the prompts that are asked, short for the pass that vLLM warms up with.
ARGS = {"enforce-eager": False, "max-model-len": 512, "max-num-batched-tokens": 512}
#: Of every release, over values/llama3.yaml and ci/kind/llama3.yaml.
COMMON = {"gpu": {"count": 0}, "replicaCount": 1, "volumes": [], "volumeMounts": [], "engine": {"args": ARGS}}
CLAIM = {"enabled": True, "size": "2Gi"}
MIB = 1 << 20
RECEIVED = "/sys/class/net/eth0/statistics/rx_bytes"


@dataclasses.dataclass(frozen=True)
class Sent:
    """What a start took over the wire."""

    bytes: int
    requests: int


@dataclasses.dataclass(frozen=True)
class Start:
    """One start: seconds to the first token, the bytes, and whether the compiled model was there."""

    seconds: float
    sent: Sent
    compile_cache: str
    stages: str


def hub_values(url: str) -> Json:
    """Of a release whose model a Hub has."""
    return {"model": {"id": REPOSITORY, "servedModelName": [SERVED]}, "hub": {"endpoint": url, "offline": False}}


def image_values(reference: str) -> Json:
    """Of a release whose model is an image."""
    return {"model": {"id": SERVED, "servedModelName": [SERVED], "image": {"reference": reference, "subPath": FOLDER}}}


class Source(abc.ABC):
    """Where models come from in this bench."""

    @abc.abstractmethod
    def begin(self, turn: str) -> Json:
        """Have the model where no node has it: the values of a release that takes it from there."""

    @abc.abstractmethod
    def sent(self, release: Installation) -> Sent:
        """What was sent since this was last asked, or since the turn began, to a release that has just started."""


class FromHub(Source):
    """A Hub in a pod."""

    def __init__(self, hub: HubPod) -> None:
        self._hub = hub

    def begin(self, turn: str) -> Json:
        self._hub.turn()
        return hub_values(self._hub.url)

    def sent(self, release: Installation) -> Sent:
        counted = self._hub.counted()
        self._hub.turn()
        return Sent(sum(counted["sent"].values()), counted["requests"])


class FromRegistry(Source):
    """The cluster's registry. The image of each turn has another file, or nodes would have its bytes from the last."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self._registry, self._folder = registry, folder
        self._repository = ""
        self._seen = 0

    def begin(self, turn: str) -> Json:
        self._repository, self._seen = turn, 0
        (self._folder / "turn.txt").write_text(turn)
        return image_values(self._registry.push(self._folder, turn))

    def sent(self, release: Installation) -> Sent:
        pulls = self._registry.pulls(self._repository)
        new, self._seen = pulls[self._seen :], len(pulls)
        return Sent(sum(pull.sent for pull in new), len(new))


class FromStore(Source):
    """An S3 store in a pod, by HTTPS. Its log has no bytes, so they are those that came into the engine's pod."""

    def __init__(self, store: StorePod) -> None:
        self._store = store
        self._seen = 0

    def begin(self, turn: str) -> Json:
        self._seen = len(self._store.asked())
        return self._store.values(SERVED)

    def sent(self, release: Installation) -> Sent:
        asked = len(self._store.asked())
        new, self._seen = asked - self._seen, asked
        (pod,) = release.engines()
        return Sent(int(execute(release.cluster, release.namespace, pod_name(pod), "cat", RECEIVED)), new)


@dataclasses.dataclass(frozen=True)
class Method:
    """A way of having a model: its name in the table, where it comes from, and what else a release says of it."""

    title: str
    source: str
    values: Mapping[str, Any]


METHODS = {
    "emptyDir": Method("an emptyDir", "hub", {}),
    "claim": Method("`persistence`", "hub", {"persistence": CLAIM}),
    "download": Method("`persistence` and `download`", "hub", {"persistence": CLAIM, "download": {"enabled": True}}),
    "image": Method("`model.image`, and `persistence` for what is compiled", "registry", {"persistence": CLAIM}),
    "s3": Method("`s3://`, and `persistence` for what is compiled", "store", {"persistence": CLAIM}),
}


class Bench:
    """A namespace of a cluster, with the sources in it."""

    def __init__(self, cluster: Cluster, helm: Helm, profile: Profile, namespace: str, scratch: Path) -> None:
        self.cluster, self.helm, self.profile, self.namespace = cluster, helm, profile, namespace
        self._scratch = scratch
        self._sources: dict[str, Source] = {}

    def source(self, name: str) -> Source:
        """The source, which is started when it is first asked for."""
        if name not in self._sources:
            self._sources[name] = {"hub": self._hub, "registry": self._registry, "store": self._store}[name]()
        return self._sources[name]

    def _hub(self) -> Source:
        hub = HubPod(self.cluster, self.namespace)
        hub.start(TINY, grown=(HIDDEN, LAYERS))
        return FromHub(hub)

    def _registry(self) -> Source:
        registry = Registry(self.cluster)
        if not registry.is_there():
            sys.exit("the cluster has no registry that nodes pull from: `ci/run cluster -- up --registry`")
        grown_model.grow(self.profile.folders[TINY], self._scratch / "model", HIDDEN, LAYERS)
        return FromRegistry(registry, self._scratch / "model")

    def _store(self) -> Source:
        store = StorePod(self.cluster, self.namespace)
        store.start(TINY, self._scratch, grown=(HIDDEN, LAYERS))
        return FromStore(store)

    def turn(self, name: str, method: Method) -> tuple[Start, Start]:
        """A start where nothing is, and one after it."""
        turn = f"{name.lower()}-{secrets.token_hex(2)}"
        source = self.source(method.source)
        node = {"nodeSelector": {"kubernetes.io/hostname": min(self.profile.gpu_nodes)}}
        values = {**self.profile.article.values, **COMMON, **node, **source.begin(turn), **method.values}
        model = dataclasses.replace(self.profile.article, values=values)
        release = Installation(self.helm, self.cluster, self.profile, self.namespace, turn, model, (SHORT_STOP,))
        try:
            first = self._start(release, source)
            say(f"{name}: first {told(first)}")
            again = self._start(release, source)
            say(f"{name}: again {told(again)}")
        except BaseException:
            say(evidence(self.cluster, self.namespace))
            with contextlib.suppress(HelmError):  # it may be gone
                release.helm.uninstall(turn, namespace=self.namespace)
            raise
        return first, again

    def _start(self, release: Installation, source: Source) -> Start:
        def install() -> None:
            release.install(wait=False)

        seconds = first_token(self.cluster, self.namespace, release.service, SERVED, install)
        start = Start(seconds, source.sent(release), compile_cache(release), stages_told(release))
        release.uninstall()
        return start


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def told(start: Start) -> str:
    """A start, for a person."""
    cache = f", compile cache: {start.compile_cache}" if start.compile_cache else ""
    size = f"{start.sent.bytes / MIB:.1f} MiB in {start.sent.requests} requests"
    return f"{start.seconds:.1f} s, {size}{cache} ({start.stages})"


def table(turns: Mapping[str, Sequence[tuple[Start, Start]]]) -> str:
    """The medians, as a table of Markdown."""
    lines = [
        "| how the model comes | first start | over the wire | again | over the wire | again ÷ first |",
        "|---|---|---|---|---|---|",
    ]
    for name, starts in turns.items():
        first, again = ([pair[index] for pair in starts] for index in (0, 1))
        seconds = [statistics.median(start.seconds for start in each) for each in (first, again)]
        cells = [METHODS[name].title, f"{seconds[0]:.0f} s", _wire(first), f"{seconds[1]:.0f} s", _wire(again)]
        lines.append(f"| {' | '.join(cells)} | {seconds[1] / seconds[0]:.2f} |")
    return "\n".join(lines)


def _wire(starts: Iterable[Start]) -> str:
    sent = [start.sent for start in starts]
    size = statistics.median(each.bytes for each in sent) / MIB
    return f"{size:.0f} MiB, {statistics.median(each.requests for each in sent):.0f} requests"


def _measure(bench: Bench, turns: Mapping[str, list[tuple[Start, Start]]], count: int) -> None:
    for _ in range(count):  # in turns: the machine may be busy for a while
        for name, found in turns.items():
            try:
                found.append(bench.turn(name, METHODS[name]))
            except (AssertionError, HelmError, UnavailableError, subprocess.CalledProcessError) as error:
                say(f"{name}: {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--json", type=Path, default=Path("bench-start.json"), help="keeps it (default: %(default)s)")
    parser.add_argument("--only", default=",".join(METHODS), help="methods (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=1, help="of each method (default: %(default)s)")
    options = parser.parse_args()
    os.environ["PATH"] = f"{tools.kubectl().parent}{os.pathsep}{os.environ['PATH']}"
    turns: dict[str, list[tuple[Start, Start]]] = {name: [] for name in options.only.split(",")}
    with Cluster(options.kubeconfig) as cluster, tempfile.TemporaryDirectory() as scratch:
        profile = profiles.choose(cluster)
        if not profile.no_gpu or not profile.gpu_nodes:
            sys.exit("this bench measures the CPU engine, on simulated GPUs")
        with bench_namespace(cluster, {TINY: profile.folders[TINY]}) as namespace:
            bench = Bench(cluster, Helm(str(tools.helm()), options.kubeconfig), profile, namespace, Path(scratch))
            try:
                _measure(bench, turns, options.turns)
            finally:
                kept = {name: [list(map(dataclasses.asdict, pair)) for pair in pairs] for name, pairs in turns.items()}
                measured = {"measured": time.strftime("%F %R UTC", time.gmtime())}
                options.json.write_text(json.dumps(measured | kept, indent=2))
    print(table({name: found for name, found in turns.items() if found}))
    if not all(len(found) == options.turns for found in turns.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
