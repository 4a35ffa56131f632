"""The way in from outside: what is refused."""

from tests.render.rejections.rows import MISSING, UNKNOWN, Row


def route(text: str) -> str:
    return f"httpRoute: {{enabled: true, parentRefs: [{{name: inference}}], {text}}}"


def ingress(text: str) -> str:
    return f"ingress: {{enabled: true, hosts: [llm.example.com], {text}}}"


def pool(text: str) -> str:
    return f"inferencePool: {{enabled: true, {text}}}"


ROWS: list[Row] = [
    ("a route without a Gateway", "httpRoute: {enabled: true}", "httpRoute.parentRefs", "write [{name, namespace}]"),
    (
        "a Gateway without its name",
        "httpRoute: {enabled: true, parentRefs: [{namespace: gateways}]}",
        "httpRoute.parentRefs[0].name",
        MISSING,
    ),
    (
        "a Gateway's name for a Gateway",
        "httpRoute: {enabled: true, parentRefs: [inference]}",
        "httpRoute.parentRefs[0]",
        "got string, want",
    ),
    (
        "a Gateway's listener by another key",
        "httpRoute: {enabled: true, parentRefs: [{name: inference, listener: https}]}",
        "httpRoute.parentRefs[0].listener",
        "write sectionName",
    ),
    (
        "a namespace that is empty, which the API server refuses",
        'httpRoute: {enabled: true, parentRefs: [{name: inference, namespace: ""}]}',
        "httpRoute.parentRefs[0].namespace",
        "write a name",
    ),
    ("a URL for a host", route("hostnames: ['https://a.example.com']"), "httpRoute.hostnames[0]", "without scheme"),
    ("a host with its port", ingress("hosts: ['a.example.com:443']"), "ingress.hosts[0]", "without scheme, port"),
    ("a host twice", ingress("hosts: [a.example.com, a.example.com]"), "ingress.hosts", "items at 0 and 1 are equal"),
    ("an address for a host", "ingress: {enabled: true, hosts: [10.0.0.1]}", "ingress.hosts", "write a name"),
    ("an address for a route's host", route("hostnames: [10.0.0.1]"), "httpRoute.hostnames", "write a name"),
    (
        "a Gateway twice",
        "httpRoute: {enabled: true, parentRefs: [{name: inference}, {name: inference}]}",
        "httpRoute.parentRefs",
        "items at 0 and 1 are equal",
    ),
    ("a header with a blank", route("modelHeader: X Model"), "httpRoute.modelHeader", "write the name of a header"),
    ("no path", route("paths: []"), "httpRoute.paths", "leave it out for the usual ones"),
    ("no path of an Ingress", ingress("paths: []"), "ingress.paths", "leave it out for the usual ones"),
    ("a path that is a prefix of all", route("paths: [/]"), "httpRoute.paths[0]", "write a path"),
    ("a path that changes an engine", route("paths: [/v1/load_lora_adapter]"), "httpRoute.paths", "take it out"),
    ("a path that tells of an engine", ingress("paths: [/metrics]"), "ingress.paths", "take it out"),
    (
        "a model that is a path",
        "{model: {id: /models/a}, volumes: [{name: a, hostPath: {path: /a}}], volumeMounts: [{name: a, mountPath: "
        f"/models}}], {route('')}}}",
        "model.servedModelName",
        "write the name that clients have",
    ),
    ("rules of one's own", route("rules: []"), "httpRoute.rules", "they follow from paths"),
    ("a limit for an answer", route("timeouts: {request: 60s}"), "httpRoute.timeouts", "would cut streams"),
    ("an Ingress of every host", "ingress: {enabled: true}", "ingress.hosts", "write the names that clients ask for"),
    ("hosts as helm create has them", ingress("hosts: [{host: a.example.com}]"), "ingress.hosts[0]", "want string"),
    ("a class by the API's name", ingress("ingressClassName: nginx"), "ingress.ingressClassName", "write className"),
    ("a misspelt certificate", ingress("tls: [{secret: a}]"), "ingress.tls[0].secret", UNKNOWN),
    (
        "a pool without a picker",
        "inferencePool: {enabled: true}",
        "inferencePool.endpointPickerRef.name",
        "write the Service of the endpoint picker",
    ),
    (
        "a picker by the name of v1alpha2",
        pool("extensionRef: {name: picker}"),
        "inferencePool.extensionRef",
        "write endpointPickerRef",
    ),
    (
        "a failure mode in small letters",
        pool("endpointPickerRef: {name: picker, failureMode: failOpen}"),
        "inferencePool.endpointPickerRef.failureMode",
        "must be one of",
    ),
    (
        "labels of one's own, by which two releases could share a pool",
        pool("endpointPickerRef: {name: picker}, selector: {matchLabels: {app: a}}"),
        "inferencePool.selector",
        "it selects the pods of this release",
    ),
    (
        "ranks that are more than a pool has ports",
        "{gpu: {count: 16}, parallelism: {dataParallelSize: 16}, engine: {args: "
        "{data-parallel-multi-port-external-lb: true, data-parallel-size-local: 16}}, "
        f"{pool('endpointPickerRef: {name: picker}')}}}",
        "inferencePool",
        "a pool has 8 ports at most",
    ),
    (
        "another Ingress of the release's name",
        "{ingress: {enabled: true, hosts: [a.example.com]}, extraObjects: [{apiVersion: networking.k8s.io/v1, kind: "
        "Ingress, metadata: {name: llm-vllm}}]}",
        "extraObjects",
        "use another name",
    ),
    ("another chart's key for a route", "gateway: {enabled: true}", "gateway", "write httpRoute"),
]
