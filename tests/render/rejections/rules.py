"""Recording rules, alerts and what is promised to callers: what is refused."""

from tests.render.rejections.rows import MISSING, UNKNOWN, Row


def on(more: str) -> str:
    return f"{{prometheusRule: {{enabled: true}}, {more}}}"


BUCKETS = "engine.args.custom-histogram-buckets"
ROWS: list[Row] = [
    (
        "rules of another chart",
        "prometheusRule: {rules: [{alert: A, expr: up}]}",
        "prometheusRule.rules",
        "extraObjects",
    ),
    ("groups", "prometheusRule: {groups: []}", "prometheusRule.groups", "write a PrometheusRule of your own"),
    (
        "labels of the rules",
        "prometheusRule: {additionalLabels: {a: b}}",
        "prometheusRule.additionalLabels",
        "alertLabels",
    ),
    (
        "severity of all alerts",
        "prometheusRule: {alertLabels: {severity: page}}",
        "prometheusRule.alertLabels.severity",
        "write prometheusRule.alerts.VLLMDown.severity",
    ),
    (
        "release of all alerts",
        "prometheusRule: {alertLabels: {release: kube-prometheus-stack}}",
        "prometheusRule.alertLabels.release",
        "write another name",
    ),
    ("rules, plural", "prometheusRules: {enabled: true}", "prometheusRules", "write prometheusRule"),
    ("alerts at the root", "alerts: {VLLMDown: {enabled: false}}", "alerts", "write prometheusRule.alerts"),
    (
        "alert that there is not",
        "prometheusRule: {alerts: {VLLMDwn: {for: 1m}}}",
        "prometheusRule.alerts.VLLMDwn",
        UNKNOWN,
    ),
    ("no alerts at all", "prometheusRule: {alerts: null}", "prometheusRule.alerts", MISSING),
    (
        "key of another alert",
        "prometheusRule: {alerts: {VLLMDown: {threshold: 3}}}",
        "prometheusRule.alerts.VLLMDown.threshold",
        "write for, severity or enabled",
    ),
    (
        "key of no alert",
        "prometheusRule: {alerts: {VLLMDown: {duration: 3m}}}",
        "prometheusRule.alerts.VLLMDown.duration",
        UNKNOWN,
    ),
    (
        "for in words",
        "prometheusRule: {alerts: {VLLMDown: {for: 5 minutes}}}",
        "prometheusRule.alerts.VLLMDown.for",
        "write a duration: 30s, 5m or 1h30m",
    ),
    (
        "for in seconds",
        "prometheusRule: {alerts: {VLLMDown: {for: 120}}}",
        "prometheusRule.alerts.VLLMDown.for",
        "got number, want",
    ),
    (
        "threshold in percent",
        "prometheusRule: {alerts: {VLLMPreempting: {threshold: 5%}}}",
        "prometheusRule.alerts.VLLMPreempting.threshold",
        "does not match pattern",
    ),
    ("interval in words", "prometheusRule: {interval: often}", "prometheusRule.interval", "write a duration"),
    ("objective in percent", "slo: {errors: 99.9}", "slo.errors", "write a share below 1: 0.999"),
    ("objective of all", "slo: {ttft: {objective: 1}}", "slo.ttft.objective", "write a share below 1"),
    ("objective with its sign", "slo: {itl: {objective: 99%}}", "slo.itl.objective", "write a share below 1"),
    ("objective of availability", "slo: {availability: 0.999}", "slo.availability", "write errors"),
    ("time per output token", "slo: {tpot: {seconds: 0.1}}", "slo.tpot", "write itl: {seconds, objective}"),
    ("milliseconds", on("slo: {ttft: {seconds: 2500}}"), "slo.ttft.seconds", "write 640 or 2560"),
    ("seconds between two boundaries", on("slo: {ttft: {seconds: 2}}"), "slo.ttft.seconds", "write 1 or 2.5, or put 2"),
    ("seconds between two, of tokens", on("slo: {itl: {seconds: 0.08}}"), "slo.itl.seconds", "write 0.075 or 0.1"),
    ("seconds below all boundaries", on("slo: {itl: {seconds: 0.001}}"), "slo.itl.seconds", "write 0.01, or put"),
    ("seconds above all boundaries", on("slo: {itl: {seconds: 100}}"), "slo.itl.seconds", "write 80, or put"),
    (
        "seconds that are no boundary of one's own",
        on("engine: {args: {custom-histogram-buckets: {time_to_first_token: [1, 2, 3]}}}"),
        "slo.ttft.seconds",
        f"write 2 or 3, or put 2.5 among {BUCKETS}.time_to_first_token",
    ),
    (
        "seconds that are no boundary of one's own, as text",
        on("""engine: {extraArgs: ['--custom-histogram-buckets={"inter_token_latency": [1, 2]}']}"""),
        "slo.itl.seconds",
        "write 1, or put 0.1",
    ),
    (
        "objective whose alert could never fire",
        on("slo: {ttft: {objective: 0.93}}"),
        "slo.ttft.objective",
        "write 0.931 or more, or a lower prometheusRule.alerts.VLLMTTFTBudgetBurn.threshold",
    ),
    ("the same of errors", on("slo: {errors: 0.9}"), "slo.errors", "so that VLLMErrorBudgetBurn could never fire"),
    (
        "the same of tokens",
        on("slo: {itl: {objective: 0.9}}"),
        "slo.itl.objective",
        "VLLMITLBudgetBurn could never fire",
    ),
    (
        "threshold that could never be reached",
        "{prometheusRule: {enabled: true, alerts: {VLLMTTFTBudgetBurn: {longThreshold: 20}}}}",
        "slo.ttft.objective",
        "a lower prometheusRule.alerts.VLLMTTFTBudgetBurn.longThreshold",
    ),
    (
        "threshold that could never be reached, slowly",
        "{prometheusRule: {enabled: true, alerts: {VLLMITLBudgetBurnSlow: {threshold: 100}}}}",
        "slo.itl.objective",
        "a lower prometheusRule.alerts.VLLMITLBudgetBurnSlow.threshold",
    ),
    (
        "threshold of a cache in per cent",
        "{prometheusRule: {enabled: true, alerts: {VLLMKVCacheFull: {threshold: 95}}}}",
        "prometheusRule.alerts.VLLMKVCacheFull.threshold",
        "write one below 1, 0.95 for 95 %",
    ),
    (
        "threshold of aborts in per cent",
        "{prometheusRule: {enabled: true, alerts: {VLLMAborted: {threshold: 20}}}}",
        "prometheusRule.alerts.VLLMAborted.threshold",
        "no share is more than 20",
    ),
    (
        "threshold of errors that is all requests",
        "{prometheusRule: {enabled: true, alerts: {VLLMEngineErrors: {threshold: 1}}}}",
        "prometheusRule.alerts.VLLMEngineErrors.threshold",
        "or enabled: false",
    ),
    (
        "alerts on an engine without metrics",
        on("engine: {args: {disable-log-stats: true}}"),
        "engine.args.disable-log-stats",
        "leave it out",
    ),
]
