"""Who scrapes the engines: what is refused, and keys of other charts."""

from tests.render.rejections.rows import UNKNOWN, Row

TLS = """
engine: {args: {ssl-certfile: /tls/c, ssl-keyfile: /tls/k%s}}
volumes: [{name: tls, secret: {secretName: tls}}]
volumeMounts: [{name: tls, mountPath: /tls}]
"""
PROXY = """
engine: {args: {host: 127.0.0.1}}
service: {targetPort: proxied}
extraContainers: [{name: proxy, image: "a/b:1", ports: [{name: proxied, containerPort: 4180}]}]
startupProbe: {httpGet: {path: /health, port: proxied}}
readinessProbe: {httpGet: {path: /health, port: proxied}}
livenessProbe: {httpGet: {path: /health, port: proxied}}
"""


def on(more: str = "", kind: str = "serviceMonitor") -> str:
    """A monitor with more keys."""
    return f"{kind}: {{enabled: true, {more}}}"


ROWS: list[Row] = [
    (
        "monitoring, of many charts",
        "monitoring: {enabled: true}",
        "monitoring",
        "write serviceMonitor: {enabled: true}",
    ),
    (
        "metrics, of Bitnami's charts",
        "metrics: {enabled: true, serviceMonitor: {enabled: true}}",
        "metrics",
        "write serviceMonitor: {enabled: true}",
    ),
    (
        "prometheus, of cert-manager's chart",
        "prometheus: {enabled: true, servicemonitor: {enabled: true}}",
        "prometheus",
        "write serviceMonitor: {enabled: true}",
    ),
    (
        "the monitor of production-stack's chart",
        "servingEngineSpec: {serviceMonitor: {enabled: true}}",
        "servingEngineSpec",
        "at the top level",
    ),
    ("monitor in small letters", "servicemonitor: {enabled: true}", "servicemonitor", "write serviceMonitor"),
    ("pod monitor in small letters", "podmonitor: {enabled: true}", "podmonitor", "write podMonitor"),
    (
        "annotations, of many charts",
        "prometheusAnnotations: {enabled: true}",
        "prometheusAnnotations",
        "write scrapeAnnotations",
    ),
    ("monitor that is created", "serviceMonitor: {create: true}", "serviceMonitor.create", "write enabled"),
    (
        "labels, as kube-prometheus-stack's charts have them",
        on("additionalLabels: {release: prometheus}"),
        "serviceMonitor.additionalLabels",
        "write labels",
    ),
    (
        "labels, as Bitnami's charts had them",
        on("selector: {release: prometheus}", "podMonitor"),
        "podMonitor.selector",
        "write labels",
    ),
    ("relabelings, as Prometheus has them", on("relabelConfigs: []"), "serviceMonitor.relabelConfigs", "relabelings"),
    (
        "relabelings of samples, as Prometheus has them",
        on("metricRelabelConfigs: []"),
        "serviceMonitor.metricRelabelConfigs",
        "write metricRelabelings",
    ),
    ("path", on("path: /metrics"), "serviceMonitor.path", "leave it out: it is /metrics"),
    ("label for the job", on("jobLabel: team"), "serviceMonitor.jobLabel", "leave it out: job is"),
    (
        "labels of the pods",
        on("podTargetLabels: [team]"),
        "serviceMonitor.podTargetLabels",
        "write relabelings: [{sourceLabels: [__meta_kubernetes_pod_label_",
    ),
    (
        "token of a Secret",
        on("bearerTokenSecret: {name: a, key: b}"),
        "serviceMonitor.bearerTokenSecret",
        "write authorization.credentials",
    ),
    ("port's number", on("targetPort: 8000"), "serviceMonitor.targetPort", "write port"),
    ("interval without a unit", on('interval: "30"'), "serviceMonitor.interval", "write a duration"),
    ("interval as a number", on("interval: 30"), "serviceMonitor.interval", "got number, want string"),
    ("scheme in capitals", on("scheme: HTTPS"), "serviceMonitor.scheme", "must be one of"),
    ("limit in words", on("sampleLimit: none"), "serviceMonitor.sampleLimit", "write a whole number"),
    (
        "native histograms alone",
        on('convertClassicHistogramsToNHCB: "yes"'),
        "serviceMonitor.convertClassicHistogramsToNHCB",
        "write convertClassicHistogramsToNHCB: false",
    ),
    ("a key of the pods' annotations", "scrapeAnnotations: {interval: 5s}", "scrapeAnnotations.interval", UNKNOWN),
    (
        "a relabeling's label in small letters",
        on("relabelings: [{targetlabel: a}]"),
        "serviceMonitor.relabelings[0].targetlabel",
        UNKNOWN,
    ),
    (
        "a relabeling that does nothing",
        on("metricRelabelings: [{action: remove}]", "podMonitor"),
        "podMonitor.metricRelabelings[0].action",
        "must be one of",
    ),
    (
        "a certificate's Secret by its name alone",
        on("tlsConfig: {ca: {secretName: a}}"),
        "serviceMonitor.tlsConfig.ca.secretName",
        UNKNOWN,
    ),
    (
        "both monitors",
        "{serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}",
        "serviceMonitor",
        "keep one of them enabled",
    ),
    (
        "a monitor and annotations",
        "{podMonitor: {enabled: true}, scrapeAnnotations: {enabled: true}}",
        "podMonitor",
        "keep one of them enabled",
    ),
    (
        "a monitor and annotations of one's own",
        on() + '\npodAnnotations: {prometheus.io/scrape: "true"}',
        "podAnnotations",
        "leave the annotation out",
    ),
    (
        "annotations of pods and Service",
        'scrapeAnnotations: {enabled: true}\nservice: {annotations: {prometheus.io/scrape: "true"}}',
        "service.annotations",
        "leave the annotation out",
    ),
    (
        "a timeout longer than the interval",
        on("interval: 5s"),
        "serviceMonitor.scrapeTimeout",
        "write at most as much",
    ),
    (
        "a timeout a little longer than the interval",
        on("interval: 1m, scrapeTimeout: 1m500ms"),
        "serviceMonitor.scrapeTimeout",
        "write at most as much",
    ),
    (
        "a job of one's own",
        on("relabelings: [{targetLabel: job, replacement: vllm}]"),
        "serviceMonitor.relabelings",
        "write another targetLabel",
    ),
    (
        "a certificate that nobody checks",
        TLS % "" + on(),
        "serviceMonitor.tlsConfig",
        "write ca: {secret: {name, key}}",
    ),
    (
        "an engine that asks for a certificate",
        TLS % ", ssl-cert-reqs: 2" + on("tlsConfig: {ca: {secret: {name: a, key: b}}}", "podMonitor"),
        "podMonitor.tlsConfig",
        "write cert: {secret: {name, key}} and keySecret",
    ),
    (
        "a check of no certificate",
        on("tlsConfig: {insecureSkipVerify: true}"),
        "serviceMonitor.tlsConfig",
        "write serviceMonitor.scheme: https",
    ),
    ("a port of no container", on("port: metrics"), "serviceMonitor.port", "write http"),
    ("an engine that only its proxy reaches", PROXY + on(), "serviceMonitor.port", "write the port of a container"),
    (
        "annotations for ranks that listen side by side",
        """
scrapeAnnotations: {enabled: true}
parallelism: {dataParallelSize: 2}
engine: {args: {data-parallel-multi-port-external-lb: true, data-parallel-size-local: 2}}
gpu: {count: 2}
""",
        "scrapeAnnotations",
        "write serviceMonitor.enabled: true",
    ),
    (
        "an engine that counts nothing",
        on("", "podMonitor") + "\nengine: {args: {disable-log-stats: true}}",
        "engine.args.disable-log-stats",
        "leave it out",
    ),
    (
        "the monitor among the extra objects",
        on()
        + """
extraObjects: [{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: llm-vllm}, spec: {}}]
""",
        "extraObjects",
        "use another name",
    ),
    (
        "the rules among the extra objects",
        """
prometheusRule: {enabled: true, namespace: monitoring}
extraObjects:
  - apiVersion: monitoring.coreos.com/v1
    kind: PrometheusRule
    metadata: {name: llm-vllm, namespace: monitoring}
    spec: {}
""",
        "extraObjects",
        "use another name",
    ),
]
