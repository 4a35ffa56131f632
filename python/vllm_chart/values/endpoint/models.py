"""Which models there are, who may ask them, and for what."""

from typing import Annotated, Any

from pydantic import Field

from vllm_chart.values.base import (
    SECRET_NAME_REMEDY,
    SUBDOMAIN,
    Block,
    DataKey,
    KeyedMap,
    Pattern,
    Port,
    Reference,
    SecretKeyRef,
    SecretName,
)

Object = dict[str, Any]

#: A name as clients write it: a line of any text. The longest is the chart's own limit.
NAME, NAME_REMEDY = r"^[^\n\r]{1,256}$", "write a name of 1 to 256 characters, in one line"
ModelName = Annotated[str, Pattern(NAME, NAME_REMEDY)]
#: A dot in it would be a namespace, which stands beside it.
ServiceName = Annotated[
    str,
    Pattern("^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$", "write the name of a Service alone, and its namespace beside it", 63),
]
#: Of a Service; empty for the release's own.
Namespace = Annotated[str, Pattern("^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$", "write the name of a namespace", 63)]


class EngineKey(SecretKeyRef):
    name: SecretName = Field("", description="Secret with the API key of the engine, in this release's namespace.")
    key: DataKey = Field("api-key", description="Key of the API key in that Secret.")


class EngineTLS(Block):
    """TLS between the endpoint and an engine that speaks it (`tls.secretName` of charts/vllm). On where an authority is
    named."""

    remedies = {
        "enabled": "write caSecretName, or caConfigMapName: it is on where one of them is set",
        "secretName": "write caSecretName: the endpoint needs no certificate of its own here, but what the engine's is "
        "checked by",
        "insecureSkipVerify": "name what the certificate is checked by in caSecretName or caConfigMapName: without, "
        "anybody could be the engine",
        "sni": "write serverName",
    }

    ca_secret_name: SecretName = Field(
        "",
        description="Secret with the authority (PEM) that the engine's certificate is checked by, in this release's "
        "namespace: the engine's own has it, where cert-manager wrote it, and nothing else of it is mounted. A renewed "
        "one is taken up without a restart.",
    )
    ca_config_map_name: Reference = Field("", description="ConfigMap with it instead, as trust-manager writes them.")
    ca_key: DataKey = Field("ca.crt", description="Key of the authority there.")
    server_name: Annotated[str, Pattern(f"^({SUBDOMAIN})?$", "write a DNS name: llm-vllm.models.svc", 253)] = Field(
        "",
        description="Name that the certificate has to be for. Empty: `<service>.<namespace>.svc`, alone or with the "
        "cluster's domain. Beside a `-pods` Service, write the ordinary one's: `llm-vllm.models.svc`.",
    )


class Model(Block):
    """A model: the Service of its release."""

    remedies = {
        "url": "write service, namespace and port",
        "host": "write service and namespace",
        "name": "leave it out: the key above is the name",
        "servedModelName": "write aliases: more names that the engine serves itself",
        "lora": "write adapters: the names of the adapters",
        "apiKey": "put the key in a Secret and name it in apiKeySecretRef: {name, key}",
        "scheme": "write tls: {caSecretName: …}",
    }

    service: ServiceName = Field(
        "",
        description="Required. Service of the model's release. A headless one (`service.pods.enabled` in "
        "charts/vllm) gives the addresses of its pods, which prefix affinity, retries and health checks go by.",
    )
    namespace: Namespace = Field("", description="Namespace of the Service. Empty: this release's.")
    port: Port = Field(
        8000, description="Port of the pods where the Service is headless, else of the Service (80 in charts/vllm)."
    )
    aliases: list[ModelName] = Field(
        [],
        description="More names of the model. Requests are passed on as they are, so that the engine has to serve "
        "these names too (`model.servedModelName`).",
    )
    adapters: list[ModelName] = Field([], description="LoRA adapters that the engine serves, by name.")
    api_key_secret_ref: EngineKey = Field(
        EngineKey(), description="The key that the engine asks for (its `auth`). Clients never see it."
    )
    tls: EngineTLS = Field(EngineTLS(), description=EngineTLS.__doc__)


