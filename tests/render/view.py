"""A render of the chart, by the parts that tests ask about."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from vllm_chart.rendered.manifests import Manifests


class View:
    """The engine's Deployment and Service, and what is in them."""

    def __init__(self, manifests: Manifests) -> None:
        self.manifests = manifests
        self.deployment = manifests.one("Deployment")
        self.service = manifests.one("Service")["spec"]
        self.template = self.deployment["spec"]["template"]
        self.pod = self.template["spec"]
        self.engine = self.pod["containers"][0]
        self.args: list[str] = self.engine["args"]
        self.resources = self.engine["resources"]

    @cached_property
    def env(self) -> dict[str, Any]:
        return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in self.engine["env"]}

    @cached_property
    def volumes(self) -> dict[str, Any]:
        return {volume["name"]: volume for volume in self.pod["volumes"]}

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        return self.template["metadata"]["annotations"]  # type: ignore[no-any-return]

    def secret(self, variable: str) -> tuple[str, str]:
        ref = self.env[variable]["secretKeyRef"]
        return ref["name"], ref["key"]
