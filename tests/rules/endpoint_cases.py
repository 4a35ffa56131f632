"""What an endpoint's replicas live through, and from when until when which of its alerts fire.

Series are those of Envoy's page (tests/promql/endpoint_page.py); tests hold their names and labels to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.rules.engine_page import Labels
from tests.rules.scenario import JOB, NAMESPACE, UP, Case, Firing, Recording, fires, written
from tests.rules.timeline import Sample, phases, samples

#: What is scraped of a replica: of each series its name and labels, written as in PromQL, and its timeline.
Series = Mapping[tuple[str, tuple[tuple[str, str], ...]], str]


def requests(client: str, model: str, code: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """How many of these were answered."""
    return "envoy_llm_requests", (("client", client), ("model", model), ("code", code))


def of_model(name: str, model: str = "llama3") -> tuple[str, tuple[tuple[str, str], ...]]:
    """What Envoy says of a model's cluster."""
    return f"envoy_cluster_{name}", (("envoy_cluster_name", "model-0"), ("model", model))


def alone(name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A series of Envoy's that has no label."""
    return f"envoy_{name}", ()


HEALTHY = of_model("membership_healthy")
#: Envoy's own proxy to its admin interface, which is no model.
ADMIN = ("envoy_cluster_membership_healthy", (("envoy_cluster_name", "admin"),))
REFUSED = alone("extension_config_discovery_http_filter_api_keys_config_fail")
TAKEN = alone("extension_config_discovery_http_filter_api_keys_update_time")
CERTIFICATE = alone("server_days_until_first_cert_expiring")
OVERFLOWS = [f"upstream_rq_{name}" for name in ("active_overflow", "pending_overflow", "retry_overflow")]
NO_OVERFLOW = {of_model(name): "0" for name in OVERFLOWS}
OK, WRONG, FAILED, LIMITED = (requests("app", "llama3", code) for code in ("200", "404", "503", "429"))
UNKNOWN = requests("", "", "401")


@dataclass(frozen=True)
class Proxy:
    """One pod: `life` has the words of UP, and lasts as long as what is scraped of it."""

    pod: str
    life: str
    scraped: Series = field(default_factory=dict)
    namespace: str = NAMESPACE
    job: str = JOB

    def steps(self, step: int) -> int:
        return sum(phase.steps for phase in phases(self.life, step))

    def series(self, steps: int, step: int) -> Iterator[tuple[str, Labels, list[Sample]]]:
        """Metric, labels and samples of all that is scraped of it."""
        target = {"namespace": self.namespace, "job": self.job, "pod": self.pod, "instance": f"{self.pod}:9090"}
        states = [phase.word for phase in phases(self.life, step) for _ in range(phase.steps)]
        states += ["gone"] * (steps - len(states))
        yield "up", target, [UP[state] for state in states]
        serving = [state == "serving" for state in states]
        for (metric, labels), timeline in self.scraped.items():
            yield metric, {**target, **dict(labels)}, samples(timeline, serving, step)


def elsewhere(other: Proxy) -> list[Proxy]:
    """The same in another release of the namespace, and in a namespace that has releases of the same name."""
    beside = Proxy(other.pod, other.life, other.scraped, NAMESPACE, f"{NAMESPACE}/other")
    return [beside, Proxy(other.pod, other.life, other.scraped, "staging", JOB)]


def one(life: str, scraped: Series) -> list[Proxy]:
    return [Proxy("a", life, scraped)]


def two(life: str, scraped: Series) -> list[Proxy]:
    """Two replicas of which the same is scraped."""
    return [Proxy(pod, life, scraped) for pod in ("a", "b")]


def replica_down(when: str, pod: str = "a") -> Firing:
    return fires("VLLMEndpointReplicaDown", when, pod=pod, instance=f"{pod}:9090")


def refused(when: str, value: float | None = None) -> Firing:
    return fires("VLLMEndpointClientsRefused", when, value, pod="a", instance="a:9090")


AVAILABILITY = [
    Case(
        "the only replica dies and comes back",
        one("serving for 10m, down for 10m, serving for 5m", {}),
        [
            fires("VLLMEndpointDown", "12m to 20m"),
            replica_down("13m to 20m"),
        ],
    ),
    Case(
        "one of two replicas dies",
        [Proxy("a", "serving for 20m"), Proxy("b", "serving for 10m, down for 10m")],
        [replica_down("13m", "b")],
        silent=["VLLMEndpointDown"],
    ),
    Case(
        "both are away for less than the alerts wait",
        two("serving for 10m, down for 2m, serving for 5m", {}),
        silent=["VLLMEndpointDown", "VLLMEndpointReplicaDown"],
    ),
    Case("a first start is no outage", one("down for 2m30s, serving for 5m", {}), silent=["VLLMEndpointDown"]),
    Case(
        "a start that never ends, while another alert fires",
        one("down for 40m", {}),
        [replica_down("3m")],
        silent=["VLLMEndpointDown"],
        extra={
            written("ALERTS", {"namespace": NAMESPACE, "job": JOB, "alertname": name, "alertstate": "firing"}): "1"
            for name in ("VLLMEndpointReplicaDown", "VLLMDown")
        },
    ),
    Case(
        "a replica that never started and one that dies",
        [Proxy("a", "serving for 10m, down for 10m"), Proxy("b", "down for 20m")],
        [fires("VLLMEndpointDown", "12m"), replica_down("13m"), replica_down("3m", "b")],
    ),
    Case(
        "pods come back after 20 minutes, and do not start",
        one("serving for 5m, gone for 20m, down for 10m", {}),
        [fires("VLLMEndpointAbsent", "19m30s to 25m"), fires("VLLMEndpointDown", "27m"), replica_down("28m")],
    ),
    Case(
        "pods come back when the half hour is nearly over, and do not start",
        one("serving for 5m, gone for 29m, down for 10m", {}),
        [fires("VLLMEndpointAbsent", "19m30s to 34m"), replica_down("37m")],
        silent=["VLLMEndpointDown"],
    ),
    Case(
        "it is down for longer than the half hour that is looked back",
        one("serving for 5m, down for 40m", {}),
        [fires("VLLMEndpointDown", "7m"), replica_down("8m")],
    ),
    Case(
        "another endpoint dies",
        [
            Proxy("b", "serving for 20m"),
            *elsewhere(Proxy("a", "serving for 5m, down for 15m")),
        ],
        silent=["VLLMEndpointDown", "VLLMEndpointReplicaDown"],
    ),
    Case(
        "all pods are taken away",
        one("serving for 5m, gone for 20m", {}),
        [fires("VLLMEndpointAbsent", "19m30s")],
        silent=["VLLMEndpointDown", "VLLMEndpointReplicaDown"],
    ),
    Case(
        "pods come back before the alert",
        one("serving for 5m, gone for 14m30s, serving for 5m", {}),
        silent=["VLLMEndpointAbsent"],
    ),
]

MODELS = [
    Case(
        "no replica of a model is healthy",
        one("serving for 20m", {HEALTHY: "2 for 5m, 0 for 10m, 1", of_model("membership_healthy", "qwen3"): "1"}),
        [fires("VLLMEndpointModelDown", "6m to 15m", 0, model="llama3")],
    ),
    Case(
        "one replica of the endpoint sees a healthy engine",
        [Proxy("a", "serving for 20m", {HEALTHY: "0"}), Proxy("b", "serving for 20m", {HEALTHY: "1"})],
        silent=["VLLMEndpointModelDown"],
    ),
    Case(
        "no replica is healthy for less than a minute",
        one("serving for 20m", {HEALTHY: "1 for 5m, 0 for 30s, 1", ADMIN: "0"}),
        silent=["VLLMEndpointModelDown"],
    ),
    Case(
        "one in ten requests is answered 503, and then one in a hundred",
        one("serving for 40m", {OK: "+0.9/s", FAILED: "+0.1/s for 20m, +0.01/s"}),
        # Of the first samples nobody knows the rate; and a window of 5 minutes forgets.
        [fires("VLLMEndpointErrors", "5m30s to 23m", 0.1, model="llama3")],
    ),
    Case(
        "both of two replicas see six in a hundred fail",
        two("serving for 20m", {OK: "+0.94/s", FAILED: "+0.06/s"}),
        [fires("VLLMEndpointErrors", "5m30s", 0.06, model="llama3")],
    ),
    Case(
        "all of hardly enough are answered 503, by two replicas",
        two("serving for 20m", {FAILED: "+2.2/m"}),
        [fires("VLLMEndpointErrors", "10m", 1, model="llama3")],
    ),
    Case(
        "nearly too many are answered 503, by one of two replicas",
        [
            Proxy("a", "serving for 20m", {OK: "+0.5/s"}),
            Proxy("b", "serving for 20m", {OK: "+0.46/s", FAILED: "+0.04/s", WRONG: "+0.02/s"}),
        ],
        silent=["VLLMEndpointErrors"],
    ),
    Case(
        "one in twenty is answered 503, which is the limit and not more",
        one("serving for 20m", {OK: "+0.95/s", FAILED: "+0.05/s"}),
        silent=["VLLMEndpointErrors"],
    ),
    Case(
        "all of just enough are answered 503",
        one("serving for 20m", {FAILED: "+4/m"}),
        [fires("VLLMEndpointErrors", "10m", 1, model="llama3")],
    ),
    Case(
        "all of a few are answered 503",
        one("serving for 20m", {FAILED: "+3.5/m"}),
        silent=["VLLMEndpointErrors"],
    ),
    Case(
        "another endpoint answers 503, and has no healthy replica",
        [
            Proxy("b", "serving for 20m", {OK: "+1/s", HEALTHY: "1"}),
            *elsewhere(Proxy("a", "serving for 20m", {FAILED: "+1/s", HEALTHY: "0"})),
        ],
        silent=["VLLMEndpointErrors", "VLLMEndpointModelDown"],
    ),
    *(
        Case(
            f"Envoy counts one {name}",
            one("serving for 30m", NO_OVERFLOW | {of_model(name): "0 for 10m, 1"}),
            [fires("VLLMEndpointOverflow", "10m to 19m30s", model="llama3")],
        )
        for name in OVERFLOWS
    ),
    Case(
        "Envoy counts in all ways, in two replicas",
        two("serving for 30m", {of_model(name): "0 for 10m, 1" for name in OVERFLOWS}),
        [fires("VLLMEndpointOverflow", "10m to 19m30s", 6, model="llama3")],
    ),
    Case(
        "another endpoint turns away",
        [
            Proxy("b", "serving for 30m", NO_OVERFLOW),
            *elsewhere(Proxy("a", "serving for 30m", {of_model(name): "0 for 10m, 1" for name in OVERFLOWS})),
        ],
        silent=["VLLMEndpointOverflow"],
    ),
    Case("Envoy turns nothing away", one("serving for 30m", NO_OVERFLOW), silent=["VLLMEndpointOverflow"]),
]

CLIENTS = [
    Case(
        "a document is refused, and mended half an hour later",
        one("serving for 1h", {REFUSED: "0 for 10m, 1", TAKEN: "1000 for 40m, 2400000"}),
        [refused("11m to 40m")],
    ),
    Case(
        "documents are taken",
        one("serving for 1h", {REFUSED: "3", TAKEN: "1000 for 10m, 600000 for 20m, 1800000"}),
        silent=["VLLMEndpointClientsRefused"],
    ),
    Case(
        "a document is refused and mended at once",
        one("serving for 1h", {REFUSED: "0 for 10m, 1", TAKEN: "1000 for 10m, 615000"}),
        silent=["VLLMEndpointClientsRefused"],
    ),
    Case(
        "a document is refused a good minute after another was taken",
        one("serving for 1h", {REFUSED: "0 for 12m, 1", TAKEN: "640000 for 40m, 2400000"}),
        [refused("14m to 40m", 660)],
    ),
    Case(
        "a document is refused a minute after another was taken: nobody can tell which was first",
        one("serving for 1h", {REFUSED: "0 for 12m, 1", TAKEN: "660000"}),
        silent=["VLLMEndpointClientsRefused"],
    ),
    Case(
        "a document is refused, mended, and refused again",
        one("serving for 1h", {REFUSED: "0 for 10m, 1 for 30m, 2", TAKEN: "1000 for 20m, 1200000"}),
        [refused("11m to 20m"), refused("41m")],
    ),
    Case(
        "a document is refused, and nobody looks for more than a day",
        one("serving for 25h", {REFUSED: "0 for 10m, 1", TAKEN: "1000"}),
        [refused("11m to 24h10m")],
        step=60,
    ),
    Case(
        "a replica never had one that it could read",
        one("serving for 10m", {REFUSED: "1", TAKEN: "0 for 5m, 300000"}),
        [refused("1m to 5m", 0)],
    ),
    Case(
        "one in four has no key",
        one("serving for 40m", {OK: "+0.75/s", UNKNOWN: "+0.25/s for 20m, +0/s"}),
        [fires("VLLMEndpointUnauthorized", "5m30s to 24m", 0.25)],
    ),
    Case(
        "one in four of two replicas has no key",
        two("serving for 20m", {OK: "+0.75/s", UNKNOWN: "+0.25/s"}),
        [fires("VLLMEndpointUnauthorized", "5m30s", 0.25)],
    ),
    Case(
        "none of hardly enough has a key, in two replicas",
        two("serving for 40m", {UNKNOWN: "+0.74/m"}),
        [fires("VLLMEndpointUnauthorized", "19m", 1)],
    ),
    Case(
        "one in five has no key, which is the limit and not more",
        one("serving for 40m", {OK: "+0.8/s", UNKNOWN: "+0.2/s"}),
        silent=["VLLMEndpointUnauthorized"],
    ),
    Case(
        "one in six has no key",
        one("serving for 40m", {OK: "+0.5/s", UNKNOWN: "+0.1/s"}),
        silent=["VLLMEndpointUnauthorized", "VLLMEndpointErrors", "VLLMEndpointLimited"],
    ),
    Case(
        "a scanner tries a few keys at night",
        one("serving for 40m", {UNKNOWN: "+1.2/m"}),
        silent=["VLLMEndpointUnauthorized"],
    ),
    Case(
        "a client meets its limit two times of three, another one does not",
        one("serving for 1h", {OK: "+0.1/s", LIMITED: "+0.2/s for 30m, +0/s", requests("b", "llama3", "200"): "+1/s"}),
        [fires("VLLMEndpointLimited", "16m30s to 37m30s", 0.6667, client="app")],
    ),
    Case(
        "a client meets its limit six times of ten, in both of two replicas",
        two("serving for 1h", {OK: "+0.4/s", LIMITED: "+0.6/s"}),
        [fires("VLLMEndpointLimited", "15m30s", 0.6, client="app")],
    ),
    Case(
        "a client meets its limit every second time, which is not more than the limit",
        one("serving for 1h", {OK: "+0.5/s", LIMITED: "+0.5/s"}),
        silent=["VLLMEndpointLimited"],
    ),
    Case(
        "a client that asks hardly enough meets its limit each time, in two replicas",
        two("serving for 1h", {LIMITED: "+0.74/m"}),
        [fires("VLLMEndpointLimited", "29m", 1, client="app")],
    ),
    Case(
        "a client that asks seldom meets its limit each time",
        one("serving for 2h", {LIMITED: "+1.2/m"}),
        silent=["VLLMEndpointLimited"],
    ),
    Case(
        "a client meets its limit now and then",
        one("serving for 1h", {OK: "+0.1/s", LIMITED: "+0.09/s"}),
        silent=["VLLMEndpointLimited"],
    ),
    Case(
        "another endpoint's clients are refused",
        [
            Proxy("b", "serving for 1h", {OK: "+1/s", REFUSED: "0", TAKEN: "1000"}),
            *elsewhere(
                Proxy("a", "serving for 1h", {UNKNOWN: "+1/s", LIMITED: "+1/s", REFUSED: "0 for 10m, 1", TAKEN: "1000"})
            ),
            *elsewhere(Proxy("c", "serving for 1h", {REFUSED: "1", TAKEN: "0"})),
        ],
        silent=["VLLMEndpointUnauthorized", "VLLMEndpointLimited", "VLLMEndpointClientsRefused"],
    ),
    Case(
        "a certificate is renewed late",
        one("serving for 4h", {CERTIFICATE: "14 for 30m, 13 for 2h, 89"}),
        [fires("VLLMEndpointCertificateExpiring", "1h30m to 2h30m", 13)],
    ),
    Case(
        "there is no certificate",
        one("serving for 2h", {CERTIFICATE: "4294967295"}),
        silent=["VLLMEndpointCertificateExpiring"],
    ),
    Case(
        "of two replicas one has the old certificate",
        [
            Proxy("a", "serving for 2h", {CERTIFICATE: "89"}),
            Proxy("b", "serving for 2h", {CERTIFICATE: "3"}),
            *elsewhere(Proxy("c", "serving for 2h", {CERTIFICATE: "1"})),
        ],
        [fires("VLLMEndpointCertificateExpiring", "1h", 3)],
    ),
]

CASES = [*AVAILABILITY, *MODELS, *CLIENTS]

INPUT, OUTPUT = ((f"envoy_llm_{kind}_tokens", (("client", "app"), ("model", "llama3"))) for kind in ("input", "output"))
RECORDINGS = [
    Recording(
        "two replicas count for two clients, and one of them more in the last minutes",
        [
            Proxy(
                "a",
                "serving for 20m",
                {
                    OK: "+1/s for 7m, +3/s",
                    FAILED: "+0.5/s",
                    INPUT: "+10/s for 7m, +30/s",
                    OUTPUT: "+20/s for 7m, +60/s",
                    HEALTHY: "2",
                    ADMIN: "1",
                },
            ),
            Proxy(
                "b",
                "serving for 20m",
                {
                    OK: "+2/s",
                    INPUT: "+1/s",
                    OUTPUT: "+2/s",
                    ("envoy_llm_output_tokens", (("client", "b"), ("model", "llama3"))): "+5/s",
                    HEALTHY: "1",
                },
            ),
            *elsewhere(Proxy("c", "serving for 20m", {OK: "+7/s", INPUT: "+70/s", OUTPUT: "+70/s", HEALTHY: "9"})),
        ],
        "10m",
        {
            # Of the last 5 minutes three have the new pace, and half a minute before the first sample is not known.
            "vllm_endpoint:requests:rate5m": [
                ({"client": "app", "model": "llama3", "code": "200"}, 7 / 3 + 2),
                ({"client": "app", "model": "llama3", "code": "503"}, 0.5),
            ],
            "vllm_endpoint:tokens:rate5m": [
                ({"client": "app", "model": "llama3", "kind": "input"}, 70 / 3 + 1),
                ({"client": "app", "model": "llama3", "kind": "output"}, 140 / 3 + 2),
                ({"client": "b", "model": "llama3", "kind": "output"}, 5),
            ],
            "vllm_endpoint:healthy_replicas:max": [({"model": "llama3"}, 2)],
        },
    )
]
