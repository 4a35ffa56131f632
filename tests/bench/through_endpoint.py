"""Planned changes of an engine, and of the endpoint in front of it, under the load of clients that ask the endpoint.

They speak TLS to it, by a key, over kept-alive connections and new ones, streaming or not; nothing is retried. A part
is a few changes; all parts that are asked for are made one after the other, until so many requests are answered. The
part `throughput` asks the engines for all they can, directly and through the endpoint by turns. Each engine has a share
of the machine then, and requests wait in it: otherwise what clients and endpoint take is taken from the engines, and a
request that comes later makes a batch smaller, which is no less work.
"""

import contextlib
import dataclasses
import itertools
import secrets
import ssl
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

import trustme
from click.testing import CliRunner
from kubernetes.client import V1Eviction, V1Pod

from tests.bench.lifecycle import MANY, SERVED, Bench, names, new_version, note_total, note_window
from tests.e2e.clients import pod_name, shown_certificate, start_application
from tests.e2e.endpoints import APPLICATION, CLIENTS_SECRET, Endpoint, apply_secret
from tests.e2e.releases import STOP_SECONDS, drain_node, wait_until_departed
from tests.e2e.traffic import Traffic
from vllm_chart.cli.main import main
from vllm_chart.load.asker import Options

Change = Callable[[], object]

CLIENT, OTHER = "app", "newcomer"
CERTIFICATE_SECRET, API_PORT = "endpoint-tls", 8080
#: What the kubelet takes at most to have a Secret's change in a pod.
KUBELET_SECONDS = 180
#: As much as two engines can answer, each of `TURNS` times for so long.
FULL = Options("", model=SERVED, clients=32, max_tokens=64, duration_seconds=3600, timeout_seconds=120)
TURNS, TURN_SECONDS = 8, 30
#: Of two cores both engines have 1.2, and of 32 clients they answer 16 at a time.
SATURATED = ("resources.limits.cpu=600m", "engine.args.max-num-seqs=8")
SURGE = ("strategy.rollingUpdate.maxSurge=1", "strategy.rollingUpdate.maxUnavailable=0")


