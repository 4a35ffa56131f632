"""Who reaches what under the NetworkPolicies of both charts: (who, where, port, allowed), read by our own evaluator,
which tests/unit/test_policies.py holds to Kubernetes' documentation."""

import functools
from typing import Any

import pytest
from helm_python import values_from_yaml

from vllm_chart import helm
from vllm_chart.charts import ENDPOINT
from vllm_chart.checks import invariants
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import pods
from vllm_chart.rendered.policies import End, connects, end_of

NEW = (
    "networkPolicy: {ingress: {from: "
    "[{namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: chat}}}]"
)
MONITORING = "metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]"
NARROW = f"{NEW}}}}}"
SCRAPED = f"{NEW}, {MONITORING}}}}}"
OUT = "networkPolicy: {egress: {enabled: true}}"
NIXL = "engine: {args: {kv-transfer-config: {kv_connector: NixlConnector, kv_role: kv_both}}}"
SIDECAR = """
extraContainers: [{name: proxy, image: "a:1", ports: [{name: web, containerPort: 8080}, {containerPort: 9400}]}]
"""
#: A proxy in front of the metrics alone.
GUARDED = f"{{{SCRAPED}, {SIDECAR}, podMonitor: {{enabled: true, port: web}}}}"

WORLD = End(address="203.0.113.9")
NODE_NETWORK = End(address="10.0.0.7")
CHAT = End("apps", {"app": "chat"}, {"team": "a"})
OTHER_TEAM = End("apps", {"app": "chat"}, {"team": "b"})
OTHER_APP = End("apps", {"app": "cron"}, {"team": "a"})
PROMETHEUS = End("monitoring", {"app.kubernetes.io/name": "prometheus"})
NAMED = {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}
REPLICA = End("default", NAMED)
LIKE_A_REPLICA = End("apps", NAMED)
OTHER_RELEASE = End("default", NAMED | {"app.kubernetes.io/instance": "other"})
TEST = End("default", NAMED | {"app.kubernetes.io/name": "vllm.test"})
OTHER_TEST = End("default", NAMED | {"app.kubernetes.io/name": "vllm.test", "app.kubernetes.io/instance": "other"})
LOAD = End("default", {"app.kubernetes.io/name": "vllm-chart-load"})
BENCH = End("default", {"app.kubernetes.io/name": "vllm-chart-bench"})
LOAD_ELSEWHERE = End("apps", {"app.kubernetes.io/name": "vllm-chart-load"})
ENDPOINT_POD = End("llm", {"app.kubernetes.io/name": "vllm-endpoint", "app.kubernetes.io/instance": "llm-endpoint"})

