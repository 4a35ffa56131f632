"""Which model is served, and where its weights come from."""

from typing import Annotated

from pydantic import Field

from vllm_chart.values.base import Block, DataKey, Pattern, Reference, SecretKeyRef, SecretName


class ChatTemplateRef(Block):
    remedies = {"configMapName": "write name", "configMap": "write name", "path": "write key"}

    name: Reference = Field(
        "", description="ConfigMap that is there already. No change of it restarts a pod, which reads it as it starts."
    )
    key: DataKey = Field("chat-template.jinja", description="Key of the template in that ConfigMap.")


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
