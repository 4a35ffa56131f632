"""What the chart vllm-endpoint renders and refuses; what Envoy makes of it, is in tests/unit/test_endpoint.py."""

import json
from collections.abc import Iterable
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import values_from_yaml

from ci import lint
from tests import envoy
from tests.render.test_rejections import names
from vllm_chart import checks, helm
from vllm_chart.charts import ENDPOINT
from vllm_chart.checks import invariants
from vllm_chart.helm import HelmError
from vllm_chart.rendered.manifests import Manifests, Object

EVERYTHING = Path(__file__).parent / "endpoint-everything.yaml"
LEAST: dict[str, Any] = {"models": {"llama3": {"service": "llm"}}, "clients": {"secretName": "keys"}}


def render(text: str = "", **options: Any) -> Manifests:
    """The chart with one model, and more values."""
    return helm.render(chart=ENDPOINT.folder, values=LEAST | values_from_yaml(text or "{}"), **options)


@pytest.mark.parametrize("example", lint.examples(ENDPOINT), ids=lambda path: path.stem)
def test_an_example_passes_every_check(example: Path, tmp_path: Path) -> None:
    report = checks.check(ENDPOINT.folder, values_files=[example])

    assert report.findings == []
    assert envoy.validate(tmp_path, values_from_yaml(example.read_text())) == ""


def test_everything_at_once_passes_but_for_what_it_asks_for(tmp_path: Path) -> None:
    report = checks.check(ENDPOINT.folder, values_files=[EVERYTHING])

    assert {finding.check for finding in report.findings} == {"no-service-account-token"}
    assert envoy.validate(tmp_path, values_from_yaml(EVERYTHING.read_text())) == ""


# What is refused

#: An issuer's public keys, of a form that Envoy reads.
JWKS = {
    "keys": [
        {
            "kty": "EC",
            "crv": "P-256",
            "kid": "a",
            "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
            "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
        }
    ]
}


def by_tokens(more: str = "", jwks: Any = JWKS) -> str:
    """Clients with tokens alone. jwks: the issuer's keys; more: further values, of clients.jwt."""
    return f"clients: {{jwt: {{issuer: https://a, audiences: [llm], jwks: {json.dumps(jwks)}{more}}}}}"


def key_without(part: str) -> dict[str, Any]:
    [key] = JWKS["keys"]
    return {"keys": [{name: text for name, text in key.items() if name != part}]}


