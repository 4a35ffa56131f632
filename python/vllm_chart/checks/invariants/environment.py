"""The variables of a container."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from vllm_chart.checks.invariants.base import broken, containers, general, invariant, own
from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines, pods


@general
def variables_are_unique(manifests: Manifests) -> Iterator[Finding]:
    """No variable is set twice: server-side apply refuses it, and which one wins is luck."""
    for pod, container in containers(manifests):
        for name, times in Counter(variable.get("name") for variable in container.all("env")).items():
            if times > 1:
                yield broken(f"{pod.where}: {container.path}env", f"{name} is there {times} times")


@general
def references_come_after_their_variable(manifests: Manifests) -> Iterator[Finding]:
    """`$(NAME)` stands after NAME: Kubernetes expands only what it has seen, and leaves the rest as it is."""
    for pod, container in containers(manifests):
        every = {variable.get("name") for variable in container.all("env")}
        seen: set[Any] = set()
        for variable in container.all("env"):
            for name in _references(variable.get("value")):
                where = f"{pod.where}: {container.path}env.{variable.get('name')}"
                if name in every - seen:
                    yield broken(where, f"refers to {name}, which comes after it")
                elif name not in every and not container.all("envFrom"):
                    yield broken(where, f"refers to {name}, which is not there", "escape it: $$(", "warning")
            seen.add(variable.get("name"))


@invariant
def downloads_have_the_token(manifests: Manifests) -> Iterator[Finding]:
    """An init container that downloads from the Hub is given the engine's token: a gated model refuses it otherwise."""
    for pod, engine in engines(manifests):
        if not any(variable.get("name") == "HF_TOKEN" for variable in engine.all("env")):
            continue
        for container in pod.containers:
            line = " ".join(map(str, [*container.all("command"), *container.all("args")]))
            names = {variable.get("name") for variable in container.all("env")}
            downloads = re.search(r"\b(hf|huggingface-cli) download\b|snapshot_download", line)
            if downloads and not names & {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} and not container.all("envFrom"):
                where = f"{pod.where}: {container.path}env"
                yield broken(where, "lacks HF_TOKEN, which the download asks for", "give it HF_TOKEN", "warning")


@invariant
def service_links_are_off(manifests: Manifests) -> Iterator[Finding]:
    """Pods get no variables of Services: one named vllm would set VLLM_PORT, which the engine reads as its own."""
    for pod in pods(Manifests(own(manifests))):
        if pod.spec.get("enableServiceLinks") is not False:
            yield broken(f"{pod.where}: enableServiceLinks", "is not false")


def _references(value: object) -> list[str]:
    """The names in `$(NAME)`, but not in the escaped `$$(NAME)`."""
    return re.findall(r"(?<!\$)(?:\$\$)*\$\(([A-Za-z_][-.\w]*)\)", str(value or ""))
