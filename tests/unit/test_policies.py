"""The evaluator of NetworkPolicies: the cases that network plugins are tested by, Kubernetes' own examples, and a
second formulation, in sets, that has to agree on policies that nobody thought of."""

import ipaddress
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vllm_chart.rendered.policies import End, connects, passes

Json = Mapping[str, Any]


def policy(text: str, namespace: str = "x") -> dict[str, Any]:
    return {"metadata": {"name": "policy", "namespace": namespace}, "spec": yaml.safe_load(text)}


# The cases of Kubernetes' end-to-end tests for network plugins: test/e2e/network/netpol/network_policy.go of
# kubernetes/kubernetes, pods a, b and c (label `pod`) in the namespaces x, y and z (label `ns`), each with two ports.

PODS = {
    f"{ns}/{pod}": End(ns, {"pod": pod}, {"ns": ns}, ports={("serve-80-tcp", "TCP"): 80, ("serve-81-tcp", "TCP"): 81})
    for ns in "xyz"
    for pod in "abc"
}
EVERYBODY = set(PODS)
A, ALL_IN_X = "podSelector: {matchLabels: {pod: a}}", "podSelector: {}"
NOT_X = "namespaceSelector: {matchExpressions: [{key: ns, operator: NotIn, values: [x]}]}"

#: name, policies of the namespace x, target, port, who of all reaches it
CONFORMANCE: list[tuple[str, list[str], str, int, set[str]]] = [
    ("default-deny-ingress", [f"{{{ALL_IN_X}, policyTypes: [Ingress], ingress: []}}"], "x/a", 80, set()),
    ("default-deny-ingress elsewhere", [f"{{{ALL_IN_X}, policyTypes: [Ingress]}}"], "y/a", 80, EVERYBODY),
    ("no policyTypes", [f"{{{ALL_IN_X}}}"], "x/a", 80, set()),
    (
        "default-deny-all, both ways",
        [f"{{{ALL_IN_X}, policyTypes: [Ingress, Egress]}}"],
        "y/a",
        80,
        EVERYBODY - {"x/a", "x/b", "x/c"},
    ),
    (
        "traffic only from pods of the same namespace, by PodSelector",
        [f"{{{A}, ingress: [{{from: [{{podSelector: {{matchLabels: {{pod: b}}}}}}]}}]}}"],
        "x/a",
        80,
        {"x/b"},
    ),
    (
        "ingress for a target",
        [
            f"{{{ALL_IN_X}, ingress: []}}",
            f"{{{A}, ingress: [{{from: [{{podSelector: {{}}, namespaceSelector: {{}}}}]}}]}}",
        ],
        "x/a",
        80,
        EVERYBODY,
    ),
    ("pods of all namespaces", [f"{{{A}, ingress: [{{from: [{{namespaceSelector: {{}}}}]}}]}}"], "x/a", 80, EVERYBODY),
    (
        "a different namespace, by NamespaceSelector",
        [f"{{{A}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{ns: y}}}}}}]}}]}}"],
        "x/a",
        80,
        {"y/a", "y/b", "y/c"},
    ),
    (
        "PodSelector with MatchExpressions",
        [
            f"{{{A}, ingress: [{{from: "
            "[{podSelector: {matchExpressions: [{key: pod, operator: In, values: [b]}]}}]}]}"
        ],
        "x/a",
        80,
        {"x/b"},
    ),
    (
        "PodSelector or NamespaceSelector",
        [f"{{{A}, ingress: [{{from: [{{{NOT_X}}}, {{podSelector: {{matchLabels: {{pod: b}}}}}}]}}]}}"],
        "x/a",
        80,
        EVERYBODY - {"x/a", "x/c"},
    ),
    (
        "PodSelector and NamespaceSelector",
        [f"{{{A}, ingress: [{{from: [{{{NOT_X}, podSelector: {{matchLabels: {{pod: b}}}}}}]}}]}}"],
        "x/a",
        80,
        {"y/b", "z/b"},
    ),
    (
        "any PodSelectors",
        [
            f"{{{A}, ingress: [{{from: [{{podSelector: {{matchLabels: {{pod: b}}}}}}, "
            f"{{podSelector: {{matchLabels: {{pod: c}}}}}}]}}]}}"
        ],
        "x/a",
        80,
        {"x/b", "x/c"},
    ),
    (
        "Ports, the other one",
        [f"{{{A}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{ns: y}}}}}}], ports: [{{port: 81}}]}}]}}"],
        "x/a",
        80,
        set(),
    ),
    (
        "Ports",
        [f"{{{A}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{ns: y}}}}}}], ports: [{{port: 81}}]}}]}}"],
        "x/a",
        81,
        {"y/a", "y/b", "y/c"},
    ),
    (
        "multiple, stacked policies with overlapping podSelectors",
        [f"{{{A}, ingress: [{{ports: [{{port: 81}}]}}]}}", f"{{{A}, ingress: [{{ports: [{{port: 80}}]}}]}}"],
        "x/a",
        80,
        EVERYBODY,
    ),
    ("allow-all", [f"{{{ALL_IN_X}, ingress: [{{}}]}}"], "x/a", 81, EVERYBODY),
    ("a port by its name", [f"{{{A}, ingress: [{{ports: [{{port: serve-81-tcp}}]}}]}}"], "x/a", 81, EVERYBODY),
    ("a port by another name", [f"{{{A}, ingress: [{{ports: [{{port: serve-80-tcp}}]}}]}}"], "x/a", 81, set()),
    ("a range of ports", [f"{{{A}, ingress: [{{ports: [{{port: 79, endPort: 81}}]}}]}}"], "x/a", 80, EVERYBODY),
    ("a range that ends before", [f"{{{A}, ingress: [{{ports: [{{port: 70, endPort: 79}}]}}]}}"], "x/a", 80, set()),
    ("protocols are not mixed", [f"{{{A}, ingress: [{{ports: [{{port: 80, protocol: UDP}}]}}]}}"], "x/a", 80, set()),
    ("a protocol's every port", [f"{{{A}, ingress: [{{ports: [{{protocol: TCP}}]}}]}}"], "x/a", 80, EVERYBODY),
    (
        "egress of the source and ingress of the target, both are asked",
        [f"{{{A}, policyTypes: [Egress], egress: [{{to: [{{podSelector: {{matchLabels: {{pod: b}}}}}}]}}]}}"],
        "x/b",
        80,
        EVERYBODY,
    ),
    (
        "egress to a port of another",
        [f"{{{A}, policyTypes: [Egress], egress: [{{ports: [{{port: serve-81-tcp}}]}}]}}"],
        "y/a",
        80,
        EVERYBODY - {"x/a"},
    ),
    (
        "egress without policyTypes",
        [f"{{{A}, ingress: [{{}}], egress: [{{ports: [{{port: 1}}]}}]}}"],
        "y/a",
        80,
        EVERYBODY - {"x/a"},
    ),
    ("an empty egress without policyTypes", [f"{{{A}, ingress: [{{}}], egress: []}}"], "y/a", 80, EVERYBODY),
]