REJECTIONS = {
    "no model": ("models: {llama3: null}", "models", "write one"),
    "a model without a Service": ("models: {qwen3: {port: 80}}", "models.qwen3.service", "write the name of"),
    "a null for a Service": ("models: {qwen3: {service: null}}", "models.qwen3.service", "write the name of"),
    "a URL for a Service": ("models: {qwen3: {service: http://a}}", "models.qwen3.service", "write the name of"),
    "a key of a URL": ("models: {qwen3: {url: http://a}}", "models.qwen3.url", "write service, namespace and port"),
    "a Service with its namespace": (
        "models: {qwen3: {service: llm-vllm.models}}",
        "models.qwen3.service",
        "write the name of a Service alone, and its namespace beside it",
    ),
    "a rate-limit service with its namespace": (
        "limits: {rateLimitService: {service: ratelimit.infra.svc}}",
        "limits.rateLimitService.service",
        "write the name of a Service alone, and its namespace beside it",
    ),
    "a misspelt key of a model": ("models: {qwen3: {servce: a}}", "models.qwen3.servce", "not allowed"),
    "an engine's name without what it is checked by": (
        "models: {qwen3: {service: a, tls: {serverName: a.b.svc}}}",
        "models.qwen3.tls.caSecretName",
        "write the Secret with its authority",
    ),
    "two authorities of an engine": (
        "models: {qwen3: {service: a, tls: {caSecretName: a, caConfigMapName: b}}}",
        "models.qwen3.tls.caConfigMapName",
        "leave one of the two out",
    ),
    "an engine that nobody checks": (
        "models: {qwen3: {service: a, tls: {insecureSkipVerify: true}}}",
        "models.qwen3.tls.insecureSkipVerify",
        "anybody could be the engine",
    ),
    "a scheme of a model": ("models: {qwen3: {service: a, scheme: https}}", "models.qwen3.scheme", "write tls"),
    "an alias that is a model": (
        "models: {llama3: {service: b}, qwen3: {service: a, aliases: [llama3]}}",
        "models.qwen3.aliases",
        "keep it in one of the two",
    ),
    "an adapter of two models": (
        "models: {a: {service: a, adapters: [sql]}, b: {service: b, adapters: [sql]}}",
        "models.b.adapters",
        "keep it in one of the two",
    ),
    "a name twice in a model": (
        "models: {qwen3: {service: a, aliases: [q], adapters: [q]}}",
        "models.qwen3.adapters",
        "keep it in one of the two",
    ),
    "no clients": ("clients: {secretName: ''}", "clients.secretName", "write the name of the Secret"),
    "a key for a Secret": ("clients: {secretName: sk-A1}", "clients.secretName", "write the name of a Secret"),
    "keys in the values": ("clients: {keys: {app: sk-1}}", "clients.keys", "put their SHA-256 in a Secret"),
    "a model that a client may use and nobody has": (
        "clients: {secretName: keys, allow: {app: [llama4]}}",
        "clients.allow.app",
        "write one of llama3",
    ),
    "an alias for a client": (
        "{models: {m: {service: a, aliases: [b]}}, clients: {secretName: k, allow: {app: [b]}}}",
        "clients.allow.app",
        "write one of",
    ),
    "tokens that nobody counts": (
        "limits: {default: {tokensPerMinute: 1000}}",
        "limits.default.tokensPerMinute",
        "write limits.rateLimitService",
    ),
    "tokens of one client that nobody counts": (
        "limits: {byClient: {app: {tokensPerMinute: 1000}}}",
        "limits.byClient.app.tokensPerMinute",
        "write limits.rateLimitService",
    ),
    "a client whose limit others would have": (
        "limits: {byClient: {'app*': {requestsPerMinute: 1}}, rateLimitService: {service: ratelimit}}",
        "limits.byClient.app*",
        "does not end in an asterisk",
    ),
    "no requests at all": ("limits: {default: {requestsPerMinute: 0}}", "limits.default.requestsPerMinute", "minimum"),
    "a limit of all": (
        "limits: {requestsPerMinute: 60}",
        "limits.requestsPerMinute",
        "write limits.default.requestsPerMinute",
    ),
    "a limit in other words": (
        "limits: {default: {rpm: 60}}",
        "limits.default.rpm",
        "write requestsPerMinute",
    ),
    "an address of a service": (
        "limits: {rateLimitService: {address: 'http://a:8081'}}",
        "limits.rateLimitService.address",
        "write service, namespace and port",
    ),
    "a certificate in the values": (
        "tls: {certificate: '-----BEGIN CERTIFICATE-----'}",
        "tls.certificate",
        "name it in tls.secretName",
    ),
    "TLS without a certificate": ("tls: {enabled: true}", "tls.enabled", "write tls.secretName"),
    "an old version": ("tls: {secretName: a, minVersion: TLSv1.1}", "tls.minVersion", "TLSv1.2"),
    "a dashboard as another chart has it": ("grafana: {dashboards: {}}", "grafana", "write dashboards"),
    "a dashboard with a folder": ("dashboards: {folder: a}", "dashboards.folder", "annotations: {grafana_folder"),
    "a price of no GPU": ("dashboards: {gpuHourPrice: 2}", "dashboards.gpuHourPrice", "not allowed"),
    "tokens for anything": (
        "clients: {secretName: keys, jwt: {issuer: https://a, jwksUri: https://a.example.com/keys}}",
        "clients.jwt.audiences",
        "[llm]",
    ),
    "tokens without the issuer's keys": (
        "clients: {jwt: {issuer: https://a, audiences: [llm]}}",
        "clients.jwt.jwks",
        "kubectl get --raw /openid/v1/jwks",
    ),
    "the issuer's keys twice": (
        by_tokens(", jwksUri: https://a.example.com/keys"),
        "clients.jwt.jwks",
        "leave one of the two empty",
    ),
    "tokens of nobody": (
        "clients: {secretName: keys, jwt: {audiences: [llm]}}",
        "clients.jwt.issuer",
        "write what they say in iss",
    ),
    "models for all of a namespace": (
        by_tokens('}, allow: {"system:serviceaccount:lab:*": [llama3]'),
        "clients.allow.system:serviceaccount:lab:*",
        "write a name for each client",
    ),
    "a limit for all of a namespace": (
        by_tokens() + '\nlimits: {byClient: {"system:serviceaccount:lab:*": {requestsPerMinute: 1}}}',
        "limits.byClient.system:serviceaccount:lab:*",
        "write a name for each client",
    ),
    "an asterisk within a subject": (
        by_tokens(', subjects: ["system:serviceaccount:*:chat"]'),
        "clients.jwt.subjects[0]",
        "with an asterisk at its end alone",
    ),
    "a set of no keys": (by_tokens(jwks={"keys": []}), "clients.jwt.jwks", "write all of a key"),
    "keys that are texts": (by_tokens(jwks={"keys": ["x"]}), "clients.jwt.jwks", "write all of a key"),
    "a key of no kind": (by_tokens(jwks=key_without("kty")), "clients.jwt.jwks", "write all of a key"),
    "half of a key": (by_tokens(jwks=key_without("y")), "clients.jwt.jwks", "write all of a key"),
    "half of a key, as text": (
        by_tokens(jwks='{"keys": [{"kty": "RSA", "n": "AQ"}]}'),
        "clients.jwt.jwks",
        "write all of a key",
    ),
    "no set of keys": (
        "clients: {jwt: {issuer: https://a, audiences: [llm], jwks: '-----BEGIN PUBLIC KEY-----'}}",
        "clients.jwt.jwks",
        "write a JWKS",
    ),
    "an issuer's private key": (
        'clients: {jwt: {issuer: https://a, audiences: [llm], jwks: \'{"keys": [{"kty": "RSA", "d": "AQ"}]}\'}}',
        "clients.jwt.jwks",
        "write the public ones alone",
    ),
    "an issuer's keys as YAML reads them": (
        "clients: {jwt: {issuer: https://a, audiences: [llm], jwks: {keys: [{kty: RSA, n: AQ, e: AQAB}]}}}",
        "clients.jwt.jwks",
        "in quotes",
    ),
    "keys by a plain URL": (
        "clients: {jwt: {issuer: https://a, audiences: [llm], jwksUri: http://a/keys}}",
        "clients.jwt.jwksUri",
        "write a URL",
    ),
    "keys by an address": (
        "clients: {jwt: {issuer: https://a, audiences: [llm], jwksUri: 'https://10.0.0.1:6443/openid/v1/jwks'}}",
        "clients.jwt.jwksUri",
        "keys in clients.jwt.jwks",
    ),
    "keys by the API server": (
        "clients: {jwt: {issuer: https://a, audiences: [llm], jwksUri: https://kubernetes.default.svc/openid/v1/jwks}}",
        "clients.jwt.jwksUri",
        "write clients.jwt.jwks",
    ),
    "keys by the API server's whole name": (
        "clients: {jwt: {issuer: https://a, audiences: [llm], "
        "jwksUri: https://kubernetes.default.svc.cluster.local:443/openid/v1/jwks}}",
        "clients.jwt.jwksUri",
        "write clients.jwt.jwks",
    ),
    "an audience": (
        "clients: {jwt: {audience: llm}}",
        "clients.jwt.audience",
        "write audiences: [llm]",
    ),
    "no paths": ("paths: []", "paths", "leave it out"),
    "a path that loads adapters": ("paths: [/v1/load_lora_adapter]", "paths", "take it out"),
    "a path that is any other": ("paths: [/v1/completions, /invocations]", "paths", "take it out"),
    "a path that pauses": ("paths: [/pause]", "paths", "take it out"),
    "a path that takes a form": ("paths: [/v1/audio/transcriptions]", "paths", "take it out"),
    "another path that takes a form": ("paths: [/v1/audio/translations]", "paths", "take it out"),
    "a path of a websocket": ("paths: [/v1/realtime]", "paths", "does not pass on"),
    "a path with a slash at its end": ("paths: [/v1/completions/]", "paths", "write /v1/completions"),
    "a path without a slash": ("paths: [v1/completions]", "paths[0]", "write a path"),
    "a path as an expression": ("paths: ['/v1/.*']", "paths[0]", "write a path"),
    "one port twice": ("metricsPort: 8080", "metricsPort", "write three different ports"),
    "a node port of no Service": ("service: {nodePort: 30080}", "service.nodePort", "write service.type: NodePort"),
    "networks without a load balancer": (
        "service: {loadBalancerSourceRanges: [10.0.0.0/8]}",
        "service.loadBalancerSourceRanges",
        "write service.type: LoadBalancer",
    ),
    "a class without a load balancer": (
        "service: {loadBalancerClass: example.com/internal}",
        "service.loadBalancerClass",
        "write service.type: LoadBalancer",
    ),
    "traffic from outside that there is none of": (
        "service: {externalTrafficPolicy: Local}",
        "service.externalTrafficPolicy",
        "write another service.type",
    ),
    "two families that are one stack": (
        "service: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv4, IPv6]}",
        "service.ipFamilies",
        "PreferDualStack",
    ),
    "a Service's name with a digit first": ("fullnameOverride: 1llm", "fullnameOverride", "begins with a letter"),
    "a rollout that cannot begin": (
        "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}",
        "strategy.rollingUpdate",
        "write maxUnavailable: 1",
    ),
    "a label that selects the pods": (
        "podLabels: {app.kubernetes.io/name: x}",
        "podLabels.app.kubernetes.io/name",
        "write nameOverride",
    ),
    "an image without bash": ("image: {tag: distroless-v1.40.0}", "image.tag", "envoyproxy/envoy:v"),
    "an image without bash, by its name": (
        "image: {repository: mirror/envoy-distroless, tag: v1.40.0}",
        "image.repository",
        "envoyproxy/envoy:v",
    ),
    "less memory than Envoy has": (
        "resources: {requests: {memory: 16Mi}, limits: {memory: 32Mi}}",
        "resources.limits.memory",
        "write 1Gi",
    ),
    "a key of no Secret": (
        "models: {qwen3: {service: a, apiKeySecretRef: {key: api-key}}}",
        "models.qwen3.apiKeySecretRef.name",
        "write the Secret that has it",
    ),
    "both of a budget": (
        "podDisruptionBudget: {minAvailable: 1, maxUnavailable: 1}",
        "podDisruptionBudget",
        "keep one",
    ),
    "a budget that blocks": (
        "{replicaCount: 2, podDisruptionBudget: {minAvailable: 2}}",
        "podDisruptionBudget.minAvailable",
        "2 of 2 replicas blocks every node drain for ever: write less",
    ),
    "a budget that blocks, rounded up": (
        "{replicaCount: 3, podDisruptionBudget: {minAvailable: 80%}}",
        "podDisruptionBudget.minAvailable",
        "80% of 3 replicas",
    ),
    "a budget that blocks the fewest": (
        "{autoscaling: {enabled: true, maxReplicas: 6}, podDisruptionBudget: {minAvailable: 2}}",
        "podDisruptionBudget.minAvailable",
        "2 of 2 replicas",
    ),
    "a budget of none": (
        "podDisruptionBudget: {maxUnavailable: 0}",
        "podDisruptionBudget.maxUnavailable",
        "write 1 or more",
    ),
    "a grace period": (
        "shutdown: {terminationGracePeriodSeconds: 30}",
        "shutdown.terminationGracePeriodSeconds",
        "write shutdown.drainSeconds",
    ),
    "an autoscaler without a bound": ("autoscaling: {enabled: true}", "autoscaling.maxReplicas", "write how many"),
    "bounds that cross": (
        "autoscaling: {enabled: true, minReplicas: 5, maxReplicas: 3}",
        "autoscaling.minReplicas",
        "write at most that",
    ),
    "replicas beside an autoscaler": (
        "{replicaCount: 4, autoscaling: {enabled: true, maxReplicas: 5}}",
        "replicaCount",
        "autoscaling.minReplicas: 4",
    ),
    "an autoscaler of a share of nothing": (
        "{resources: {requests: {cpu: null}}, autoscaling: {enabled: true, maxReplicas: 5}}",
        "resources.requests.cpu",
        "write one, 500m",
    ),
    "KEDA without a Prometheus": (
        "autoscaling: {enabled: true, kind: KEDA, maxReplicas: 5}",
        "autoscaling.prometheus.address",
        "write the URL of the Prometheus",
    ),
    "a Prometheus that nobody asks": (
        "autoscaling: {enabled: true, maxReplicas: 5, prometheus: {address: 'http://a'}}",
        "autoscaling.prometheus",
        "write autoscaling.kind: KEDA",
    ),
    "a password without a mode": (
        "autoscaling: {enabled: true, kind: KEDA, maxReplicas: 5, prometheus: {address: 'http://a', "
        "auth: {secretTargetRef: [{parameter: bearerToken, name: a, key: b}]}}}",
        "autoscaling.prometheus.auth.modes",
        "write [basic]",
    ),
    "no replica": (
        "autoscaling: {enabled: true, kind: KEDA, minReplicas: 0, maxReplicas: 5}",
        "autoscaling.minReplicas",
        "minimum",
    ),
    "connections of none": (
        "autoscaling: {connectionsPerReplica: 0}",
        "autoscaling.connectionsPerReplica",
        "minimum",
    ),
    "the engine's measure": (
        "autoscaling: {requestsPerReplica: 5}",
        "autoscaling.requestsPerReplica",
        "write autoscaling.connectionsPerReplica",
    ),
    "an autoscaler by memory": (
        "autoscaling: {targetMemoryUtilizationPercentage: 80}",
        "autoscaling.targetMemoryUtilizationPercentage",
        "write targetCPUUtilizationPercentage",
    ),
    "monitoring of many charts": ("metrics: {enabled: true}", "metrics", "write serviceMonitor: {enabled: true}"),
    "a port of a monitor": ("serviceMonitor: {port: metrics}", "serviceMonitor.port", "it is metricsPort"),
    "two who scrape": (
        "{serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}",
        "serviceMonitor",
        "keep one of them enabled",
    ),
    "an annotation beside a monitor": (
        '{podMonitor: {enabled: true}, podAnnotations: {prometheus.io/scrape: "true"}}',
        "podAnnotations",
        "leave the annotation out",
    ),
    "a scrape longer than its interval": (
        "serviceMonitor: {enabled: true, interval: 5s}",
        "serviceMonitor.scrapeTimeout",
        "write at most as much",
    ),
    "a job of one's own": (
        "podMonitor: {enabled: true, relabelings: [{targetLabel: job, replacement: a}]}",
        "podMonitor.relabelings",
        "write another targetLabel",
    ),
    "a share in per cent": (
        "prometheusRule: {enabled: true, alerts: {VLLMEndpointErrors: {threshold: 5}}}",
        "prometheusRule.alerts.VLLMEndpointErrors.threshold",
        "write one below 1",
    ),
    "a threshold of an alert without one": (
        "prometheusRule: {alerts: {VLLMEndpointDown: {threshold: 1}}}",
        "prometheusRule.alerts.VLLMEndpointDown.threshold",
        "write for, severity or enabled",
    ),
    "an alert of the other chart": (
        "prometheusRule: {alerts: {VLLMDown: {for: 1m}}}",
        "prometheusRule.alerts.VLLMDown",
        "not allowed",
    ),
    "a label that alerts have": (
        "prometheusRule: {alertLabels: {severity: page}}",
        "prometheusRule.alertLabels.severity",
        "write prometheusRule.alerts.VLLMEndpointDown.severity",
    ),
    "an object of the chart's": (
        "extraObjects: [{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: llm-vllm-endpoint}}]",
        "extraObjects",
        "use another name",
    ),
    "replicas": ("replicas: 2", "replicas", "write replicaCount"),
    "a port of root's": ("containerPort: 80", "containerPort", "minimum"),
}


