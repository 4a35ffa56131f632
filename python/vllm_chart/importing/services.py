"""Services and Ingresses as values."""

from collections.abc import Mapping
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.importing.belonging import Companions, backends, extra_object
from vllm_chart.importing.objects import Object
from vllm_chart.importing.pod import owned_labels
from vllm_chart.importing.source import Part

Json = Any


def service(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    draft, spec = found.draft, one.get("spec")
    assert spec
    if found.services:
        _another_service(found, one, annotations)
        return
    found.services[one.name] = one
    remedy = f"for that name, write fullnameOverride: {one.name}, once the Service of today is gone"
    message = f"clients find the release by another name than {one.name}: that of release and chart"
    found.findings.append(Finding("import-carries", str(one), message, remedy, "warning"))
    for key, part in annotations.items():
        draft.put(part, ("service", "annotations", key), part.value)
    labels = one.get("metadata", "labels")
    for key, part in (labels.fields() if labels else {}).items():
        if key in owned_labels():
            part.covered("the chart sets it")
        elif (draft.get("commonLabels") or {}).get(key) == part.value:
            part.carried(f"commonLabels.{key}")
        else:
            draft.put(part, ("service", "labels", key), part.value)
    spec.cover("the chart selects its pods by name and instance", "selector")
    for key in _SERVICE:
        draft.take(spec.get(key), f"service.{key}")
    if (address := spec.get("clusterIP")) and address.value == "None":
        draft.put(address, "service.clusterIP", "None")
    elif address:
        address.covered("the cluster gives it")
    spec.cover("the cluster gives it", "clusterIPs")
    spec.cover("as the cluster has it", "allocateLoadBalancerNodePorts", "healthCheckNodePort")
    if (unready := spec.get("publishNotReadyAddresses")) and unready.value:
        unready.left("the chart's Service leads to pods that are ready", "write a Service in extraObjects")
    _service_ports(found, spec)


_SERVICE = (
    *("type", "sessionAffinity", "sessionAffinityConfig", "trafficDistribution", "externalTrafficPolicy"),
    *("internalTrafficPolicy", "loadBalancerClass", "loadBalancerSourceRanges", "ipFamilyPolicy", "ipFamilies"),
)


def _service_ports(found: Companions, spec: Part) -> None:
    """The engine's port is the chart's; others are added to it."""
    draft = found.draft
    engine = int(draft.get("containerPort") or 8000)
    names = {port.value_of("name"): port.value_of("containerPort") for port in found.reader.container.maps("ports")}

    def target(port: Part) -> Json:
        wanted = port.value_of("targetPort") or port.value_of("port")
        return names.get(wanted, wanted)

    ports = spec.maps("ports")
    main = next((port for port in ports if str(target(port)) == str(engine)), None)
    for port in ports:
        _node_port(found, port, "service" if port is main else "service.extraPorts")
        if port is not main:
            draft.put(
                port, "service.extraPorts", [*(draft.get("service.extraPorts") or ()), _extra(port, target(port))]
            )
            continue
        draft.take(port.get("port"), "service.port")
        draft.take(port.get("nodePort"), "service.nodePort")
        port.cover("the chart's own leads to the engine", "targetPort", "protocol")
        if (name := port.get("name")) and name.value != "http":
            name.left("the chart calls the port http", "", "info")
        elif name:
            name.covered("the chart calls the port http")
        if application := port.get("appProtocol"):
            application.left("the chart's Service has no appProtocol", "write a Service in extraObjects", "warning")


def _node_port(found: Companions, port: Part, key: str) -> None:
    """Tell that a port of the nodes is taken as long as the Service of today is there."""
    if node_port := port.get("nodePort"):
        message = f"port {node_port.value} of the nodes is the Service's of today, and another can't have it"
        remedy = f"delete that one first, or take nodePort out of {key}"
        found.findings.append(Finding("import-carries", str(node_port), message, remedy, "warning"))


def _extra(port: Part, target: Json) -> Json:
    kept = {key: value for key, value in port.value.items() if key != "protocol" or value != "TCP"}
    named = str(kept.get("name") or "http")
    name = f"port-{port.value_of('port')}" if named == "http" else named  # the chart's own port is called http
    return {**kept, "name": name, "targetPort": target}


def _another_service(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    if one.value_of("spec", "clusterIP") == "None":
        found.draft.put(None, "service.pods.enabled", True)
        spec = one.get("spec")
        assert spec
        spec.carried("service.pods.enabled")
        for part in (*annotations.values(), one.get("metadata", "labels")):
            if part:
                part.left(
                    "the chart's headless Service has none of its own",
                    "write commonLabels or commonAnnotations",
                    "info",
                )
        return
    if not extra_object(found, one, annotations, without=_CLUSTERS_OWN):
        return
    spec = one.get("spec")
    assert spec
    spec.cover("the cluster gives it", *_CLUSTERS_OWN)
    for port in spec.maps("ports"):
        _node_port(found, port, "extraObjects")


#: Of which no two Services may have the same; the API server writes them.
_CLUSTERS_OWN = ("clusterIP", "clusterIPs", "healthCheckNodePort")


def ingress(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    draft, spec = found.draft, one.get("spec")
    assert spec
    draft.put(None, "ingress.enabled", True)
    draft.take(spec.get("ingressClassName"), "ingress.className")
    draft.take(spec.get("tls"), "ingress.tls")
    for name, part in annotations.items():
        draft.put(part, ("ingress", "annotations", name), part.value)
    labels = one.get("metadata", "labels")
    for name, part in (labels.fields() if labels else {}).items():
        draft.put(part, ("ingress", "labels", name), part.value)
    hosts = []
    for rule in spec.maps("rules"):
        http = rule.get("http")
        for path in http.maps("paths") if http else []:
            if any(name in found.services for name in backends(path.value)):
                reason = "the chart's Ingress opens the paths of the API alone, each exactly"
                path.left(reason, "write ingress.paths for others", "warning")
        if host := rule.get("host"):
            hosts.append(host.value)
            host.carried("ingress.hosts")
    draft.put(None, "ingress.hosts", hosts)