class Front:
    """A release of two engines, and an endpoint of two replicas before it.

    rolled: the `--set` expression that rolled the engines last.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.authority = trustme.CA()
        set_ = ("shutdown.drainSeconds=600", "engine.args.stream-interval=20", "service.pods.enabled=true")
        self.release = bench.chart(*set_)
        self.rolled = new_version()
        values = {
            "models": {SERVED: {"service": f"{self.release.service}-pods"}},
            "clients": {"secretName": CLIENTS_SECRET},
            "tls": {"secretName": CERTIFICATE_SECRET},
            "service": {"port": 443},
            "concurrency": 1,
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "shutdown": {"drainSeconds": 600},
        }
        keys = {CLIENT: f"sk-{secrets.token_urlsafe()}"}
        self.endpoint = Endpoint(bench.helm, bench.cluster, bench.namespace, values, keys)

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        start_application(self.bench.cluster, self.bench.namespace)
        self.certify()
        self.release.install("replicaCount=2", self.rolled)
        self.endpoint.install()
        yield
        self.endpoint.uninstall()
        self.release.uninstall()

    def certify(self) -> str:
        """Write another certificate into the endpoint's Secret, and return it."""
        issued = self.authority.issue_cert(f"{self.endpoint.deployment}.{self.bench.namespace}.svc")
        first, *_ = issued.cert_chain_pems
        chain = "".join(pem.bytes().decode() for pem in issued.cert_chain_pems)
        data = {"tls.crt": chain, "tls.key": issued.private_key_pem.bytes().decode()}
        apply_secret(self.bench.cluster, self.bench.namespace, CERTIFICATE_SECRET, data)
        return first.bytes().decode()

    # Engines

    def set_engines(self, *set_: str) -> None:
        self._upgrade("replicaCount=2", *set_)

    def roll_engines(self) -> None:
        self._upgrade("replicaCount=2", rolled=True)

    def roll_engines_with_a_spare(self) -> None:
        """Of one engine, for which the second one's GPU is the spare."""
        self._upgrade("replicaCount=1")
        self._upgrade("replicaCount=1", *SURGE, rolled=True)
        self._upgrade("replicaCount=2")

    def scale_engines(self) -> None:
        self._upgrade("replicaCount=1")
        self._upgrade("replicaCount=2")

    def delete_an_engine(self) -> None:
        self.bench.kubectl("delete", f"pod/{names(self.release)[0]}", "--wait")
        self.release.wait_until_available()

    def drain_an_engine(self) -> None:
        drain_node(self.bench.cluster, self.release.engines()[0], STOP_SECONDS)
        self.release.wait_until_available()

    def _upgrade(self, *set_: str, rolled: bool = False) -> None:
        self.rolled = new_version() if rolled else self.rolled
        self.release.upgrade(*set_, self.rolled)
        self.release.wait_until_departed()

    # The endpoint

    def roll_the_endpoint(self) -> None:
        self.endpoint.upgrade(podAnnotations={"version": secrets.token_hex(3)})

    def scale_the_endpoint(self) -> None:
        for count in (3, 1, 2):
            self.endpoint.upgrade(replicaCount=count)

    def delete_an_endpoint(self) -> None:
        pod = pod_name(self.endpoint.ready()[0])
        self.bench.kubectl("delete", f"pod/{pod}", "--wait")
        self._available()

    def evict_an_endpoint(self) -> None:
        """As a drain does it; the node itself has the clients too, and is the only one of its kind."""
        pod = pod_name(self.endpoint.ready()[0])
        eviction = V1Eviction.model_validate({"metadata": {"name": pod, "namespace": self.bench.namespace}})
        self.bench.cluster.core.create_namespaced_pod_eviction(pod, self.bench.namespace, eviction)
        wait_until_departed(self.bench.cluster, self.bench.namespace, self.endpoint.selector)
        self._available()

    def _available(self) -> None:
        deployment = f"deployment/{self.endpoint.deployment}"
        self.bench.kubectl("rollout", "status", deployment, f"--timeout={STOP_SECONDS}s")

    # What the endpoint goes by

    def change_keys(self) -> None:
        """A client comes and goes, by the command, which waits until each replica knows it."""
        self._command("add", OTHER)
        self._command("revoke", OTHER)

    def _command(self, *command: str) -> None:
        where = [f"--namespace={self.bench.namespace}", f"--kubeconfig={self.bench.cluster.kubeconfig}"]
        release = [f"--release={self.endpoint.name}"] if command[0] == "add" else []
        done = CliRunner().invoke(main, ["clients", *command, *where, *release])
        assert done.exit_code == 0, done.stderr  # its output has a key

    def change_limits(self) -> None:
        limit = {"requestsPerMinute": 1000 + secrets.randbelow(1000)}
        self.endpoint.upgrade(limits={"byClient": {OTHER: limit}})

    def change_models(self) -> None:
        model = {"service": f"{self.release.service}-pods", "aliases": [f"alias-{secrets.token_hex(3)}"]}
        self.endpoint.upgrade(models={SERVED: model})

    def renew_the_certificate(self) -> None:
        """Until every replica shows the new one, in the kubelets' own time."""
        renewed, began = self.certify(), time.time()
        old = {pod_name(pod): pod for pod in self.endpoint.ready()}
        while old:
            assert time.time() - began < KUBELET_SECONDS, f"{[*old]} do not show the renewed certificate"
            for name, pod in [*old.items()]:
                if self._shown(pod) == ssl.PEM_cert_to_DER_cert(renewed):
                    del old[name]
        self.bench.note("certificate renewed: shown by every replica after, s", round(time.time() - began))

    def _shown(self, pod: V1Pod) -> bytes | None:
        """The certificate that a replica shows; None where it cannot be asked now: the node is busy."""
        assert pod.status
        cluster, namespace, address = self.bench.cluster, self.bench.namespace, pod.status.pod_ip or ""
        try:
            return ssl.PEM_cert_to_DER_cert(shown_certificate(cluster, namespace, APPLICATION, address, API_PORT))
        except (AssertionError, subprocess.TimeoutExpired):
            return None


