"""TLS of the engine by `tls.secretName`: whatever asks the engine follows, as it does by `engine.args`."""

from typing import Any

import pytest
from helm_python import values_from_yaml

from vllm_chart.helm import render
from vllm_chart.live import smoke
from vllm_chart.live.smoke import reach
from vllm_chart.rendered import workload
from vllm_chart.rendered.manifests import Manifests

OWN = "tls: {secretName: llm-tls}"
BY_ARGUMENTS = """
engine: {args: {ssl-certfile: /tls/tls.crt, ssl-keyfile: /tls/tls.key, enable-ssl-refresh: true}}
volumes: [{name: tls, secret: {secretName: llm-tls}}]
volumeMounts: [{name: tls, mountPath: /tls, readOnly: true}]
"""
MONITOR = "serviceMonitor: {enabled: true, tlsConfig: {ca: {secret: {name: llm-tls, key: ca.crt}}}}\n"
RELOADED = "lora: {adapters: [{name: sql, source: acme/sql}], reload: true, maxLoras: 1}\n"
PROXY = "extraContainers: [{name: proxy, image: a/b:1, ports: [{name: proxied, containerPort: 4180}]}]\n"
ways = pytest.mark.parametrize("tls", [OWN, BY_ARGUMENTS], ids=["tls", "engine.args"])


def rendered(*texts: str) -> Manifests:
    values: dict[str, Any] = {"model": {"id": "org/name"}}
    for text in texts:
        values |= values_from_yaml(text or "{}")
    return render(values=values)


def pod(manifests: Manifests) -> Any:
    return workload.engine(manifests).front.spec


def engine(manifests: Manifests) -> Any:
    return next(one for one in pod(manifests)["containers"] if one["name"] == "vllm")


@ways
def test_whatever_asks_the_engine_asks_by_tls(tls: str) -> None:
    manifests = rendered(tls, MONITOR, RELOADED, "service: {pods: {enabled: true}}")

    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert engine(manifests)[probe]["httpGet"]["scheme"] == "HTTPS"
    assert "--scheme=https" in engine(manifests)["lifecycle"]["preStop"]["exec"]["command"]
    (sidecar,) = (one for one in pod(manifests)["initContainers"] if one["name"] == "adapters")
    assert "--scheme=https" in sidecar["command"]
    (scraped,) = manifests.one("ServiceMonitor")["spec"]["endpoints"]
    assert (scraped["scheme"], scraped["tlsConfig"]["serverName"]) == ("https", "llm-vllm.default.svc")
    (test,) = manifests.one("Pod", "llm-vllm-test")["spec"]["containers"]
    assert {"name": "VLLM_URL", "value": "https://llm-vllm.default.svc:80"} in test["env"]
    assert "curl -k https://localhost:8080" in manifests.notes
    assert reach.serves_tls(pod(manifests)["containers"])
    for service in manifests.all("Service"):
        assert service["spec"]["ports"][0].get("appProtocol") == ("https" if tls == OWN else None)


@pytest.mark.parametrize("tls", [OWN, f"{OWN}\nengine: {{args: {{enable-ssl-refresh: true}}}}"])
def test_a_renewed_certificate_needs_no_restart(tls: str) -> None:
    manifests = rendered(tls)
    assert "--enable-ssl-refresh" not in engine(manifests)["args"]
    assert "--middleware=certificate.Renewed" in engine(manifests)["args"]
    assert "certificate.py" in manifests.one("ConfigMap", "llm-vllm-lifecycle")["data"]
    assert "Secret llm-tls" not in manifests.notes


def test_the_certificate_is_the_engines_alone() -> None:
    manifests = rendered(OWN, RELOADED)
    assert {"--ssl-certfile=/etc/vllm/tls/tls.crt", "--ssl-keyfile=/etc/vllm/tls/tls.key"} <= {
        *engine(manifests)["args"]
    }
    (volume,) = (one for one in pod(manifests)["volumes"] if one["name"] == "certificate")
    assert volume["secret"] == {
        "secretName": "llm-tls",
        "items": [{"key": "tls.crt", "path": "tls.crt"}, {"key": "tls.key", "path": "tls.key"}],
    }
    mounting = [
        container["name"]
        for container in [*pod(manifests)["containers"], *pod(manifests)["initContainers"]]
        for mount in container.get("volumeMounts") or []
        if mount["name"] == "certificate"
    ]
    assert mounting == ["vllm"]


def test_without_it_nothing_is_changed() -> None:
    manifests = rendered()
    assert "certificate" not in str(pod(manifests))
    assert "appProtocol" not in manifests.one("Service", "llm-vllm")["spec"]["ports"][0]


def test_vllms_own_arguments_stay_as_they_are() -> None:
    own = rendered(BY_ARGUMENTS)
    assert "--enable-ssl-refresh" in engine(own)["args"]
    assert "--middleware=certificate.Renewed" not in engine(own)["args"]
    assert "Secret llm-tls" not in own.notes
    once = rendered(BY_ARGUMENTS.replace(", enable-ssl-refresh: true", ""))
    assert "--middleware=certificate.Renewed" not in engine(once)["args"]
    assert "Secret llm-tls" in once.notes


def test_a_port_that_leads_to_another_container_says_nothing_of_the_engine() -> None:
    manifests = rendered(OWN, PROXY, "service: {targetPort: proxied}")
    assert "appProtocol" not in manifests.one("Service", "llm-vllm")["spec"]["ports"][0]


def test_what_comes_from_outside_is_told() -> None:
    route = "httpRoute: {enabled: true, parentRefs: [{name: shared}]}"
    assert "BackendTLSPolicy" in rendered(OWN, route).notes
    assert "BackendTLSPolicy" not in rendered(route).notes


def test_a_script_of_ones_own_has_the_certificate_and_renews_it_itself() -> None:
    manifests = rendered(OWN, "{image: {repository: a.example.com/b, tag: v1}, engine: {passArguments: false}}")
    assert any(mount["name"] == "certificate" for mount in engine(manifests)["volumeMounts"])
    assert "certificate.py" not in manifests.one("ConfigMap", "llm-vllm-lifecycle")["data"]
    assert "Secret llm-tls" in manifests.notes
    assert smoke.reach.serves_tls([engine(manifests)])
