"""A real collector gets a span of each traced request, under its caller's, and never what was asked (--tracing)."""

import re
import secrets
import time
from collections.abc import Iterator

import pytest
from kubernetes.client import ApiException
from pytest_helm_charts.clusters import Cluster as KubeCluster

from tests.e2e.clients import execute, pod_name, start_application
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm

pytestmark = pytest.mark.tracing

COLLECTOR, NAMESPACE = "collector", "tracing"
ENDPOINTS = {
    "grpc": f"http://{COLLECTOR}.{NAMESPACE}:4317",
    "http/protobuf": f"http://{COLLECTOR}.{NAMESPACE}:4318",
}
#: The exporter of the engine sends what it has every 5 s.
EXPORT_SECONDS = 60
REQUESTS = 3
SECRET_PROMPT = "San Francisco is a zebrafish"
KEY_SECRET = "key"
# Asks with a parent's span, sampled or not, and prints the parent's trace.
ASK = """
import json, secrets, sys, urllib.request
url, model, prompt, key, sampled = sys.argv[1:]
trace = secrets.token_hex(16)
headers = {"Content-Type": "application/json", "traceparent": f"00-{trace}-{secrets.token_hex(8)}-{sampled}"}
headers["Authorization"] = f"Bearer {key}"
body = json.dumps({"model": model, "prompt": prompt, "max_tokens": 8}).encode()
urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=100).read()
print(trace)
"""


def _spans(cluster: Cluster) -> list[dict[str, str]]:
    """What the collector has got: a span's own lines of its log, `Trace ID : 5b8a…`, and its attributes."""
    (pod,) = cluster.core.list_namespaced_pod(NAMESPACE).items
    log = cluster.core.read_namespaced_pod_log(pod_name(pod), NAMESPACE)
    found = []
    for text in re.split(r"^Span #\d+$", log, flags=re.MULTILINE)[1:]:
        fields = dict(re.findall(r"^\s+(Trace ID|Parent ID|Name)\s*: (.*)$", text, flags=re.MULTILINE))
        found.append({**fields, "text": text})
    return found


@pytest.fixture(scope="module")
def key(kube_cluster: KubeCluster, namespace: str) -> str:
    """What clients show, out of a Secret."""
    key = secrets.token_urlsafe()
    kube_cluster.kubectl(f"create secret generic {KEY_SECRET} --from-literal=api-key={key}", namespace=namespace)
    return key


@pytest.fixture(scope="module", params=ENDPOINTS)
def llm(
    request: pytest.FixtureRequest, key: str, helm: Helm, cluster: Cluster, namespace: str, profile: Profile
) -> Iterator[Installation]:
    try:
        cluster.core.read_namespaced_service(COLLECTOR, NAMESPACE)
    except ApiException as error:
        if error.status == 404:
            pytest.skip("needs an OpenTelemetry collector: `ci/run cluster -- up --tracing`")
        raise
    set_ = (
        "replicaCount=1",
        SHORT_STOP,
        f"auth.apiKeySecretRef.name={KEY_SECRET}",
        f"tracing.endpoint={ENDPOINTS[request.param]}",
        f"tracing.protocol={request.param}",
        "tracing.sampleRatio=0",
    )
    name = f"traced-{secrets.token_hex(2)}"
    installation = Installation(helm, cluster, profile, namespace, name, profile.article, set_)
    installation.install()
    yield installation
    installation.uninstall()


@pytest.fixture(scope="module")
def application(cluster: Cluster, namespace: str) -> str:
    return pod_name(start_application(cluster, namespace))


def test_a_sampled_request_is_one_span_of_its_callers_trace(
    llm: Installation, application: str, key: str, cluster: Cluster
) -> None:
    """The caller decides: nothing else is sampled here. Spans and the log have neither the prompt nor the key."""
    url = f"http://{llm.service}.{llm.namespace}.svc/v1/completions"
    command = ("python3", "-c", ASK, url, llm.model.served, SECRET_PROMPT, key)
    asked = [
        execute(cluster, llm.namespace, application, *command, sampled).strip() for sampled in ("01", "00") * REQUESTS
    ]
    traced, untraced = asked[::2], asked[1::2]
    wanted = set(traced)
    deadline = time.monotonic() + EXPORT_SECONDS
    while not wanted <= {span["Trace ID"] for span in _spans(cluster)} and time.monotonic() < deadline:
        time.sleep(1)
    spans = [span for span in _spans(cluster) if span["Trace ID"] in wanted]
    assert sorted(span["Trace ID"] for span in spans) == sorted(wanted)
    assert all(span["Parent ID"] for span in spans)
    assert not set(untraced) & {span["Trace ID"] for span in _spans(cluster)}
    assert {span["Name"] for span in spans} == {"llm_request"}
    (engine,) = llm.engines()
    log = cluster.core.read_namespaced_pod_log(pod_name(engine), llm.namespace)
    told = "".join(span["text"] for span in spans) + log
    assert "zebrafish" not in told
    assert key not in told