@pytest.mark.parametrize(("text", "key", "remedy"), REJECTIONS.values(), ids=REJECTIONS.keys())
def test_helm_alone_refuses(text: str, key: str, remedy: str) -> None:
    with pytest.raises(HelmError) as refused:
        render(text)

    assert names(str(refused.value), key), refused.value
    assert remedy in str(refused.value)


@pytest.mark.parametrize("text", [row[0] for row in REJECTIONS.values()], ids=REJECTIONS.keys())
def test_check_refuses_with_a_key(text: str) -> None:
    findings = checks.validate(ENDPOINT.folder, values=LEAST | values_from_yaml(text))

    assert [finding for finding in findings if finding.severity == "error" and finding.where]


@pytest.mark.parametrize(
    ("tag", "warned"),
    [
        ("v1.31.0", True),
        ("contrib-v1.41-latest", True),
        ("1.39.2", True),
        ("", False),
        ("v1.40.2", False),
        ("contrib-v1.40-latest", False),
        ("2026.11.1", False),
        ("stable", False),
    ],
)
def test_another_envoy_than_the_one_that_is_tried_is_told(tag: str, warned: bool) -> None:
    findings = checks.validate(ENDPOINT.folder, values=LEAST | {"image": {"tag": tag}})

    assert [(one.check, one.severity, one.where) for one in findings] == (
        [("envoy-version", "warning", "image.tag")] if warned else []
    )