def _changes(front: Front) -> dict[str, dict[str, Change]]:
    return {
        "engine": {
            "rollouts of the engine": front.roll_engines,
            "rollouts of the engine with a spare GPU": front.roll_engines_with_a_spare,
            "scales of the engine to 1 and back to 2": front.scale_engines,
            "deletes of an engine's pod": front.delete_an_engine,
            "drains of an engine's node": front.drain_an_engine,
        },
        "endpoint": {
            "rollouts of the endpoint": front.roll_the_endpoint,
            "scales of the endpoint to 3, 1 and 2": front.scale_the_endpoint,
            "deletes of an endpoint's pod": front.delete_an_endpoint,
            "evictions of an endpoint's pod": front.evict_an_endpoint,
        },
        "settings": {
            "keys given and revoked": front.change_keys,
            "changes of limits": front.change_limits,
            "changes of models": front.change_models,
        },
        "certificate": {"renewals of the certificate": front.renew_the_certificate},
    }


PARTS = ("throughput", "engine", "endpoint", "settings", "certificate")


def measure(bench: Bench, parts: Sequence[str], requests: int) -> None:
    """Measure these parts: the changes in them are all made at least once, until so many requests have ended."""
    front = Front(bench)
    known = _changes(front)
    planned = {what: change for part in parts if part in known for what, change in known[part].items()}
    with front.installed():
        if "throughput" in parts:
            throughput(front)
        if planned:
            changes(front, planned, requests)


def throughput(front: Front) -> None:
    """Answers a second of both engines, asked over their Service without TLS, and through the endpoint with it."""
    through = dataclasses.replace(FULL, verify_tls=False)
    taken: dict[str, list[float]] = {"direct": [], "through the endpoint": []}
    front.set_engines(*SATURATED)
    for _ in range(TURNS):
        taken["direct"].append(_answers_a_second(Traffic.on(front.release, FULL)))
        taken["through the endpoint"].append(_answers_a_second(front.endpoint.traffic(CLIENT, through)))
    for who, rates in taken.items():
        front.bench.note(f"answers a second, {who}", ", ".join(f"{rate:.1f}" for rate in rates))
    ratios = [through / direct for direct, through in zip(*taken.values(), strict=True)]
    error = statistics.stdev(ratios) / len(ratios) ** 0.5
    front.bench.note("throughput, of the direct one", f"{statistics.mean(ratios):.3f} ± {error:.3f}")
    front.set_engines()


def _answers_a_second(load: Traffic) -> float:
    with load as traffic:
        traffic.wait_for_answers(FULL.clients)
        began, before = time.monotonic(), len(traffic.report.records)
        traffic.keep_on(TURN_SECONDS)
        report, seconds = traffic.report, time.monotonic() - began
    assert not report.failed, report.findings
    return (len(report.records) - before) / seconds


def changes(front: Front, planned: dict[str, Change], requests: int) -> None:
    """Make these changes, all of them at least once, until so many requests have ended."""
    bench = front.bench
    made = dict.fromkeys(planned, 0)
    lost = dict.fromkeys(planned, 0)
    with front.endpoint.traffic(CLIENT, dataclasses.replace(MANY, verify_tls=False)) as traffic:
        traffic.wait_for_answers(MANY.clients)
        try:
            for what in itertools.cycle(planned):
                if len(traffic.report.records) >= requests and all(made.values()):
                    break
                with traffic.through(what) as windows:
                    planned[what]()
                made[what] += 1
                lost[what] += len(windows[0].lost())
                note_window(bench, f"endpoint {made[what]}", windows[0])
        finally:  # what was made counts, though a later change failed
            note_total(bench, "through the endpoint", made, traffic.report)
            for what, count in lost.items():
                bench.note(f"through the endpoint, {what}: lost", f"{count} in {made[what]}")