Row = tuple[str, End, int, bool]
INGRESS: list[Row] = [
    # As it is: the API is open to all, all other ports to the release alone.
    ("", WORLD, 8000, True),
    ("", NODE_NETWORK, 8000, True),
    ("", CHAT, 8000, True),
    ("", OTHER_RELEASE, 8000, True),
    ("", TEST, 8000, True),
    ("", PROMETHEUS, 8000, True),
    ("", WORLD, 5557, False),
    ("", CHAT, 5557, False),
    ("", OTHER_RELEASE, 5557, False),
    ("", LIKE_A_REPLICA, 5557, False),
    ("", REPLICA, 5557, True),
    ("containerPort: 9000", WORLD, 9000, True),
    ("containerPort: 9000", WORLD, 8000, False),
    (SIDECAR, CHAT, 9400, True),
    (SIDECAR, CHAT, 9401, False),
    ("service: {targetPort: 9000}\nextraContainers: [{name: a, image: 'a:1'}]", WORLD, 9000, True),
    (
        "service: {extraPorts: [{name: metrics, port: 9400}]}\nextraContainers: [{name: a, image: 'a:1'}]",
        CHAT,
        9400,
        True,
    ),
    ('podAnnotations: {prometheus.io/port: "9500"}', PROMETHEUS, 9500, True),
    ("podAnnotations: {prometheus.io/port: 9500}", PROMETHEUS, 9500, True),
    ("initContainers: [{name: a, image: 'a:1', restartPolicy: Always, ports: [{containerPort: 7}]}]", CHAT, 7, True),
    ("networkPolicy: {enabled: false}", WORLD, 5557, True),
    ("hostNetwork: true", WORLD, 5557, True),
    ("networkPolicy: {ingress: {extra: [{ports: [{port: 15020}]}]}}", WORLD, 15020, True),
    # Ranks that are servers of their own have a port each.
    (
        "parallelism: {dataParallelSize: 2}\ngpu: {count: 2}\n"
        "engine: {args: {data-parallel-multi-port-external-lb: true, data-parallel-size-local: 2}}",
        CHAT,
        8001,
        True,
    ),
    # Who exchanges caches is met on any port, by pods.
    (NIXL, OTHER_RELEASE, 5600, True),
    (NIXL, CHAT, 40000, True),
    (NIXL, WORLD, 5600, False),
    # Ranks of other releases, and who sends it weights.
    (
        "engine: {args: {data-parallel-address: r0.models.svc, data-parallel-rpc-port: 13345, data-parallel-rank: 1}}\n"
        "parallelism: {dataParallelSize: 2}\ngpu: {count: 2}",
        OTHER_RELEASE,
        13345,
        True,
    ),
    ("engine: {args: {weight-transfer-config: {backend: nccl}}}", OTHER_RELEASE, 40000, True),
    ("engine: {args: {kv-offloading-size: 4}}", CHAT, 5600, False),
    ("engine: {args: {kv-events-config: {enable_kv_cache_events: true, publisher: zmq}}}", CHAT, 5557, True),
    # Narrowed.
    (NARROW, CHAT, 8000, True),
    (NARROW, OTHER_TEAM, 8000, False),
    (NARROW, OTHER_APP, 8000, False),
    (NARROW, OTHER_RELEASE, 8000, False),
    (NARROW, WORLD, 8000, False),
    (NARROW, PROMETHEUS, 8000, False),
    (NARROW, CHAT, 5557, False),
    (NARROW, REPLICA, 8000, True),
    (NARROW, REPLICA, 5557, True),
    (NARROW, TEST, 8000, True),
    (NARROW, OTHER_TEST, 8000, False),
    (NARROW, LOAD, 8000, True),
    (NARROW, BENCH, 8000, True),
    (NARROW, LOAD_ELSEWHERE, 8000, False),
    (f"{{{NARROW}, test: {{enabled: false}}}}", TEST, 8000, False),
    (f"{{{NARROW}, {NIXL}}}", OTHER_RELEASE, 5600, False),
    (f"{{{NARROW}, service: {{type: NodePort}}}}", WORLD, 8000, False),
    (SCRAPED, PROMETHEUS, 8000, True),
    (SCRAPED, PROMETHEUS, 5557, False),
    (SCRAPED, CHAT, 8000, True),
    # A proxy for who scrapes.
    (GUARDED, PROMETHEUS, 8080, True),
    (GUARDED, PROMETHEUS, 8000, False),
    (GUARDED, CHAT, 8080, False),
    (GUARDED, CHAT, 8000, True),
    (GUARDED.replace("podMonitor", "service: {targetPort: web}, podMonitor"), CHAT, 8080, True),
]

ENGINES = "models: {a: {service: a, namespace: models, port: 8000}, b: {service: b, namespace: models, port: 8001}}"
OF_ENDPOINT: list[Row] = [
    ("", WORLD, 8080, True),
    ("", CHAT, 8080, True),
    ("", PROMETHEUS, 9090, True),
    ("", CHAT, 9901, False),
    ("containerPort: 8443", CHAT, 8443, True),
    (NARROW, CHAT, 8080, True),
    (NARROW, OTHER_TEAM, 8080, False),
    (NARROW, WORLD, 8080, False),
    (NARROW, LOAD, 8080, True),
    (NARROW, OTHER_TEAM, 9090, True),
    (SCRAPED, PROMETHEUS, 9090, True),
    (SCRAPED, PROMETHEUS, 8080, False),
    (SCRAPED, CHAT, 9090, False),
    ("networkPolicy: {ingress: {metricsFrom: []}}", PROMETHEUS, 9090, False),
]

PROXIED = f"{OUT}\nproxy: {{httpsProxy: 'http://10.0.0.5:3128'}}"
OFFLINE = (
    f"{OUT}\npersistence: {{enabled: true, existingClaim: a}}\nhub: {{offline: true, endpoint: 'https://10.9.8.7'}}"
)


def traced(address: str) -> str:
    return f"{OUT}\ntracing: {{endpoint: '{address}'}}"