def test_no_model_is_proposed_where_there_is_none() -> None:
    values = values_from_yaml('{models: {"true": {service: a}}, clients: {secretName: keys, allow: {app: ["true"]}}}')

    assert [finding.where for finding in checks.validate(ENDPOINT.folder, values=values)] == ["models.true"]


def test_a_probe_of_a_port_that_is_another_with_tls_is_told_both() -> None:
    values = LEAST | values_from_yaml("{tls: {secretName: llm-tls}, livenessProbe: {tcpSocket: {port: http}}}")
    [finding] = checks.check(ENDPOINT.folder, values=values, kubernetes=["1.37"]).findings

    assert (finding.check, finding.remedy) == ("probes-reach-a-declared-port", "write https or metrics")


def test_an_issuers_keys_are_a_map_without_a_warning(capfd: pytest.CaptureFixture[str]) -> None:
    """Helm warns of a map where the chart's default is a text."""
    assert render(by_tokens())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("uri", ["https://i.example.com", "https://I.example.com/keys"])
def test_a_url_that_is_none_is_told_once(uri: str) -> None:
    text = f"clients: {{jwt: {{issuer: https://a, audiences: [llm], jwksUri: {uri!r}}}}}"
    findings = checks.validate(ENDPOINT.folder, values=LEAST | values_from_yaml(text))

    assert [finding.where for finding in findings] == ["clients.jwt.jwksUri"]


