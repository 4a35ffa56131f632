"""What else a pod has: identity, trust and the test of the release."""

from typing import Annotated, Any

from pydantic import Field

from vllm_chart.values.base import Block, Kubernetes, Name, Text, UserMap


class EnvVar(Block):
    """The value of a variable in Kubernetes' own shape."""

    value: Text = Field("", description="Text in which `$(NAME)` stands for another variable.")
    value_from: Annotated[dict[str, Any], Kubernetes("core.v1.EnvVarSource")] = Field(
        {}, description="A key of a ConfigMap or Secret, or a field of the pod."
    )


class ServiceAccount(Block):
    """The pods' identity. vLLM never talks to the Kubernetes API."""

    create: bool = Field(True, description="Create a ServiceAccount.")
    automount: bool = Field(False, description="Mount its token. vLLM needs none.")
    annotations: UserMap[Text] = Field({}, description="For example a cloud identity that may read a bucket.")
    name: Name = Field("", description="Empty: the release's name, or `default` if none is created.")


class Proxy(Block):
    """The way out of a closed network, for downloads from the Hub."""

    remedies = {"http": "write proxy.httpProxy", "https": "write proxy.httpsProxy"}

    http_proxy: str = Field("", description="`HTTP_PROXY` and `http_proxy`.")
    https_proxy: str = Field("", description="`HTTPS_PROXY` and `https_proxy`.")
    no_proxy: str = Field("", description="`NO_PROXY` and `no_proxy`; keep cluster addresses in it.")


class CaBundle(Block):
    """Certificate authorities that the engine trusts when it downloads, in a ConfigMap that is there already."""

    remedies = {"configMap": "write caBundle.configMapName", "name": "write caBundle.configMapName"}

    config_map_name: str = Field("", description="ConfigMap with a whole bundle (PEM), public CAs included.")
    key: str = Field("ca-bundle.crt", description="Key of the bundle in the ConfigMap.")


class Test(Block):
    """`helm test`: one real completion, or an embedding from an embedding model, asked from inside the cluster."""

    remedies = {"image": "leave it out: the test runs in the engine's image, which its node has already"}

    enabled: bool = Field(True, description="Render the test pod.")
    prompt: str = Field("San Francisco is a", description="What is asked.")
    expect: str = Field("", description="Text that the answer must contain. Empty: any answer will do.")
    timeout_seconds: Annotated[int, Field(ge=1)] = Field(120, description="How long the answer may take.")
    resources: Annotated[dict[str, Any], Kubernetes("core.v1.ResourceRequirements")] = Field(
        {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        description="Resources of the test pod. It asks for no GPU and sees none.",
    )