EGRESS: list[Row] = [
    ("", WORLD, 25, True),
    (OUT, WORLD, 443, True),
    (OUT, WORLD, 80, False),
    (OUT, WORLD, 53, True),
    (OUT, End(address="10.0.0.9"), 53, True),
    (OUT, End(address="2606:4700::1"), 443, True),
    (OUT, End(address="169.254.169.254"), 80, False),
    (OUT, End(address="169.254.169.254"), 443, False),
    (OUT, End(address="100.100.100.200"), 443, False),
    (OUT, End(address="168.63.129.16"), 443, False),
    (OUT, End(address="fd00:ec2::254"), 443, False),
    (OUT, End(address="fd20:ce::254"), 443, False),
    (OUT, End(address="64:ff9b::a9fe:a9fe"), 443, False),
    (OUT, End(address="10.96.0.1"), 443, False),
    (OUT, End(address="172.31.0.1"), 443, False),
    (OUT, End(address="192.168.1.1"), 443, False),
    (OUT, REPLICA, 5557, True),
    (OUT, OTHER_RELEASE, 8000, False),
    (OUT, End("openshift-dns", {"dns": "default"}), 5353, True),
    (OFFLINE, WORLD, 443, False),
    (OFFLINE, WORLD, 53, True),
    (PROXIED, End(address="10.0.0.5"), 3128, True),
    (PROXIED, End(address="10.0.0.5"), 443, False),
    (f"{OUT}\nproxy: {{httpProxy: 'http://[fd00::5]:3128'}}", End(address="fd00::5"), 3128, True),
    (f"{OUT}\nproxy: {{httpProxy: 'http://user@10.0.0.5'}}", End(address="10.0.0.5"), 80, True),
    (f"{OUT}\nhub: {{endpoint: 'https://10.9.8.7'}}", End(address="10.9.8.7"), 443, True),
    (OFFLINE, End(address="10.9.8.7"), 443, False),
    (traced("http://collector.monitoring:4317"), PROMETHEUS, 4317, True),
    (
        f"{OUT}\nmodel: {{id: 's3://a/b', servedModelName: [b]}}\nobjectStorage: {{endpoint: 'http://10.1.2.3:9000'}}",
        End(address="10.1.2.3"),
        9000,
        True,
    ),
    (traced("http://collector.monitoring.svc:4317"), PROMETHEUS, 4317, True),
    (traced("http://collector:4317"), OTHER_RELEASE, 4317, True),
    (traced("http://localhost:4317"), OTHER_RELEASE, 4317, False),
    (
        "networkPolicy: {egress: {enabled: true, to: [{ipBlock: {cidr: 10.20.0.0/16}}]}}",
        End(address="10.20.1.1"),
        9,
        True,
    ),
    (
        "networkPolicy: {egress: {enabled: true, extra: "
        "[{to: [{ipBlock: {cidr: 10.1.2.3/32}}], ports: [{port: 9000}]}]}}",
        End(address="10.1.2.3"),
        9000,
        True,
    ),
]

#: Where an issuer's keys are fetched, with a port or without.
ISSUER = "clients: {{jwt: {{issuer: 'https://a', audiences: [llm], jwksUri: 'https://a.example.com{}/keys'}}}}"
OUT_OF_ENDPOINT: list[Row] = [
    ("", WORLD, 443, True),
    (f"{{{OUT}, {ENGINES}}}", End("models", NAMED), 8000, True),
    (f"{{{OUT}, {ENGINES}}}", End("models", NAMED), 8001, True),
    (f"{{{OUT}, {ENGINES}}}", End("models", NAMED), 8002, False),
    (f"{{{OUT}, {ENGINES}}}", End("apps", NAMED), 8000, False),
    (f"{{{OUT}, {ENGINES}}}", WORLD, 443, False),
    (f"{{{OUT}, {ENGINES}}}", WORLD, 53, True),
    (f"{{{OUT}, {ISSUER.format('')}}}", WORLD, 443, True),
    (f"{{{OUT}, {ISSUER.format(':8443')}}}", WORLD, 8443, True),
    (f"{{{OUT}, {ISSUER.format(':8443')}}}", WORLD, 443, False),
    (f"{{{OUT}, {ISSUER.format(':8443')}}}", End(address="10.0.0.9"), 8443, False),
    (OUT, REPLICA, 8000, True),
    (f"{OUT}\nlimits: {{rateLimitService: {{service: limits, namespace: limits}}}}", End("limits"), 8081, True),
    (f"{OUT}\nlimits: {{rateLimitService: {{service: limits, namespace: limits}}}}", End("limits"), 8080, False),
]


