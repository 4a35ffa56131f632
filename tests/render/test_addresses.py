"""Which address the engine listens on: IPv4, IPv6 or both, one of its own, and what cannot be reached there."""

import pytest
from helm_python import values_from_yaml

from tests.render.verdicts import Row, hold
from tests.render.view import View
from vllm_chart.helm import render

PROXY = (
    "extraContainers: [{name: proxy, image: 'nginx:1.27', ports: [{name: front, containerPort: 8443}]}], "
    "service: {targetPort: front}"
)
PROBES = ", ".join(f"{name}Probe: {{tcpSocket: {{port: 8443}}}}" for name in ("startup", "readiness", "liveness"))

#: Values, and the `--host` that is rendered.
HOSTS: list[tuple[str, str, str | None]] = [
    ("a default cluster", "{}", None),
    ("IPv4", "service: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv4]}", None),
    ("IPv6", "service: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]}", "::"),
    ("IPv6, the policy left to the cluster", "service: {ipFamilies: [IPv6]}", "::"),
    ("both, IPv4 first", "service: {ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv4, IPv6]}", "::"),
    ("both, IPv6 first", "service: {ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6, IPv4]}", "::"),
    ("both if there are", "service: {ipFamilyPolicy: PreferDualStack}", "::"),
    ("both, IPv4 named", "service: {ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv4]}", "::"),
    ("an IPv6 address of the Service", "service: {clusterIP: 'fd00::10'}", "::"),
    ("an IPv4 address of the Service", "service: {clusterIP: 10.96.0.10}", None),
    ("headless, IPv6", "service: {clusterIP: None, ipFamilies: [IPv6]}", "::"),
    ("the user's own, IPv6", 'engine: {args: {host: "::"}}', "::"),
    ("the user's own, IPv4", "engine: {args: {host: 0.0.0.0}}", "0.0.0.0"),
    ("the user's own wins", "{engine: {args: {host: 0.0.0.0}}, service: {ipFamilyPolicy: PreferDualStack}}", "0.0.0.0"),
    ("the user's own, in words", "{engine: {extraArgs: [--host, '::']}, service: {ipFamilies: [IPv6]}}", "::"),
]


@pytest.mark.parametrize(("text", "host"), [row[1:] for row in HOSTS], ids=[row[0] for row in HOSTS])
def test_the_engine_listens_where_the_service_sends(text: str, host: str | None) -> None:
    hold(text, "")
    args = View(render(values={"model": {"id": "org/name"}} | values_from_yaml(text))).args
    words = [word for word in args if word.startswith("--host=")]
    words += [f"--host={args[index + 1]}" for index, word in enumerate(args) if word == "--host"]
    assert words == ([f"--host={host}"] if host else [])


ROWS: list[Row] = [
    (
        "the pod's own address",
        "{engine: {args: {host: $(POD_IP)}}, env: {POD_IP: {valueFrom: {fieldRef: {fieldPath: status.podIP}}}}}",
        "",
    ),
    ("the node's address on the node's network", "{hostNetwork: true, engine: {args: {host: 10.1.2.3}}}", ""),
    ("a proxy in front", f"{{engine: {{args: {{host: 127.0.0.1}}}}, {PROXY}, {PROBES}}}", ""),
    ("a proxy in front, IPv6", f'{{engine: {{args: {{host: "::1"}}}}, {PROXY}, {PROBES}}}', ""),
    (
        "a proxy in front, and the kubelet's own probes",
        f"{{engine: {{args: {{host: 127.0.0.1}}}}, {PROXY}}}",
        "error: readinessProbe: the kubelet asks the pod's address",
    ),
    ("loopback", "engine: {args: {host: 127.0.0.1}}", "error: is reached from inside the pod only"),
    ("loopback by name", "engine: {args: {host: localhost}}", "error: is reached from inside the pod only"),
    ("loopback, IPv6", 'engine: {args: {host: "::1"}}', "error: is reached from inside the pod only"),
    ("loopback in words", "engine: {extraArgs: [--host=127.0.0.1]}", "error: is reached from inside the pod only"),
    (
        "IPv4 alone, IPv6 Service",
        "{engine: {args: {host: 0.0.0.0}}, service: {ipFamilies: [IPv6]}}",
        'error: is IPv4 alone, and the Service has an IPv6 address (service.ipFamilies) [rule]\n    -> write "::"',
    ),
    (
        "IPv4 alone, both required",
        "{engine: {args: {host: 0.0.0.0}}, service: {ipFamilyPolicy: RequireDualStack}}",
        "error: is IPv4 alone",
    ),
    (
        "IPv4 alone, the Service's address IPv6",
        "{engine: {args: {host: 0.0.0.0}}, service: {clusterIP: 'fd00::1'}}",
        "error: is IPv4 alone",
    ),
    ("an address of one pod", "engine: {args: {host: 10.1.2.3}}", "error: is the address of one pod at most"),
    ("an address of one pod, IPv6", "engine: {args: {host: 'fd00::5'}}", "error: is the address of one pod at most"),
    ("brackets", 'engine: {args: {host: "[::]"}}', "error: is no address"),
    ("a URL", "engine: {args: {host: 'http://0.0.0.0'}}", "error: is no address"),
    ("a port too", "engine: {args: {host: '0.0.0.0:8000'}}", "error: is no address"),
    ("an asterisk", "engine: {args: {host: '*'}}", "error: is no address"),
    ("a socket", "engine: {args: {uds: /tmp/vllm.sock}}", "error: a Service cannot reach a Unix socket"),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_host(text: str, expected: str) -> None:
    hold(text, expected)


@pytest.mark.parametrize(("host", "forwarded"), [("", True), ("0.0.0.0", True), ("'::'", True), ("$(POD_IP)", False)])
def test_no_port_forward_is_advised_that_reaches_nothing(host: str, forwarded: bool) -> None:
    args = {"args": {"host": host.strip("'")}} if host else {}
    pod_ip = {"POD_IP": {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}}
    notes = render(values={"model": {"id": "a/b"}, "engine": args, "env": pod_ip}).notes
    assert ("port-forward service/" in notes) == forwarded
    assert ("no port-forward reaches it" in notes) != forwarded
