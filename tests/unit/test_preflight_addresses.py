"""Preflight of addresses, keys and claims for each pod: what a cluster says of them."""

import base64
from typing import Any

import pytest
from kubernetes.client import V1Node, V1Secret

from tests.preflights import NODES, preflight, said


def nodes(ranges: list[str], *addresses: str) -> list[V1Node]:
    found = []
    for node in NODES:
        document: dict[str, Any] = node.model_dump(by_alias=True, exclude_none=True)
        document["spec"]["podCIDRs"] = ranges
        document["status"]["addresses"] = [{"type": "InternalIP", "address": address} for address in addresses]
        found.append(V1Node.model_validate(document))
    return found


SIX = nodes(["fd00:10::/64"])


@pytest.mark.parametrize(
    ("values", "there", "words"),
    [
        ("", SIX, "write service.ipFamilies: [IPv6]"),
        ("", nodes(["fd00:10::/64", "10.0.0.0/24"]), "pods get IPv6 addresses here"),
        ("", nodes([], "fd00::1"), "pods get IPv6 addresses here"),
        ("engine: {args: {host: 0.0.0.0}}", SIX, 'write engine.args.host: "::"'),
        ("engine: {extraArgs: [--host, 0.0.0.0]}", SIX, "listens on 0.0.0.0 alone"),
        ("service: {ipFamilies: [IPv6]}", SIX, ""),
        ('engine: {args: {host: "::"}}', SIX, ""),
        (
            "engine: {args: {host: $(IP)}}\nenv: {IP: {valueFrom: {fieldRef: {fieldPath: status.podIP}}}}",
            SIX,
            "",
        ),
        (
            "image: {repository: a.io/b, tag: v1}\nengine: {passArguments: false}",
            SIX,
            "",
        ),
        ("", nodes(["10.0.0.0/24", "fd00:10::/64"]), ""),
        ("", nodes([], "10.0.0.1"), ""),
        ("", nodes([]), ""),
    ],
)
def test_the_engine_listens_where_pods_are(values: str, there: list[V1Node], words: str) -> None:
    findings = [one for one in preflight(values, nodes=there) if one.check == "addresses"]
    assert bool(findings) == bool(words)
    assert words in said(findings)


def secret(**data: bytes) -> V1Secret:
    return V1Secret.model_validate({"data": {key: base64.b64encode(value).decode() for key, value in data.items()}})


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (secret(a=b"x", b=b"y"), ""),
        (secret(a=b"x"), "it has no key b, but: a | or correct auth.apiKeySecretRefs"),
        (secret(a=b"x", b=b""), "Secret/keys: b: it is empty"),
        (secret(a=b"x", b=b"y\n"), "white space"),
        (None, "or correct auth.apiKeySecretRef"),
    ],
)
def test_every_key_is_there_and_one_that_a_header_takes(found: V1Secret | None, words: str) -> None:
    text = "auth: {apiKeySecretRefs: [{name: keys, key: a}, {name: keys, key: b}]}"
    findings = preflight(text, found={("Secret", "keys"): found})
    assert bool(findings) == bool(words)
    assert all(part in said(findings) for part in words.split(" | "))


@pytest.mark.parametrize(("values", "words"), [("", "no StorageClass is the default"), ("fast", "StorageClass/fast")])
def test_a_claim_for_each_pod_needs_a_class_too(values: str, words: str) -> None:
    text = f"persistence: {{enabled: true, ephemeral: true, storageClassName: '{values}'}}"
    assert words in said(preflight(text, classes=[]))