@functools.cache
def engine(text: str) -> Manifests:
    return helm.render(values={"model": {"id": "org/name"}} | values_from_yaml(text or "{}"))


@functools.cache
def endpoint(text: str) -> Manifests:
    least: dict[str, Any] = {"models": {"llama3": {"service": "llm"}}, "clients": {"secretName": "keys"}}
    return helm.render(chart=ENDPOINT.folder, values=least | values_from_yaml(text or "{}"))


def serving(manifests: Manifests) -> End:
    [pod] = [pod for pod in pods(manifests) if pod.workload]
    return end_of(pod)


@pytest.mark.parametrize(("text", "who", "port", "allowed"), INGRESS)
def test_who_reaches_an_engine(text: str, who: End, port: int, allowed: bool) -> None:
    manifests = engine(text)
    verdict = connects(manifests.all("NetworkPolicy"), who, serving(manifests), port)
    assert verdict.allowed is allowed, verdict.why


@pytest.mark.parametrize(("text", "who", "port", "allowed"), OF_ENDPOINT)
def test_who_reaches_the_endpoint(text: str, who: End, port: int, allowed: bool) -> None:
    manifests = endpoint(text)
    verdict = connects(manifests.all("NetworkPolicy"), who, serving(manifests), port)
    assert verdict.allowed is allowed, verdict.why


@pytest.mark.parametrize(("text", "whom", "port", "allowed"), EGRESS)
def test_whom_an_engine_reaches(text: str, whom: End, port: int, allowed: bool) -> None:
    manifests = engine(text)
    verdict = connects(manifests.all("NetworkPolicy"), serving(manifests), whom, port)
    assert verdict.allowed is allowed, verdict.why


@pytest.mark.parametrize(("text", "whom", "port", "allowed"), OUT_OF_ENDPOINT)
def test_whom_the_endpoint_reaches(text: str, whom: End, port: int, allowed: bool) -> None:
    manifests = endpoint(text)
    verdict = connects(manifests.all("NetworkPolicy"), serving(manifests), whom, port)
    assert verdict.allowed is allowed, verdict.why


def test_names_are_looked_up_by_udp_too() -> None:
    manifests = engine(OUT)
    policies = manifests.all("NetworkPolicy")
    assert connects(policies, serving(manifests), End(address="10.96.0.10"), 53, "UDP").allowed
    assert not connects(policies, serving(manifests), WORLD, 443, "UDP").allowed


def test_a_scraped_port_that_is_a_name_is_one_that_a_container_declares() -> None:
    named = engine(f"podAnnotations: {{prometheus.io/port: web}}\n{SIDECAR}")
    assert named.one("NetworkPolicy") == engine(SIDECAR).one("NetworkPolicy")


def test_the_policy_is_the_only_object_more() -> None:
    without, with_ = engine("networkPolicy: {enabled: false}"), engine("")
    assert [one.where for one in with_ if one not in [*without]] == ["NetworkPolicy/llm-vllm"]
    assert [one for one in without if one not in [*with_]] == []


NOTES = [
    ("", ""),
    ("hostNetwork: true", "does not hold for these pods"),
    (f"{{{NARROW}, serviceMonitor: {{enabled: true}}}}", "Prometheus gets in only if"),
    (f"{{{SCRAPED}, serviceMonitor: {{enabled: true}}}}", "Who may scrape may also ask"),
    (GUARDED, ""),
    (f"{{{NARROW}, {NIXL}}}", "exchanges caches with are let in by networkPolicy.ingress.extra"),
]


@pytest.mark.parametrize(("text", "words"), NOTES)
def test_the_notes_say_what_a_policy_cannot(text: str, words: str) -> None:
    sentences = [words for _, words in NOTES if words]
    assert [said for said in sentences if said in engine(text).notes] == ([words] if words else [])


def test_a_service_among_extra_objects_that_leads_nowhere_is_a_warning() -> None:
    text = """
    extraObjects:
      - apiVersion: v1
        kind: Service
        metadata: {name: debug, namespace: default}
        spec: {selector: {app.kubernetes.io/instance: llm, app.kubernetes.io/name: vllm}, ports: [{port: 5678}]}
    """
    [finding] = invariants.check(engine(text))
    assert (finding.check, finding.severity) == ("policies-open-what-a-service-leads-to", "warning")
    assert "ports: [{port: 5678}]" in finding.remedy
