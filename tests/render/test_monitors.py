"""Who scrapes the engines: each pod once, at the port that answers, under one job."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import values_from_yaml

from tests.promql.series import Scrape, scrapes
from vllm_chart import checks, helm
from vllm_chart.helm import HelmError
from vllm_chart.rendered.manifests import Manifests, Object

KINDS = {"serviceMonitor": ("ServiceMonitor", "endpoints"), "podMonitor": ("PodMonitor", "podMetricsEndpoints")}
by_kind = pytest.mark.parametrize("key", KINDS)

TLS = """
engine: {args: {ssl-certfile: /tls/c, ssl-keyfile: /tls/k}}
volumes: [{name: tls, secret: {secretName: tls}}]
volumeMounts: [{name: tls, mountPath: /tls}]
"""
PROXY = "extraContainers: [{name: proxy, image: 'a/b:1', ports: [{name: proxied, containerPort: 4180}]}]\n"
RANKS = """
parallelism: {dataParallelSize: 4}
engine: {args: {data-parallel-multi-port-external-lb: true, data-parallel-size-local: 3}}
gpu: {count: 4}
containerPort: 9000
"""


def render(*texts: str, **options: Any) -> Manifests:
    values: dict[str, Any] = {"model": {"id": "org/name"}}
    for text in texts:
        values |= values_from_yaml(text or "{}")
    return helm.render(values=values, **options)


def monitor(key: str, more: str = "", text: str = "", **options: Any) -> Object:
    """The monitor, with more of its own keys, and more values."""
    return render(f"{key}: {{enabled: true, {more}}}", text, **options).one(KINDS[key][0])


def endpoints(key: str, more: str = "", text: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = monitor(key, more, text)["spec"][KINDS[key][1]]
    return found


def relabelled(target: Mapping[str, str], rules: list[dict[str, Any]]) -> dict[str, str] | None:
    """What becomes of a target's labels, as Prometheus has it (model/relabel/relabel.go); None where it is dropped."""
    labels = dict(target)
    for rule in rules:
        value = ";".join(labels.get(name, "") for name in rule.get("sourceLabels", ()))
        found = re.fullmatch(rule.get("regex", "(.*)"), value)
        wanted = {"keep": found, "drop": not found, "keepequal": value == labels.get(rule.get("targetLabel", ""), "")}
        if (action := rule.get("action")) in wanted:
            if not wanted[action]:
                return None
            continue
        if found:
            replacement = re.sub(r"\$\{?(\d)\}?", r"\\\1", rule.get("replacement", "$1"))
            labels[rule["targetLabel"]] = found.expand(replacement)
    return labels


def test_nothing_is_scraped_unless_it_is_asked_for() -> None:
    assert not [one for one in render() if one["apiVersion"].startswith("monitoring.coreos.com")]


@by_kind
@pytest.mark.parametrize(
    ("text", "options", "job"),
    [
        ("", {}, "default/llm-vllm"),
        ("", {"release": "vllm", "namespace": "models"}, "models/vllm"),
        ("{namespaceOverride: a, fullnameOverride: b}", {"namespace": "c"}, "a/b"),
    ],
)
def test_both_kinds_give_a_target_the_same_job(key: str, text: str, options: Any, job: str) -> None:
    """Whatever the operator made of it before, and a relabeling of the user's."""
    more = "relabelings: [{sourceLabels: [a], targetLabel: b}]"
    [endpoint] = monitor(key, more, text, **options)["spec"][KINDS[key][1]]

    assert relabelled({"job": "theirs", "pod": "x", "a": "c"}, endpoint["relabelings"]) == {
        "job": job,
        "pod": "x",
        "a": "c",
        "b": "c",
    }