@pytest.mark.parametrize(
    ("policies", "target", "port", "who"), [row[1:] for row in CONFORMANCE], ids=[row[0] for row in CONFORMANCE]
)
def test_a_case_of_the_conformance_tests(policies: list[str], target: str, port: int, who: set[str]) -> None:
    written = [policy(text) for text in policies]
    reached = {name for name, pod in PODS.items() if connects(written, pod, PODS[target], port).allowed}
    assert reached == who


# Addresses: the example of https://kubernetes.io/docs/concepts/services-networking/network-policies/

EXAMPLE = """
podSelector: {matchLabels: {pod: a}}
policyTypes: [Ingress, Egress]
ingress:
  - from:
      - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
      - namespaceSelector: {matchLabels: {project: myproject}}
      - podSelector: {matchLabels: {role: frontend}}
    ports: [{protocol: TCP, port: 6379}]
egress:
  - to: [{ipBlock: {cidr: 10.0.0.0/24}}]
    ports: [{protocol: TCP, port: 5978}]
"""
ADDRESSES = [
    ("Ingress", End(address="172.17.0.1"), 6379, True),
    ("Ingress", End(address="172.17.2.255"), 6379, True),
    ("Ingress", End(address="172.17.1.1"), 6379, False),
    ("Ingress", End(address="172.18.0.1"), 6379, False),
    ("Ingress", End(address="172.17.0.1"), 6380, False),
    ("Ingress", End(address="::ffff:172.17.0.1"), 6379, False),
    ("Ingress", End("y", {}, {"project": "myproject"}), 6379, True),
    ("Ingress", End("y", {"role": "frontend"}), 6379, False),
    ("Ingress", End("x", {"role": "frontend"}), 6379, True),
    ("Ingress", End("x", {"role": "backend"}), 6379, False),
    ("Ingress", End("x", {"role": "backend"}, address="172.17.0.9"), 6379, True),
    ("Egress", End(address="10.0.0.7"), 5978, True),
    ("Egress", End(address="10.0.1.7"), 5978, False),
    ("Egress", End(address="10.0.0.7"), 5979, False),
]


