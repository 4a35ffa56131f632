"""Images."""

from typing import Annotated, Literal

from pydantic import Field

from vllm_chart.values.base import Block, Pattern

#: What has neither a dot nor a port is the first step of a path, which has no capitals.
_HOST = r"[A-Za-z0-9-]+((\.[A-Za-z0-9-]+)+(:[0-9]+)?|:[0-9]+)"
_PATH = r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"


class Image(Block):
    """The engine's image."""

    remedies = {
        "name": "write image.repository",
        "registry": "write global.imageRegistry, or the whole image.repository",
        "version": "write image.tag",
        "sha": "write image.digest",
        "pullSecrets": "write imagePullSecrets at the top level",
        "imagePullPolicy": "write image.pullPolicy",
    }

    repository: Annotated[
        str,
        Pattern(
            rf"^(({_HOST}/)?{_PATH})?$",
            "write registry/path in lower case; a tag goes in image.tag, a digest in image.digest",
        ),
    ] = Field("", description="Empty: `vllm/vllm-openai`, or `vllm/vllm-openai-cpu` for the CPU engine.")
    tag: Annotated[str, Pattern(r"^([A-Za-z0-9_][A-Za-z0-9._-]*)?$", "write a version: v0.33.0", 128)] = Field(
        "", description="Empty: the chart's appVersion, as `v0.33.0` (`v0.33.0-x86_64` for the CPU engine)."
    )
    digest: Annotated[str, Pattern("^(sha256:[a-f0-9]{64})?$", "write sha256: and 64 hexadecimal digits")] = Field(
        "", description="`sha256:…`; it wins over the tag, and cannot be moved."
    )
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        "IfNotPresent", description="Images are ten gigabytes: Always checks the registry at each start."
    )


class Global(Block):
    """Shared by all charts of an umbrella; keys of other charts are welcome here."""

    model_config = Block.model_config | {"extra": "allow"}

    image_registry: Annotated[
        str, Pattern(f"^(({_HOST}|[a-z0-9-]+)(/{_PATH})?/?)?$", "write a host, without https://: registry.example.com")
    ] = Field("", description="Registry put in front of every image of the chart: `registry.example.com`.")
