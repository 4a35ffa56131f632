"""What the notes say of a release is so: nothing of what it does not do, or does otherwise."""

import pytest
from helm_python import values_from_yaml

from vllm_chart.helm import render

DOWNLOADED = "Weights are downloaded again by every new pod"
COMPILED = "Kernels and graphs are compiled again by every new pod"
MOUNTED = (
    "model: {id: /mnt}, volumes: [{name: m, persistentVolumeClaim: {claimName: m}}], "
    "volumeMounts: [{name: m, mountPath: /mnt}]"
)
TLS = (
    "engine: {args: {ssl-certfile: /certs/tls.crt, ssl-keyfile: /certs/tls.key%s}}, "
    "volumes: [{name: certs, secret: {secretName: vllm-tls}}], volumeMounts: [{name: certs, mountPath: /certs}]"
)
SCRIPT = "image: {repository: a.example.com/b, tag: v1}, engine: {passArguments: false}"
HELD = (
    "autoscaling: {enabled: %s, kind: KEDA, maxReplicas: 2, prometheus: {address: 'http://prometheus:9090'}, "
    "wakeUp: {httpAddon: {enabled: true, hosts: [llm.example.com]}}}"
)
NARROWED = "networkPolicy: {ingress: {from: [{podSelector: {}}]}}"

#: Values, what the notes say, and what they don't.
ROWS: list[tuple[str, str, str, str]] = [
    ("from the Hub", "{}", f"{DOWNLOADED}: persistence.enabled keeps them", COMPILED),
    ("from the Hub, kept", "persistence: {enabled: true}", "The claim llm-vllm-cache stays", DOWNLOADED),
    (
        "from the Hub, kept by each pod",
        "persistence: {enabled: true, ephemeral: true}",
        "its claim goes with it",
        "stays",
    ),
    ("mounted", f"{{{MOUNTED}}}", COMPILED, DOWNLOADED),
    (
        "from a bucket",
        "model: {id: 's3://a/b', servedModelName: [b]}",
        COMPILED,
        DOWNLOADED,
    ),
    ("a script's own", f"{{{SCRIPT}}}", "gets none of the chart's arguments", DOWNLOADED),
    ("counted", "replicaCount: 2", "org/name is on its way: 2 x 1 nvidia.com/gpu.", "With one replica"),
    ("counted by somebody else", "replicaCount: null", "each pod with 1 nvidia.com/gpu.", "With one replica"),
    ("HTTP", "{}", "curl http://localhost:8080/v1/models", "-k"),
    ("HTTPS, for another name", f"{{{TLS % ''}}}", "curl -k https://localhost:8080/v1/models", "curl http:"),
    ("certificates read once", f"{{{TLS % ''}}}", "no change of them restarts a pod: Secret vllm-tls.", "refresh"),
    ("certificates taken anew", f"{{{TLS % ', enable-ssl-refresh: true'}}}", "is on its way", "Secret vllm-tls"),
    ("an old vLLM", "image: {tag: v0.8.5}", "vLLM 0.8.5 (image.tag) does not wait for its requests", "passArguments"),
    ("scraped", "serviceMonitor: {enabled: true}", "Whether a Prometheus picks the monitor up", "Nothing here has"),
    (
        "not scraped",
        "prometheusRule: {enabled: true}",
        'job="default/llm-vllm": prometheusRule.',
        "picks the monitor up",
    ),
    ("of no interest", "{}", "is on its way", "scraped"),
    ("a new one", "image: {tag: v0.33.0}", "is on its way", "does not wait for its requests"),
    (
        "with adapters",
        "lora: {adapters: [{name: sql, source: acme/sql}, {name: law, source: acme/law}]}",
        "Its adapters, which clients write in the place of the model: sql, law.\n",
        "without a restart",
    ),
    (
        "with adapters that are reloaded",
        "lora: {reload: true, maxLoras: 2, adapters: [{name: sql, source: acme/sql}]}",
        "of the model: sql.\nA change of lora.adapters reaches its pods within two minutes, without a restart.",
        "null",
    ),
    ("without adapters", "{}", "model: org/name", "adapters"),
    (
        "KEDA's interceptor shut out",
        f"{{{HELD % 'true'}, {NARROWED}}}",
        "autoscaling.wakeUp.httpAddon would lead nowhere without",
        "by plain HTTP",
    ),
    (
        "KEDA's interceptor before TLS",
        f"{{{HELD % 'true'}, tls: {{secretName: llm-tls}}}}",
        "what is in front of it (autoscaling.wakeUp.httpAddon) asks by plain HTTP",
        "lead nowhere",
    ),
    (
        "an interceptor that is not asked",
        f"{{{HELD % 'false'}, tls: {{secretName: llm-tls}}, {NARROWED}}}",
        "is on its way",
        "httpAddon",
    ),
    ("keys of a list", "auth: {apiKeySecretRefs: [{name: a, key: b}]}", "The API key guards /v1 only", "null"),
]


@pytest.mark.parametrize(("text", "said", "unsaid"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_notes(text: str, said: str, unsaid: str) -> None:
    notes = render(values={"model": {"id": "org/name"}} | values_from_yaml(text)).notes
    assert said in notes
    assert unsaid not in notes
