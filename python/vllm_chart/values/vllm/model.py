"""Which model is served, and where its weights come from."""

from typing import Annotated, Literal

from pydantic import Field

from vllm_chart.values.base import Block, DataKey, Pattern, Reference, SecretKeyRef, SecretName
from vllm_chart.values.kubernetes import INSIDE_PATTERN, INSIDE_REMEDY

#: https://pkg.go.dev/github.com/distribution/reference#pkg-overview, loosely: no scheme, no white space.
IMAGE_REFERENCE = (
    r"^((\[[0-9A-Fa-f:]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9._-]*)?"
    r"(@sha(256|512):[0-9a-f]{64,})?)?$"
)
IMAGE_REMEDY = "write registry/name:tag, or registry/name@sha256:…, without oci://"


class ChatTemplateRef(Block):
    remedies = {"configMapName": "write name", "configMap": "write name", "path": "write key"}

    name: Reference = Field(
        "", description="ConfigMap that is there already. No change of it restarts a pod, which reads it as it starts."
    )
    key: DataKey = Field("chat-template.jinja", description="Key of the template in that ConfigMap.")


class ModelImage(Block):
    """The model as an OCI image, which the kubelet pulls and mounts read-only at /model: the node keeps it for the next
    pod, and the Hub is not asked. Kubernetes 1.35, or 1.33 with the gate ImageVolume. model.id is then the name that
    clients write; imagePullSecrets hold for it."""

    remedies = {
        "repository": "write model.image.reference: registry/name@sha256:…",
        "tag": "write model.image.reference: registry/name:tag, or @sha256:…",
        "digest": "write model.image.reference: registry/name@sha256:…",
        "path": "write model.image.subPath",
        "mountPath": "leave it out: it is /model",
    }

    reference: Annotated[str, Pattern(IMAGE_REFERENCE, IMAGE_REMEDY)] = Field(
        "",
        description="The image: `registry.example.com/models/qwen3-8b@sha256:…`. A tag may come to mean another model, "
        "a digest can't. global.imageRegistry is not put before it.",
    )
    pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = Field(
        "", description="Kubernetes' own. Empty: IfNotPresent, and Always for the tag `latest`."
    )
    sub_path: Annotated[str, Pattern(INSIDE_PATTERN, INSIDE_REMEDY)] = Field(
        "", description="Directory of the model in the image: `models`, as modelcars have it. Empty: its root."
    )


class Model(Block):
    """The model of this release. A release is one model."""

    remedies = {
        "name": "write model.id",
        "model": "write model.id",
        "path": "write model.id: it takes a Hub id or a path in a mounted volume",
        "repo": "write model.id",
        "uri": "write model.id",
        "url": "write model.id: organisation/name, not a URL",
        "servedModelNames": "write model.servedModelName",
        "servedName": "write model.servedModelName",
        "maxModelLen": "write engine.args.max-model-len",
        "dtype": "write engine.args.dtype",
        "quantization": "write engine.args.quantization",
        "tokenizer": "write engine.args.tokenizer",
        "chatTemplatePath": "write engine.args.chat-template: a path in a mounted volume",
    }

    id: Annotated[str, Pattern(r"^(|[^\s-]\S*)$", "write organisation/name, or the path of a directory")] = Field(
        "",
        description="Required. A Hugging Face Hub id (`meta-llama/Llama-3.1-8B`), the path of a directory in a mounted "
        "volume (`/models/llama`), or an address in object storage (`s3://bucket/llama`, `gs://`, `az://`; see "
        "objectStorage).",
    )
    revision: Annotated[str, Pattern(r"^\S*$", "write a branch, a tag or a commit")] = Field(
        "",
        description="Branch, tag or commit of the Hub repository. Pin a commit in production, so that a restart "
        "serves what was tested.",
    )
    served_model_name: list[Annotated[str, Pattern("^[^-]", "write a name that does not begin with a dash")]] = Field(
        [],
        description="Names that clients write in a request's `model`. Empty: the model id. The first one labels the "
        "metrics.",
    )
    trust_remote_code: bool = Field(
        False, description="Run Python code out of the model's repository. Few models still need it."
    )
    image: ModelImage = Field(ModelImage(), description=ModelImage.__doc__)
    chat_template: str = Field(
        "",
        description="A chat template in Jinja, instead of the model's own: `--set-file model.chatTemplate=chat.jinja`. "
        "It is kept in a ConfigMap; another one restarts the pods. `vllm-chart check` compiles it and tries it on a "
        "conversation.",
    )
    chat_template_ref: ChatTemplateRef = Field(
        ChatTemplateRef(), description="The same out of a ConfigMap of your own. One of the two."
    )


class HubToken(SecretKeyRef):
    name: SecretName = Field("", description="Secret with the Hub token, for gated or private models. Empty: no token.")
    key: DataKey = Field("token", description="Key of the token in that Secret.")


class Hub(Block):
    """The Hugging Face Hub, or what stands in for it."""

    remedies = {
        "token": "put the token in a Secret and name it in hub.tokenSecretRef: {name, key}",
        "tokenSecret": "write hub.tokenSecretRef: {name, key}",
        "existingSecret": "write hub.tokenSecretRef: {name, key}",
        "mirror": "write hub.endpoint",
    }

    token_secret_ref: HubToken = Field(HubToken(), description="The token, read as `HF_TOKEN`.")
    endpoint: Annotated[str, Pattern(r"^(https?://\S+)?$", "write a URL: https://hub.example.com")] = Field(
        "", description="URL of a mirror of the Hub (`HF_ENDPOINT`). Empty: huggingface.co."
    )
    offline: bool = Field(
        False,
        description="Never reach for the Hub (`HF_HUB_OFFLINE`): the model is in a volume or in the cache already.",
    )