@by_kind
def test_it_selects_the_pods_of_this_release_alone(key: str) -> None:
    manifests = render(f"{key}: {{enabled: true}}")
    labels = manifests.one(KINDS[key][0])["spec"]["selector"]["matchLabels"]
    selected = manifests.one("Service").metadata if key == "serviceMonitor" else None
    pod = manifests.one("Deployment")["spec"]["template"]["metadata"]["labels"]

    assert labels.items() <= (selected["labels"] if selected else pod).items()
    assert not labels.items() <= manifests.one("Pod").metadata["labels"].items()


def test_the_service_of_the_pods_makes_no_target_twice() -> None:
    manifests = render("{serviceMonitor: {enabled: true}, service: {pods: {enabled: true}}}")
    selector = manifests.one("ServiceMonitor")["spec"]["selector"]["matchLabels"]
    services = [one for one in manifests if one.kind == "Service"]

    assert [one.name for one in services if selector.items() <= one.metadata["labels"].items()] == ["llm-vllm"]


@by_kind
@pytest.mark.parametrize(("more", "named"), [("", None), ("namespace: default", None), ("namespace: mon", ["default"])])
def test_a_monitor_elsewhere_looks_for_the_pods_where_they_are(key: str, more: str, named: list[str] | None) -> None:
    found = monitor(key, more)

    assert found.namespace == ("mon" if named else "default")
    assert found["spec"].get("namespaceSelector") == ({"matchNames": named} if named else None)


@pytest.mark.parametrize(
    ("more", "text", "field", "port"),
    [
        ("", "", "port", "http"),
        ("", "service: {port: 8080}", "port", "http"),
        ("", "service: {clusterIP: None}", "port", "http"),
        ("", "{service: {targetPort: 9000}, containerPort: 9000}", "port", "http"),
        ("", PROXY + "service: {targetPort: proxied}", "targetPort", "http"),
        ("", PROXY + "service: {targetPort: 4180}", "targetPort", "http"),
        ("port: proxied", PROXY, "targetPort", "proxied"),
    ],
)
def test_the_engine_is_asked_and_no_proxy_in_front_of_it(more: str, text: str, field: str, port: str) -> None:
    [endpoint] = endpoints("serviceMonitor", more, text)
    assert {key: endpoint.get(key) for key in ("port", "targetPort")} == {"port": None, "targetPort": None} | {
        field: port
    }

    [endpoint] = endpoints("podMonitor", more, text)
    assert endpoint["port"] == port
    assert "targetPort" not in endpoint


@by_kind
def test_ranks_that_listen_side_by_side_are_scraped_one_by_one(key: str) -> None:
    found = endpoints(key, text=RANKS)
    for address in ("10.0.0.1", "[fd00::1]"):
        targets = [relabelled({"__address__": f"{address}:9000"}, one["relabelings"]) for one in found]
        job = "default/llm-vllm"
        assert targets == [{"__address__": f"{address}:{port}", "job": job} for port in (9000, 9001, 9002)]
    assert {one["port"] for one in found} == {"http"}


@by_kind
def test_other_ranks_are_on_one_page(key: str) -> None:
    assert len(endpoints(key, text="{parallelism: {dataParallelSize: 4}, gpu: {count: 4}}")) == 1
    assert len(endpoints(key, text="engine: {args: {api-server-count: 4}}")) == 1
    assert len(endpoints(key, "port: proxied", PROXY + RANKS)) == 1


def test_a_service_of_two_families_gives_each_pod_once() -> None:
    """There is a slice of each family, with every pod in both."""
    [endpoint] = endpoints("serviceMonitor", text="service: {ipFamilyPolicy: PreferDualStack}")
    for own, other in (("10.0.0.1", "[fd00::1]"), ("fd00::1", "10.0.0.1")):
        pod = {"__meta_kubernetes_pod_ip": own}
        same = f"[{own}]" if ":" in own else own
        assert relabelled({**pod, "__address__": f"{same}:8000"}, endpoint["relabelings"])
        assert relabelled({**pod, "__address__": f"{other}:8000"}, endpoint["relabelings"]) is None

    for key, text in (("podMonitor", "service: {ipFamilyPolicy: PreferDualStack}"), ("serviceMonitor", "")):
        assert len(endpoints(key, text=text)[0]["relabelings"]) == 1


