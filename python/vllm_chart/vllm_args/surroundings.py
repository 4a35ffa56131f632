"""Warnings about what the engine's arguments and variables name beside the model: other repositories, other
processes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines
from vllm_chart.vllm_args import peers, repositories
from vllm_chart.vllm_args.argv import ArgvError
from vllm_chart.vllm_args.container import Told, read

REVISIONS = "revisions"
PEERS = "peers"

CHECKS = (
    Check(
        REVISIONS,
        "Where the model is pinned to a revision, the other repositories that the engine loads are pinned as well.",
        "A draft or tokenizer that changes on the Hub changes the service at the next restart, though the model stays.",
        "Engine",
    ),
    Check(
        PEERS,
        "Other pods can dial what the engine tells them to, and something listens where it dials itself.",
        "An engine starts all the same; every transfer between two of them fails, or is computed again.",
        "Engine",
    ),
)

LOCAL = re.compile(r"^([a-z]+://)?(localhost|127\.[0-9.]+|\[?::1\]?|0\.0\.0\.0|the name of its pod)([:/]|$)")
"""Addresses that lead to whoever dials them."""


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """Warnings about a rendered release; none where the arguments cannot be read, which another check tells of.

    values: the merged values of the chart. app_version: the version that an empty image.tag stands for.
    """
    pod, container = next(engines(manifests), (None, None))
    if pod is None or container is None:
        return []
    image = values.get("image") or {}
    try:
        told = read(container, str(image.get("tag") or ("" if image.get("digest") else app_version)))
    except ArgvError:
        return []
    alone = len(pod.spec["containers"]) == 1 and not (pod.spec.get("initContainers") or pod.spec.get("hostNetwork"))
    port = int(values["containerPort"])
    return [*_unpinned(told), *(_unreachable(told, container, port) if alone else ())]


def _unpinned(told: Told) -> Iterator[Finding]:
    if not told.arguments.get("revision"):
        return
    for found in repositories.named(told.arguments, told.environment):
        place = found.place
        if found.is_repository and place.revision and not found.pinned and found.text != told.arguments["model_tag"]:
            message = f"{found.text} is not pinned, though the model is, and changes when the Hub's does"
            remedy = f"write engine.args.{place.revision}, or the path of a mounted copy"
            yield Finding(REVISIONS, place.where, message, remedy, severity="warning")


POD_IP = "{valueFrom: {fieldRef: {fieldPath: status.podIP}}}"


def _unreachable(told: Told, container: Mapping[str, Any], port: int) -> Iterator[Finding]:
    """Addresses of a pod with one container, in which nobody else could be meant."""
    hidden = {variable["name"]: "" for variable in container.get("env") or () if variable.get("valueFrom")}
    env = {**hidden, **told.environment}
    for connector in peers.loaded(told.arguments, env):
        for address in peers.ADDRESSES:
            for value in filter(LOCAL.search, peers.told(address, connector, env)):
                message = f"{connector.name} tells other pods to dial {value}, which leads them to themselves"
                remedy = f"write env.{address.env}: {POD_IP}"
                if address.key:
                    remedy = f"write $(POD_IP) in its {address.key}, and env.POD_IP: {POD_IP}"
                yield Finding(PEERS, _where(connector), message, remedy, severity="warning")
        for dialled in peers.DIALLED:
            value = str(connector.extra.get(dialled.key, dialled.default))
            if connector.name in dialled.connectors and LOCAL.search(value):
                message = f"{connector.name} dials {value}, where nothing listens but the engine"
                remedy = f"write {dialled.key} in its extra config, or add the other process to extraContainers"
                yield Finding(PEERS, _where(connector), message, remedy, severity="warning")
        told_port = connector.extra.get("http_port", port)
        if connector.name == "MoRIIOConnector" and str(told_port) != str(port):
            message = f"the router is told http_port {told_port}, and the engine listens on {port}"
            yield Finding(PEERS, _where(connector), message, f"write http_port: {port}", severity="warning")


def _where(connector: peers.Loaded) -> str:
    return f"engine.args.{'ec' if connector.name in peers.EC_CONNECTORS else 'kv'}-transfer-config"