Models = Annotated[dict[str, Model], KeyedMap(NAME, NAME_REMEDY)]


class Tokens(Block):
    """Tokens that an issuer signs (JWT), beside keys or without any: those of ServiceAccounts, which Kubernetes mounts
    and renews, or of a company's own issuer. A client writes its token where others write their key."""

    remedies = {
        "secretName": "write jwks: an issuer's public keys are no secret",
        "audience": "write audiences: [llm]",
        "jwksURI": "write jwksUri",
        "uri": "write jwksUri",
        "serviceAccounts": "write subjects: [system:serviceaccount:NAMESPACE:NAME]",
    }

    issuer: Annotated[str, Field(max_length=512)] = Field(
        "",
        description="What the tokens say in `iss`. Empty: no tokens are taken. Of a cluster: `kubectl get --raw "
        "/.well-known/openid-configuration`.",
    )
    audiences: list[Annotated[str, Pattern("^[^\n\r]{1,256}$", "write an audience in one line: llm")]] = Field(
        [], description="One of these a token has to be for (`aud`), so that none that was made for others will do."
    )
    jwks: Object | str | None = Field(
        # No text: Helm would warn of a map in its place.
        None,
        description="The issuer's public keys (JWKS). Of a cluster: `kubectl get --raw /openid/v1/jwks`. New keys of "
        "the issuer have to be added here before it signs by them.",
    )
    jwks_uri: Annotated[
        str,
        Pattern(
            r"^(https://[a-z0-9][-a-z0-9.]*(:[0-9]+)?/[^\s]*)?$", "write a URL: https://issuer.example.com/keys", 512
        ),
    ] = Field(
        "",
        description="Where the public keys are instead, for an issuer that anybody may ask: they are asked for again "
        "every ten minutes. Its certificate has to be for the name in the URL, and of an authority that Envoy's image "
        "knows: those of a cluster's API server are written in `jwks`.",
    )
    subjects: list[
        Annotated[
            str, Pattern("^[^\n\r*]{0,255}[^\n\r]$", "write a subject in one line, with an asterisk at its end alone")
        ]
    ] = Field(
        [],
        description="Whose tokens are taken (`sub`), `[system:serviceaccount:apps:chat, system:serviceaccount:lab:*]`; "
        "an asterisk at the end stands for the rest. Empty: all of the issuer for the audience. In a cluster that is "
        "everybody who may create a pod.",
    )
    claim: Annotated[str, Pattern(r"^[^\s]{1,128}$", "write the name of a claim: sub")] = Field(
        "sub",
        description="The claim that is the client's name, in `allow`, in `limits` and in what is counted. A dot stands "
        "for a step into a claim: `realm.team`.",
    )


class Clients(Block):
    """Who may ask: named clients, each with a key of its own, in a Secret that is there already, or with tokens."""

    remedies = {
        "existingSecret": "write clients.secretName",
        "keys": "put their SHA-256 in a Secret and name it in clients.secretName",
        "name": "write clients.secretName",
    }

    secret_name: Annotated[str, Pattern(f"^({SUBDOMAIN})?$", SECRET_NAME_REMEDY, 253)] = Field(
        "",
        description="Required, unless `jwt` is set. Secret with the clients' names and the SHA-256 of their keys, as "
        "docs/endpoint.md shows it. A change is taken up without a restart, as soon as the kubelet has it in the pods: "
        "within two minutes.",
    )
    key: DataKey = Field("clients.yaml", description="Key of the document in that Secret.")
    allow: Annotated[dict[str, list[str] | None], KeyedMap(NAME, NAME_REMEDY)] = Field(
        {},
        description="Which models a client may use, `{app-one: [llama3]}`, by the keys of `models`. A client that is "
        "not named here may use all; an empty list is none. Others than its own do not exist for it.",
    )
    jwt: Tokens = Field(Tokens(), description=Tokens.__doc__)