def many(models: int, aliases: int = 0) -> dict[str, Any]:
    names = {f"org/a-model-of-some-name-{number}": number for number in range(models)}
    extra = {name: [f"{name}-alias-{other}" for other in range(aliases)] for name in names}
    return LEAST | {"models": {name: {"service": "a", "aliases": extra[name]} for name in names}}


def clients_with(models: list[list[str]]) -> dict[str, Any]:
    allow = {f"system:serviceaccount:apps:client-{number}": list_ for number, list_ in enumerate(models)}
    return {"clients": {"secretName": "keys", "allow": allow}}


def limited(count: int, key: str = "requestsPerMinute") -> dict[str, Any]:
    return {"byClient": {f"client-{number}": {key: 60} for number in range(count)}}


def pairs(names: Iterable[str], count: int) -> list[list[str]]:
    return [list(pair) for pair in islice(combinations(names, 2), count)]


SERVICE = {"rateLimitService": {"service": "ratelimit"}}
TWENTY, NINETY = many(20), many(90)


@pytest.mark.parametrize(
    ("fits", "too_much", "refusal"),
    [
        (many(400), many(600), "models: 600 of them with 600 names"),
        (many(90, aliases=5), many(90, aliases=40), "models: 90 of them with 3690 names"),
        (
            TWENTY | clients_with([[*TWENTY["models"]]] * 2000),
            NINETY | clients_with(pairs(NINETY["models"], 2000)),
            "clients.allow: 2000 different lists of models",
        ),
        (LEAST | {"limits": limited(2000)}, LEAST | {"limits": limited(8000)}, "limits.byClient: 8000 clients are"),
        (
            LEAST | {"limits": limited(2000, "tokensPerMinute") | SERVICE},
            LEAST | {"limits": limited(8000, "tokensPerMinute") | SERVICE},
            "bytes for the rate-limit service",
        ),
    ],
    ids=("models", "aliases", "lists", "limits", "limits-of-the-service"),
)
def test_what_a_config_map_does_not_hold_is_refused(
    fits: dict[str, Any], too_much: dict[str, Any], refusal: str
) -> None:
    rendered = helm.render(chart=ENDPOINT.folder, values=fits)
    for one in rendered.all("ConfigMap"):
        assert sum(len(text) for text in one["data"].values()) < 2**20
    with pytest.raises(HelmError, match=refusal):
        helm.render(chart=ENDPOINT.folder, values=too_much)