@by_kind
@pytest.mark.parametrize(
    ("more", "text", "scheme", "tls"),
    [
        ("", "", "http", None),
        ("", "auth: {apiKeySecretRef: {name: a}}", "http", None),
        ("tlsConfig: {insecureSkipVerify: true}", TLS, "https", {"insecureSkipVerify": True}),
        ("tlsConfig: {serverName: a}", TLS, "https", {"serverName": "a"}),
        (
            "tlsConfig: {ca: {secret: {name: a, key: b}}}",
            TLS,
            "https",
            {"ca": {"secret": {"name": "a", "key": "b"}}, "serverName": "llm-vllm.default.svc"},
        ),
        ("scrapeClass: mesh", TLS, "https", None),
        ("port: proxied", TLS + PROXY, "http", None),
        ("scheme: http", TLS, "http", None),
    ],
)
def test_a_certificate_is_asked_for_by_a_name_that_it_has(
    key: str, more: str, text: str, scheme: str, tls: Any
) -> None:
    [endpoint] = endpoints(key, more, text)

    assert (endpoint["scheme"], endpoint.get("tlsConfig")) == (scheme, tls)
    assert "authorization" not in endpoint


@by_kind
def test_empty_times_are_the_prometheus_s_own(key: str) -> None:
    [endpoint] = endpoints(key, 'interval: "", scrapeTimeout: ""')
    assert not {"interval", "scrapeTimeout"} & endpoint.keys()


@pytest.mark.parametrize(("more", "limit"), [("", 5000), ("sampleLimit: 100", 100), ("sampleLimit: 0", None)])
def test_there_is_a_limit_of_samples(more: str, limit: int | None) -> None:
    assert monitor("podMonitor", more)["spec"].get("sampleLimit") == limit


@pytest.mark.parametrize("scrape", scrapes(), ids=str)
def test_a_page_is_far_below_the_limit(scrape: Scrape) -> None:
    """A page over it is not scraped at all."""
    ranks = 2 if scrape.situation == "ranks" else 1
    samples = [line for line in scrape.text.splitlines() if line and not line.startswith("#")]
    limit = monitor("podMonitor", text=f"{{parallelism: {{dataParallelSize: {ranks}}}, gpu: {{count: {ranks}}}}}")

    assert limit["spec"]["sampleLimit"] == 5000 * ranks
    assert len(samples) < 600 * ranks < limit["spec"]["sampleLimit"] / 8


def test_times_of_creation_are_dropped_before_anything_else() -> None:
    [endpoint] = endpoints("podMonitor", "metricRelabelings: [{action: drop, regex: a}]")
    created, theirs = endpoint["metricRelabelings"]

    assert (created["action"], created["sourceLabels"], theirs["regex"]) == ("drop", ["__name__"], "a")
    assert re.fullmatch(created["regex"], "vllm:request_success_created")
    names = {line.split("{")[0].split(" ")[0] for scrape in scrapes() for line in scrape.text.splitlines()}
    assert not [name for name in names if re.fullmatch(created["regex"], name)]


def test_annotations_say_the_same_job() -> None:
    pods = render(TLS + "scrapeAnnotations: {enabled: true}\ncontainerPort: 9000").one("Deployment")["spec"]["template"]
    said = {name: text for name, text in pods["metadata"]["annotations"].items() if name.startswith("prometheus.io/")}

    assert said == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9000",
        "prometheus.io/path": "/metrics",
        "prometheus.io/scheme": "https",
        "prometheus.io/job": "default/llm-vllm",
    }


