"""Warnings about what the engine's arguments and variables name beside the model: other repositories, other
processes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.vllm_args import peers, repositories
from vllm_chart.vllm_args.container import Told, of_release

REVISIONS = "revisions"
PEERS = "peers"
VOCABULARY = "vocabulary"

CHECKS = (
    Check(
        REVISIONS,
        "Adapters are pinned to a revision, and where the model is, so is what else the engine loads of the Hub.",
        "A draft or tokenizer that changes on the Hub changes the service at the next restart, though the model stays.",
        "Engine",
    ),
    Check(
        PEERS,
        "Other pods can dial what the engine tells them to, and something listens where it dials itself.",
        "An engine starts all the same; every transfer between two of them fails, or is computed again.",
        "Engine",
    ),
    Check(
        VOCABULARY,
        "A gpt-oss that is offline has its vocabulary in a volume.",
        "vLLM downloads it as it starts, and ends where it can't.",
        "Engine",
    ),
)

OWN_CONTAINERS = {"vllm", "adapters", "wait-for-download"}
"""The chart's own of the engine's pod: none of them listens."""

LOCAL = re.compile(r"^([a-z]+://)?(localhost|127\.[0-9.]+|\[?::1\]?|0\.0\.0\.0|the name of its pod)([:/]|$)")
"""Addresses that lead to whoever dials them."""


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """Warnings about a rendered release; none where the arguments cannot be read, which another check tells of.

    values: the merged values of the chart. app_version: the version that an empty image.tag stands for.
    """
    engine = of_release(manifests, values, app_version)
    if engine is None:
        return []
    pod, container, told = engine
    others = {
        one["name"] for one in [*pod.spec["containers"], *(pod.spec.get("initContainers") or ())]
    } - OWN_CONTAINERS
    alone = not others and not pod.spec.get("hostNetwork")
    port = int(values["containerPort"])
    addresses = (*_unreachable(told, container, port), *_dialled(told, container)) if alone else ()
    return [*_unpinned(told), *_unpinned_adapters(values), *addresses, *_waiting(told), *_vocabulary(told, container)]


def _unpinned(told: Told) -> Iterator[Finding]:
    if not told.arguments.get("revision"):
        return
    for found in repositories.named(told.arguments, told.environment):
        place = found.place
        if found.is_repository and place.revision and not found.pinned and found.text != told.arguments["model_tag"]:
            message = f"{found.text} is not pinned, though the model is, and changes when the Hub's does"
            remedy = f"write engine.args.{place.revision}, or the path of a mounted copy"
            yield Finding(REVISIONS, place.where, message, remedy, severity="warning")


def _unpinned_adapters(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Whatever the model is: a branch is resolved by each pod for itself, and never again while it runs."""
    for index, adapter in enumerate(filter(None, values["lora"]["adapters"])):
        if repositories.is_repository(adapter["source"]) and not adapter.get("revision"):
            message = f"{adapter['source']} is not pinned: pods that start on two days may serve two adapters"
            remedy = "write the commit that was tested"
            yield Finding(REVISIONS, f"lora.adapters[{index}].revision", message, remedy, severity="warning")


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
        told_port = connector.extra.get("http_port", port)
        if connector.name == "MoRIIOConnector" and str(told_port) != str(port):
            message = f"the router is told http_port {told_port}, and the engine listens on {port}"
            yield Finding(PEERS, _where(connector), message, f"write http_port: {port}", severity="warning")


def _dialled(told: Told, container: Mapping[str, Any]) -> Iterator[Finding]:
    """What the engine dials in a pod with one container, where nobody else listens."""
    hidden = {variable["name"]: "" for variable in container.get("env") or () if variable.get("valueFrom")}
    for row in peers.DIALLED:
        for name, where, value in peers.dialled(row, told.arguments, {**hidden, **told.environment}):
            if LOCAL.search(value):
                message = f"{name} dials {value}, where nothing listens but the engine"
                there = f"{row.key} in its extra config" if row.connectors and where.startswith("engine") else where
                remedy = f"write {there} of another pod, or add the other process to extraContainers"
                yield Finding(PEERS, where, message, remedy, severity="warning")


def _waiting(told: Told) -> Iterator[Finding]:
    """Engines that other pods are a part of, which a release has none of (config/parallel.py, `nnodes` and
    `data_parallel_size_local`)."""
    nodes, ranks = told.arguments.get("nnodes") or 1, told.arguments.get("data_parallel_size") or 1
    local = told.arguments.get("data_parallel_size_local") or ranks
    apart = told.arguments.get("data_parallel_hybrid_lb") or told.arguments.get("data_parallel_start_rank") is not None
    if nodes > 1:
        message = f"vLLM waits for {nodes} nodes, and a pod of this chart is a whole engine"
        yield Finding(PEERS, "engine.args.nnodes", message, "leave it out", severity="warning")
    elif local < ranks and not apart:
        message = f"vLLM waits for {ranks - local} more data-parallel ranks, and no other pod of this chart brings them"
        yield Finding(PEERS, "engine.args.data-parallel-size-local", message, "leave it out", severity="warning")


VOCABULARY_PATHS = ("TIKTOKEN_ENCODINGS_BASE", "TIKTOKEN_RS_CACHE_DIR")
"""Where openai/harmony looks before it downloads: src/tiktoken_ext/public_encodings.rs."""


def _vocabulary(told: Told, container: Mapping[str, Any]) -> Iterator[Finding]:
    """A gpt-oss that is offline; vLLM asks for its vocabulary (entrypoints/openai/parser/harmony_utils.py:100)."""
    given = {variable["name"] for variable in container.get("env") or ()}
    offline = told.environment.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    names = [told.arguments.get("model_tag"), *(told.arguments.get("served_model_name") or ())]
    if offline and not given & {*VOCABULARY_PATHS} and any("gpt-oss" in str(name).lower() for name in names):
        message = (
            "the vocabulary of gpt-oss is in no repository: vLLM downloads it from openaipublic.blob.core.windows.net, "
            "and ends where the pod has no way there"
        )
        remedy = (
            "put o200k_base.tiktoken of https://openaipublic.blob.core.windows.net/encodings/ into a volume, and write "
            "its folder in env.TIKTOKEN_ENCODINGS_BASE"
        )
        yield Finding(VOCABULARY, "hub.offline", message, remedy, severity="warning")


def _where(connector: peers.Loaded) -> str:
    return f"engine.args.{'ec' if connector.name in peers.EC_CONNECTORS else 'kv'}-transfer-config"