@pytest.mark.parametrize(("direction", "peer", "port", "allowed"), ADDRESSES)
def test_the_example_of_the_documentation(direction: Any, peer: End, port: int, allowed: bool) -> None:
    assert passes([policy(EXAMPLE)], direction, PODS["x/a"], peer, port, "TCP").allowed is allowed


def test_a_namespace_has_its_name_as_a_label() -> None:
    text = f"{{{A}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: y}}}}}}]}}]}}"
    assert connects([policy(text)], PODS["y/a"], PODS["x/a"], 80).allowed
    assert not connects([policy(text)], PODS["z/a"], PODS["x/a"], 80).allowed


def test_a_verdict_names_the_rule_or_all_policies_that_have_none() -> None:
    policies = [policy(f"{{{A}, ingress: [{{ports: [{{port: 1}}]}}, {{ports: [{{port: 80}}]}}]}}"), policy(f"{{{A}}}")]

    assert connects(policies, PODS["y/a"], PODS["x/a"], 80).why == "NetworkPolicy/policy: ingress[1]"
    assert connects(policies, PODS["y/a"], PODS["x/a"], 81).why == (
        "no ingress rule of NetworkPolicy/policy, NetworkPolicy/policy lets it"
    )
    assert connects(policies, PODS["y/a"], PODS["y/b"], 80).why == ""


# A second formulation. A policy is the set of all (peer, port) that it lets through, made by set algebra out of a small
# world; nothing of it asks about one connection, and addresses are numbers.

ENDS = [*PODS.values(), *(End(address=f"10.0.{third}.{fourth}") for third in (0, 1) for fourth in (0, 1, 128, 255))]
PORTS = [(port, protocol) for port in (79, 80, 81, 82) for protocol in ("TCP", "UDP")]
WORLD = set(itertools.product(range(len(ENDS)), PORTS))


def having(selector: Json | None, labels: Sequence[Mapping[str, str]]) -> set[int]:
    """The places in a list of labels that a selector picks."""
    every = set(range(len(labels)))
    if selector is None:
        return every
    picked = every
    for key, value in (selector.get("matchLabels") or {}).items():
        picked = picked & {place for place in every if (key, value) in labels[place].items()}
    for one in selector.get("matchExpressions") or []:
        has = {place for place in every if one["key"] in labels[place]}
        among = {place for place in has if labels[place][one["key"]] in one.get("values", [])}
        picked = (
            picked & {"In": among, "NotIn": every - among, "Exists": has, "DoesNotExist": every - has}[one["operator"]]
        )
    return picked


def numbers(network: str) -> range:
    block = ipaddress.IPv4Network(network, strict=False)
    return range(int(block.network_address), int(block.broadcast_address) + 1)


def those(peers: Sequence[Json] | None) -> set[int]:
    """The ends that a list of peers names."""
    if not peers:
        return set(range(len(ENDS)))
    are_pods = {place for place, end in enumerate(ENDS) if end.namespace}
    at_home = {place for place in are_pods if ENDS[place].namespace == "x"}
    found: set[int] = set()
    for peer in peers:
        if "ipBlock" in peer:
            value = {
                place: int(ipaddress.IPv4Address(ENDS[place].address))
                for place in range(len(ENDS))
                if ENDS[place].address
            }
            inside = {place for place, number in value.items() if number in numbers(peer["ipBlock"]["cidr"])}
            for hole in peer["ipBlock"].get("except", []):
                inside -= {place for place, number in value.items() if number in numbers(hole)}
            found |= inside
            continue
        spaces = [{**end.namespace_labels, "kubernetes.io/metadata.name": end.namespace} for end in ENDS]
        where = having(peer["namespaceSelector"], spaces) if "namespaceSelector" in peer else at_home
        found |= where & are_pods & having(peer.get("podSelector"), [end.labels for end in ENDS])
    return found


def at(ports: Sequence[Json] | None, target: End) -> set[tuple[int, str]]:
    """The ports that a list names at a target."""
    if not ports:
        return {*PORTS}
    found = set()
    for one in ports:
        protocol = one.get("protocol", "TCP")
        first = one.get("port")
        if isinstance(first, str):
            span = {number for (name, of), number in target.ports.items() if (name, of) == (first, protocol)}
        else:
            span = {*range(first, one.get("endPort", first) + 1)} if first else {port for port, _ in PORTS}
        found |= {(port, protocol) for port in span}
    return found & {*PORTS}


