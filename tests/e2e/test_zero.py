"""No replicas while nobody asks, and nobody is turned away: KEDA with its HTTP add-on, both real (--autoscaling-zero).

A release is left alone until its last pod is gone; then twenty clients ask at once, through the add-on's proxy, which
holds their requests until a pod has loaded the model. They ask by a name of the release's namespace, which leads to the
proxy: a Service of type ExternalName.
"""

import dataclasses
import subprocess
import time
from collections.abc import Iterator

import pytest
from kubernetes.client import ApiException

from ci import versions
from tests.e2e import prometheus as live
from tests.e2e.conftest import NAMESPACES
from tests.e2e.monitored import PATIENT_OBJECTIVES, monitored
from tests.e2e.profiles import Profile
from tests.e2e.prometheus import Prometheus
from tests.e2e.releases import ROLLOUT_SECONDS, SHORT_STOP, Installation
from tests.e2e.scaling import Watch, drops
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.load.asker import OK, Options, Record
from vllm_chart.load.pod import LoadPod, Placement

pytestmark = pytest.mark.autoscaling_zero

KEDA, PROXY, PORT = "keda", "keda-add-ons-http-interceptor-proxy", 8080
#: A Service beside the release, by whose name its clients ask.
ASK = "ask"
HELD = 20
#: A start may take so long, and so long nobody has to ask until the last replica goes.
BUDGET_SECONDS = 300
#: KEDA looks at its triggers every 30 s, and a pod takes some time to end.
LAG_SECONDS = 120
#: Until the first replica is asked for: the add-on tells KEDA five times a second whether there are requests.
WAKE_SECONDS = 15


@pytest.fixture(scope="module")
def llm(
    pytestconfig: pytest.Config,
    prometheus: Prometheus,
    helm: Helm,
    cluster: Cluster,
    namespace: str,
    profile: Profile,
) -> Iterator[Installation]:
    try:
        cluster.core.read_namespaced_service(PROXY, KEDA)
    except ApiException as error:
        if error.status == 404:
            pytest.skip("needs KEDA and its HTTP add-on: `ci/run cluster -- up --autoscaling-zero`")
        raise
    pytestconfig.stash[NAMESPACES].append((cluster, KEDA))
    leads_to = f"--external-name={PROXY}.{KEDA}.svc.cluster.local"
    here = f"--namespace={namespace}"
    subprocess.run(cluster.kubectl("create", "service", "externalname", ASK, leads_to, here), check=True)
    set_ = (
        SHORT_STOP,
        f"startup.budgetSeconds={BUDGET_SECONDS}",
        *monitored("serviceMonitor"),
        *PATIENT_OBJECTIVES,
        "autoscaling.enabled=true",
        "autoscaling.minReplicas=0",
        "autoscaling.maxReplicas=2",
        f"autoscaling.requestsPerReplica={HELD + 1}",
        f"autoscaling.prometheus.address=http://{live.SERVICE}.{live.NAMESPACE}:9090",
        "autoscaling.wakeUp.httpAddon.enabled=true",
        f"autoscaling.wakeUp.httpAddon.hosts[0]={ASK}.{namespace}.svc",
    )
    model = dataclasses.replace(profile.article, values={**profile.article.values, "replicaCount": 1})
    installation = Installation(helm, cluster, profile, namespace, "llm", model, set_)
    installation.install(wait=False)
    live.begin_anew(cluster, namespace)
    installation.wait_until_available()
    yield installation
    installation.uninstall()


@pytest.fixture(scope="module")
def began(llm: Installation) -> float:
    """When the first replica was ready."""
    return time.time()


@pytest.fixture(scope="module")
def watch(llm: Installation) -> Iterator[Watch]:
    with Watch(llm) as watch:
        yield watch
        print(watch)


def _ask(llm: Installation) -> list[Record]:
    """One request of each client, all at once, and what became of them. Nothing is retried."""
    options = Options(
        f"http://{ASK}.{llm.namespace}.svc:{PORT}",
        model=llm.model.served,
        clients=HELD,
        requests=HELD,
        max_tokens=64,
        timeout_seconds=ROLLOUT_SECONDS,
    )
    with LoadPod(llm.cluster, Placement(llm.namespace, versions.CLIENT_IMAGE), options) as pod:
        return list(pod.records())


def _answered(records: list[Record]) -> None:
    assert [record for record in records if record.kind != OK] == []
    assert len(records) == HELD


def _goes_to_zero(llm: Installation, watch: Watch) -> float:
    """How many seconds that takes, until the last pod is gone."""
    began = time.time()
    watch.wait_until("no replica is asked for", lambda now: now.replicas == 0, BUDGET_SECONDS + LAG_SECONDS)
    llm.wait_until_gone("pods")
    return time.time() - began


def test_nobody_asks_and_the_last_replica_goes(llm: Installation, began: float, watch: Watch) -> None:
    print(f"at zero {_goes_to_zero(llm, watch):.0f} s after the first replica was ready")
    assert llm.engines() == []


def test_what_is_asked_at_zero_is_held_and_answered(llm: Installation, watch: Watch) -> None:
    asked = time.time()
    records = _ask(llm)
    _answered(records)
    came = min(record.started for record in records)
    seen = watch.since(asked)
    up = next(sample.at for sample in seen if sample.replicas)
    ready = next(sample.at for sample in seen if sample.ready)
    last = max(record.ended for record in records)
    first = min(r.started + r.first_token_seconds for r in records if r.first_token_seconds)
    print(
        f"{len(records)} requests at zero; after the first of them: a replica asked for {up - came:.0f} s, ready "
        f"{ready - came:.0f} s, first token {first - came:.0f} s, last answer {last - came:.0f} s"
    )
    assert up - came <= WAKE_SECONDS
    assert list(drops(seen)) == [], "the pod that loaded was taken away"
    assert {sample.replicas for sample in seen if sample.at > up} == {1}
    # Nobody waits for a start who asks now.
    before = time.time()
    _answered(_ask(llm))
    print(f"and {time.time() - before:.0f} s for as many at one replica, the pod that asks included")


def test_it_goes_back_to_zero_and_no_alert_fires(
    llm: Installation, watch: Watch, prometheus: Prometheus, began: float
) -> None:
    """Neither while it was at zero nor when a model loaded."""
    print(f"at zero again {_goes_to_zero(llm, watch):.0f} s after the last answer")
    assert prometheus.rules(llm.namespace)
    assert prometheus.fired(llm.namespace, began) == set()