ACCEPTED = (
    "models: {a: {service: a}, b: null}",
    "models: {a: {service: a, port: null, aliases: null, adapters: null, namespace: null}}",
    "clients: {secretName: keys, allow: {app: null, other: []}}",
    "replicaCount: null",
    "{replicaCount: null, autoscaling: {enabled: true, maxReplicas: 5}}",
    "{resources: {limits: {cpu: 1}, requests: {cpu: null}}, autoscaling: {enabled: true, maxReplicas: 5}}",
    "{resources: {requests: {cpu: null}}, autoscaling: "
    "{enabled: true, kind: KEDA, maxReplicas: 5, prometheus: {address: 'http://a'}}}",
    f"clients: {{secretName: '', jwt: {{issuer: https://a, audiences: [llm], jwks: {json.dumps(JWKS)!r}}}}}",
    f"clients: {{secretName: keys, jwt: {{issuer: https://a, audiences: [a, b], jwks: {json.dumps(JWKS)}}}}}",
    "clients: {jwt: {issuer: https://a, audiences: [llm], jwksUri: 'https://a.example.com:8443/keys'}}",
    "clients: {jwt: {issuer: https://a, audiences: [llm], jwksUri: https://a.b/k, subjects: ['a.b:*', 'c|\"d%', '*']}}",
    by_tokens(jwks={"keys": [{"kty": "RSA", "n": "AQ"}, *JWKS["keys"]]}),
    by_tokens(jwks=key_without("crv")),
    "clients: {jwt: {issuer: https://a, audiences: [llm], jwksUri: https://kubernetes.example.com/keys}}",
    "clients: {jwt: {issuer: https://a, audiences: [llm], jwksUri: https://1.example.com:8443/keys}}",
    by_tokens(jwks={"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}),
    "clients: {secretName: keys, allow: {'team*': [llama3]}}",
    "tls: {secretName: llm-tls}",
    "models: {a: {service: a, tls: {caSecretName: a-tls, serverName: a-vllm.models.svc}}}",
    "models: {a: {service: a, tls: {caConfigMapName: trusted, caKey: ca.pem, caSecretName: ''}}}",
    "models: {a: {service: a, tls: {}}}",
    "{tls: {secretName: llm-tls, minVersion: TLSv1.3}, service: {port: 443}}",
    "limits: {default: {requestsPerMinute: 60}, byClient: {batch: {}, 'app*': {requestsPerMinute: 1}, other: null}}",
    "limits: {default: {tokensPerMinute: 1000}, rateLimitService: {service: ratelimit}}",
    "limits: {byClient: {app: {tokensPerMinute: 1000}}, rateLimitService: {service: ratelimit, namespace: limits}}",
    "limits: {rateLimitService: {service: ratelimit}}",
    "service: {ipFamilies: [IPv6]}",
    "service: {ipFamilyPolicy: null}",
    "service: {type: NodePort, nodePort: 30080, externalTrafficPolicy: Local}",
    "service: {type: LoadBalancer, loadBalancerClass: a.com/b, ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]}",
    "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}",
    "resources: {requests: {memory: 64Mi}, limits: {memory: 128Mi}}",
    "image: {repository: mirror.example.com/envoy, tag: contrib-v1.40.0}",
    "models: {a: {service: a, apiKeySecretRef: {name: '', key: api-key}}}",
    "networkPolicy: {ingress: {metricsFrom: []}}",
    "{podMonitor: {enabled: true}, networkPolicy: {ingress: {metricsFrom: [], extra: [{from: [{podSelector: {}}]}]}}}",
    "{podMonitor: {enabled: true}, networkPolicy: {enabled: false, ingress: {metricsFrom: []}}}",
    "paths: [/v1/audio/speech]",
    "resources: {}",
    "{readinessProbe: null, livenessProbe: {tcpSocket: {port: metrics}}}",
)


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_is_right_is_taken(text: str, tmp_path: Path) -> None:
    values = LEAST | values_from_yaml(text)

    assert [str(one) for one in checks.check(ENDPOINT.folder, values=values, kubernetes=["1.37"]).findings] == []
    assert envoy.validate(tmp_path, values) == ""


# The pod


def test_no_key_is_in_what_is_rendered() -> None:
    """Secrets are mounted as files: no variable, argument or ConfigMap holds what is in them."""
    manifests = helm.render(chart=ENDPOINT.folder, values_files=[EVERYTHING])
    pod = manifests.one("Deployment")["spec"]["template"]["spec"]

    assert "env" not in pod["containers"][0]
    assert {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume} == {
        "llm-ca",
        "llm-clients",
        "llm-key",
        "llm-tls",
    }
    assert not manifests.all("Secret")


def test_a_change_of_the_configuration_rolls_the_pods_and_one_of_replicas_does_not() -> None:
    def template(text: str) -> Any:
        return render(text).one("Deployment")["spec"]["template"]

    assert template("maxBodyBytes: 2048") != template("")
    assert template("replicaCount: 5") == template("")


def test_a_deployment_that_is_recreated_rolls_nothing() -> None:
    """Kubernetes takes no rollingUpdate beside it, and the default has one."""
    spec = render("strategy: {type: Recreate}").one("Deployment")["spec"]

    assert spec["strategy"] == {"type": "Recreate"}


def test_the_grace_period_holds_the_hook() -> None:
    pod = render("shutdown: {propagationSeconds: 7, drainSeconds: 100}").one("Deployment")["spec"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] == 117
    assert pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-3:] == ["9901", "7", "100"]


# TLS


def test_a_certificate_is_mounted_whole() -> None:
    """As the kubelet renews it: a file that is mounted by its name would stay what it was."""
    manifests = render("{tls: {secretName: llm-tls}, service: {port: 443}}")
    pod = manifests.one("Deployment")["spec"]["template"]["spec"]
    [mounted] = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "tls"]
    [port] = manifests.one("Service")["spec"]["ports"]

    assert mounted == {"name": "tls", "mountPath": "/etc/vllm-endpoint/tls", "readOnly": True}
    assert (port["name"], port["port"], port["targetPort"]) == ("https", 443, "https")
    assert pod["containers"][0]["ports"][0]["name"] == "https"
    assert "https://llm-vllm-endpoint.default.svc.cluster.local:443/v1" in manifests.notes
    assert pod["containers"][0]["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "metrics"}


def test_an_engines_authority_is_mounted_once_and_nothing_else_of_its_secret() -> None:
    tls = "tls: {caSecretName: engines-tls, serverName: a.b.svc}"
    manifests = render(f"models: {{a: {{service: a, {tls}}}, b: {{service: b, {tls}}}, c: {{service: c}}}}")
    pod = manifests.one("Deployment")["spec"]["template"]["spec"]
    [volume] = [one for one in pod["volumes"] if one["name"].startswith("ca-")]
    [mount] = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == volume["name"]]
    clusters = yaml.safe_load(manifests.one("ConfigMap")["data"]["envoy.yaml"])["static_resources"]["clusters"]

    assert volume["secret"] == {"secretName": "engines-tls", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    assert mount == {"name": "ca-0", "mountPath": "/etc/vllm-endpoint/engine-authorities/ca-0", "readOnly": True}
    assert ["transport_socket" in one for one in clusters if one["name"].startswith("model-")] == [True, True, False]


# Limits


def test_limits_are_written_for_the_service_that_counts_them() -> None:
    text = """
    limits:
      default: {requestsPerMinute: 60}
      byClient: {batch: {tokensPerMinute: 1000000}, 'odd "%$': {}, gone: null}
      rateLimitService: {service: ratelimit}
    """
    [document] = [one["data"]["limits.yaml"] for one in render(text).all("ConfigMap") if "limits.yaml" in one["data"]]
    limits = yaml.safe_load(document)

    assert limits["domain"] == "default.llm-vllm-endpoint"
    assert limits["descriptors"] == [
        {"key": "requests", "value": "batch", "rate_limit": {"unlimited": True}},
        {"key": "requests", "value": 'odd "%$', "rate_limit": {"unlimited": True}},
        {"key": "requests", "rate_limit": {"unit": "minute", "requests_per_unit": 60}},
        {"key": "tokens", "value": "batch", "rate_limit": {"unit": "minute", "requests_per_unit": 1000000}},
        {"key": "tokens", "value": 'odd "%$', "rate_limit": {"unlimited": True}},
        {"key": "tokens", "rate_limit": {"unlimited": True}},
    ]


def test_without_limits_nothing_counts() -> None:
    manifests = render("limits: {byClient: {app: {}}}")

    assert [one["metadata"]["name"] for one in manifests.all("ConfigMap")] == ["llm-vllm-endpoint-envoy"]
    assert "ratelimit" not in manifests.one("ConfigMap")["data"]["envoy.yaml"]


TOKENS = {"issuer": "https://a.example.com", "audiences": ["llm"], "jwksUri": "https://a.example.com/keys"}


@pytest.mark.parametrize(
    ("clients", "said", "unsaid"),
    [
        ({"secretName": "keys"}, ["its key as OpenAI's", "Bearer KEY,", "Bearer $API_KEY"], ["token", "TOKEN"]),
        ({"jwt": TOKENS}, ["its token as OpenAI's", "Bearer TOKEN,", "Bearer $TOKEN", "for llm is taken."], ["KEY"]),
        ({"secretName": "keys", "jwt": TOKENS}, ["Bearer KEY,", "for llm is taken as well."], ["TOKEN"]),
    ],
)
def test_the_notes_say_what_a_client_shows(clients: dict[str, Any], said: list[str], unsaid: list[str]) -> None:
    notes = helm.render(chart=ENDPOINT.folder, values=LEAST | {"clients": clients}).notes
    assert [one for one in said if one not in notes] == []
    assert [one for one in unsaid if one in notes] == []


@pytest.mark.parametrize(
    ("models", "said"), [(["a"], "\n1 model is served at one"), (["a", "b"], "\n2 models are served")]
)
def test_the_notes_count_the_models(models: list[str], said: str) -> None:
    values = LEAST | {"models": {name: {"service": name} for name in models}}
    assert said in helm.render(chart=ENDPOINT.folder, values=values).notes


@pytest.mark.parametrize(("text", "said"), [("replicaCount: 2", True), ("replicaCount: 1", False)])
def test_the_notes_say_that_each_replica_counts(text: str, said: bool) -> None:
    limits = "limits: {default: {requestsPerMinute: 60}}"
    assert ("counts requests for itself" in render(f"{{{text}, {limits}}}").notes) == said


def test_an_autoscaler_counts_the_replicas_alone() -> None:
    manifests = render("autoscaling: {enabled: true, maxReplicas: 6, targetCPUUtilizationPercentage: 60}")
    spec = manifests.one("HorizontalPodAutoscaler")["spec"]
    deployment = manifests.one("Deployment")

    assert "replicas" not in deployment["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment.name}
    assert (spec["minReplicas"], spec["maxReplicas"], "behavior" in spec) == (2, 6, False)
    assert spec["metrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
    ]
    assert not render().maybe("HorizontalPodAutoscaler")


KEDA = "autoscaling: {enabled: true, kind: KEDA, maxReplicas: 6, prometheus: {address: 'http://prometheus:9090'}, %s}"


def test_keda_counts_the_connections_of_this_endpoint_alone() -> None:
    manifests = render(KEDA % "connectionsPerReplica: 200", release="llm", namespace="models")
    spec = manifests.one("ScaledObject")["spec"]
    deployment = manifests.one("Deployment")

    assert "replicas" not in deployment["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment.name}
    assert (spec["minReplicaCount"], spec["maxReplicaCount"], "advanced" in spec) == (2, 6, False)
    [trigger] = spec["triggers"]
    scope = 'namespace="models",job="models/llm-vllm-endpoint"'
    assert trigger["metadata"] == {
        "serverAddress": "http://prometheus:9090",
        "query": f'sum(envoy_http_downstream_cx_active{{{scope},envoy_http_conn_manager_prefix="api"}})',
        "threshold": "200",
        "ignoreNullValues": "false",
    }
    assert trigger["metricType"] == "AverageValue"
    assert not manifests.maybe("HorizontalPodAutoscaler")


def test_a_lost_prometheus_scales_nothing_down() -> None:
    """Neither by nulls that are taken for 0, nor by a fallback to less, nor by a query that makes a 0 of nothing."""
    spec = render(KEDA % "minReplicas: 3").one("ScaledObject")["spec"]

    assert spec["fallback"] == {"failureThreshold": 3, "replicas": 3, "behavior": "currentReplicasIfHigher"}
    assert all(trigger["metadata"]["ignoreNullValues"] == "false" for trigger in spec["triggers"])
    assert not any("vector(" in trigger["metadata"]["query"] for trigger in spec["triggers"])


def test_keda_shows_prometheus_what_a_secret_holds() -> None:
    auth = "auth: {modes: [bearer], secretTargetRef: [{parameter: bearerToken, name: a, key: b}]}"
    manifests = render((KEDA % "scaleDown: {stabilizationWindowSeconds: 60}").replace("9090'", f"9090', {auth}"))
    spec = manifests.one("ScaledObject")["spec"]
    authentication = manifests.one("TriggerAuthentication")

    assert spec["triggers"][0]["authenticationRef"] == {"name": authentication.name}
    assert authentication["spec"] == {"secretTargetRef": [{"parameter": "bearerToken", "name": "a", "key": "b"}]}
    assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == {
        "scaleDown": {"stabilizationWindowSeconds": 60}
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"query": "sum(', '"query": "(', "write query: sum("),
        ('job=\\"default', 'job=\\"other', "may be of other releases"),
        ('"ignoreNullValues": "false"', '"ignoreNullValues": "true"', "no answer counts as 0"),
    ],
)
def test_a_scaler_of_the_endpoint_that_would_harm_is_found(old: str, new: str, said: str) -> None:
    manifests = render(KEDA % "")
    [scaler] = manifests.all("ScaledObject")
    harmed = Object(json.loads(json.dumps(scaler).replace(old, new)), scaler.source)
    others = [one for one in manifests if one is not scaler]

    assert harmed != scaler
    assert invariants.check(manifests) == []
    assert said in str(invariants.check(Manifests([*others, harmed])))


def test_a_budget_that_an_autoscaler_of_the_users_can_not_meet_is_found() -> None:
    values = LEAST | values_from_yaml(
        "{replicaCount: null, podDisruptionBudget: {minAvailable: 2}, extraObjects: [{apiVersion: autoscaling/v2, "
        "kind: HorizontalPodAutoscaler, metadata: {name: mine}, spec: {minReplicas: 2, maxReplicas: 6, "
        "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: llm-vllm-endpoint}}}]}"
    )

    assert [finding.check for finding in checks.check(ENDPOINT.folder, values=values).findings] == ["drains-can-go-on"]


@pytest.mark.parametrize(("spread", "waiting"), [("true", ["turn", "burst"]), ("false", [])])
def test_what_is_over_a_limit_takes_no_turn(spread: str, waiting: list[str]) -> None:
    more = f"{{prefixAffinity: {{spreadBursts: {spread}}}, limits: {{rateLimitService: {{service: ratelimit}}}}}}"
    configured = yaml.safe_load(envoy.config(LEAST | values_from_yaml(more)))
    [listener] = [one for one in configured["static_resources"]["listeners"] if one["name"] == "api"]
    filters = [one["name"] for one in listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]]

    assert filters[filters.index("prefix") :] == ["prefix", "limits", *waiting, "router"]