def let_in(policies: Sequence[Json], pod: End) -> set[tuple[int, tuple[int, str]]]:
    """All that may reach a pod of the namespace x: (who, port)."""
    about = [one["spec"] for one in policies if having(one["spec"].get("podSelector"), [pod.labels])]
    about = [spec for spec in about if "Ingress" in spec.get("policyTypes", ["Ingress"])]
    open_: set[tuple[int, tuple[int, str]]] = set() if about else WORLD
    for spec in about:
        for rule in spec.get("ingress", []):
            open_ |= set(itertools.product(those(rule.get("from")), at(rule.get("ports"), pod)))
    return open_


def let_out(policies: Sequence[Json], pod: End) -> set[tuple[int, tuple[int, str]]]:
    """All that a pod of the namespace x may reach: (whom, port)."""
    about = [one["spec"] for one in policies if having(one["spec"].get("podSelector"), [pod.labels])]
    about = [
        spec for spec in about if ("Egress" in spec["policyTypes"] if "policyTypes" in spec else spec.get("egress"))
    ]
    open_: set[tuple[int, tuple[int, str]]] = set() if about else WORLD
    for spec in about:
        for rule in spec.get("egress", []):
            for whom in those(rule.get("to")):
                open_ |= {(whom, port) for port in at(rule.get("ports"), ENDS[whom])}
    return open_


def selectors(key: str, values: list[str]) -> st.SearchStrategy[Json]:
    value = st.sampled_from(values)
    expression = st.one_of(
        st.fixed_dictionaries({"key": st.just(key), "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
        st.fixed_dictionaries(
            {
                "key": st.sampled_from([key, "none"]),
                "operator": st.sampled_from(["In", "NotIn"]),
                "values": st.lists(value, min_size=1),
            }
        ),
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "matchLabels": st.dictionaries(st.just(key), value, max_size=1),
            "matchExpressions": st.lists(expression, max_size=2),
        },
    )


NETWORKS = st.sampled_from(
    ["10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/25", "10.0.1.128/32", "0.0.0.0/0", "192.168.0.0/16"]
)
PEERS = st.one_of(
    st.fixed_dictionaries(
        {"ipBlock": st.fixed_dictionaries({"cidr": NETWORKS}, optional={"except": st.lists(NETWORKS, max_size=2)})}
    ),
    st.fixed_dictionaries({"podSelector": selectors("pod", ["a", "b", "c"])}),
    st.fixed_dictionaries({"namespaceSelector": selectors("ns", ["x", "y", "z"])}),
    st.fixed_dictionaries(
        {"podSelector": selectors("pod", ["a", "b"]), "namespaceSelector": selectors("ns", ["x", "y"])}
    ),
)
PROTOCOL = {"protocol": st.sampled_from(["TCP", "UDP"])}
POLICY_PORTS = st.one_of(
    st.fixed_dictionaries({}, optional=PROTOCOL),
    st.fixed_dictionaries({"port": st.sampled_from(["serve-80-tcp", "serve-81-tcp", "web"])}, optional=PROTOCOL),
    st.fixed_dictionaries({"port": st.integers(78, 82)}, optional=PROTOCOL),
    st.fixed_dictionaries({"port": st.integers(78, 80), "endPort": st.integers(80, 82)}, optional=PROTOCOL),
)


def rules(peers: str) -> st.SearchStrategy[list[Json]]:
    optional = {peers: st.lists(PEERS, max_size=2), "ports": st.lists(POLICY_PORTS, max_size=2)}
    return st.lists(st.fixed_dictionaries({}, optional=optional), max_size=2)


SPECS = st.fixed_dictionaries(
    {"podSelector": selectors("pod", ["a", "b", "c"])},
    optional={
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        "ingress": rules("from"),
        "egress": rules("to"),
    },
)


@settings(deadline=None)
@given(st.lists(SPECS, max_size=3))
def test_two_formulations_agree(specs: list[Json]) -> None:
    policies = [{"metadata": {"name": str(place), "namespace": "x"}, "spec": spec} for place, spec in enumerate(specs)]
    pod = PODS["x/a"]
    for direction, expected in (("Ingress", let_in(policies, pod)), ("Egress", let_out(policies, pod))):
        found = {
            (place, port)
            for place, end in enumerate(ENDS)
            for port in PORTS
            if passes(policies, direction, pod, end, *port).allowed  # type: ignore[arg-type]
        }
        assert found == expected, direction