def test_the_configuration_in_the_documentation_finds_them_under_that_job() -> None:
    page = Path("docs/monitoring.md").read_text()
    [text] = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "scrape_configs" in block]
    [config] = yaml.safe_load(text)["scrape_configs"]
    camel = {"source_labels": "sourceLabels", "target_label": "targetLabel"}
    rules = [{camel.get(key, key): value for key, value in rule.items()} for rule in config["relabel_configs"]]
    pods = render(TLS, "scrapeAnnotations: {enabled: true}").one("Deployment")["spec"]["template"]["metadata"]
    target = {
        f"__meta_kubernetes_pod_annotation_{re.sub('[^a-zA-Z0-9]', '_', name)}": text
        for name, text in pods["annotations"].items()
    }
    target |= {"__meta_kubernetes_namespace": "default", "__meta_kubernetes_pod_name": "llm-vllm-1"}
    engine = {**target, "__meta_kubernetes_pod_container_port_name": "http", "job": "vllm"}

    there = relabelled(engine, rules)
    assert there is not None
    assert {key: there[key] for key in ("job", "namespace", "pod", "__scheme__")} == {
        "job": "default/llm-vllm",
        "namespace": "default",
        "pod": "llm-vllm-1",
        "__scheme__": "https",
    }
    assert relabelled({**engine, "__meta_kubernetes_pod_container_port_name": "metrics"}, rules) is None
    assert relabelled({**engine, "__meta_kubernetes_pod_phase": "Failed"}, rules) is None
    assert relabelled({"__meta_kubernetes_pod_container_port_name": "http"}, rules) is None


@by_kind
def test_turning_a_monitor_on_changes_nothing_else(key: str) -> None:
    """A model that is being served is not started again."""
    assert [one for one in render(f"{key}: {{enabled: true}}") if one.kind != KINDS[key][0]] == [*render()]


@by_kind
def test_a_cluster_without_its_kind_is_told_what_to_install(key: str) -> None:
    """A list with kinds is a cluster's: Helm's own where it talks to one, or that which Argo CD hands over."""
    kind = KINDS[key][0]
    text = f"{key}: {{enabled: true}}"
    with pytest.raises(HelmError, match=f"{key}.enabled: the cluster has no {kind} .*: install prometheus-operator"):
        render(text, api_versions=["v1/Pod", "monitoring.coreos.com/v1"])

    there = render(text, api_versions=["v1/Pod", f"monitoring.coreos.com/v1/{kind}"])
    assert [*there] == [*render(text)] == [*render(text, api_versions=["monitoring.coreos.com/v1"])]
    assert render(api_versions=["v1/Pod"]) == render()


@by_kind
@pytest.mark.parametrize("text", ["", TLS, PROXY, RANKS, "service: {ipFamilyPolicy: PreferDualStack}"])
def test_it_fits_the_definition_of_prometheus_operator(key: str, text: str) -> None:
    more = (
        "labels: {a: b}, annotations: {c: d}, namespace: e, scrapeClass: f, convertClassicHistogramsToNHCB: false, "
        "authorization: {type: Bearer, credentials: {name: g, key: h}}, relabelings: [{action: Replace, modulus: 1}], "
        "scheme: https, tlsConfig: {cert: {configMap: {name: i, key: j}}, keySecret: {name: k, key: l}}"
    )
    manifests = Manifests([monitor(key, more, text)])
    assert checks.schemas.check(manifests, "1.37") == []


@by_kind
@pytest.mark.parametrize("text", ["", TLS + PROXY, RANKS, "service: {targetPort: proxied}\n" + PROXY])
def test_it_keeps_every_promise(key: str, text: str) -> None:
    manifests = render(f"{key}: {{enabled: true, namespace: other, tlsConfig: {{serverName: a}}, scheme: https}}", text)
    found = checks.invariants.check(manifests)
    assert [one for one in found if "onitor" in one.where] == []
    assert not [one for one in checks.inspect(manifests, "1.37") if one.severity != "warning"]
