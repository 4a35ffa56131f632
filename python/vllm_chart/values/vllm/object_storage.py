"""Where weights are streamed from when the model's id is an address in object storage."""

from typing import Annotated

from pydantic import Field

from vllm_chart.values.base import Block, Pattern, SecretName


class Credentials(Block):
    remedies = {"secretName": "write name", "key": "leave it out: each key of the Secret is named as its variable"}

    name: SecretName = Field(
        "",
        description="Secret whose keys are named as the variables they become. `s3://`: AWS_ACCESS_KEY_ID, "
        "AWS_SECRET_ACCESS_KEY, perhaps AWS_SESSION_TOKEN. `az://`: of AZURE_CLIENT_ID, AZURE_TENANT_ID, "
        "AZURE_CLIENT_SECRET, AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN those that are there. `gs://`: "
        "credentials.json, a service account's key, as a file. Empty: the pod's own identity "
        "(serviceAccount.annotations, podLabels).",
    )


class ObjectStorage(Block):
    """Object storage, for a model.id with `s3://`, `gs://` or `az://`: weights are streamed out of it, and no disk
    holds them. It needs model.servedModelName (docs/models.md)."""

    remedies = {
        "accessKey": "put it in a Secret and name that in objectStorage.credentialsSecretRef",
        "secretKey": "put it in a Secret and name that in objectStorage.credentialsSecretRef",
        "secretName": "write objectStorage.credentialsSecretRef: {name}",
        "existingSecret": "write objectStorage.credentialsSecretRef: {name}",
        "bucket": "write it in model.id: s3://bucket/folder",
        "url": "write objectStorage.endpoint",
        "endpointUrl": "write objectStorage.endpoint",
        "accountName": "write objectStorage.account",
        "caSecretRef": "write caBundle.configMapName",
    }

    credentials_secret_ref: Credentials = Field(Credentials(), description="The keys, if the pods have no identity.")
    endpoint: Annotated[
        str, Pattern(r"^(https?://[^\s/]+/?)?$", "write a URL without a path: https://minio.storage.svc:9000")
    ] = Field(
        "",
        description="URL of a store that speaks S3 (MinIO, Ceph, …): buckets are addressed by path there, and no "
        "metadata server is asked. Its authority goes in caBundle. Empty: Amazon's own.",
    )
    region: Annotated[str, Pattern(r"^[a-z0-9-]*$", "write a region: eu-central-1")] = Field(
        "", description="Region of the bucket, which signatures are made for. Empty: us-east-1 at an endpoint."
    )
    account: Annotated[str, Pattern("^([a-z0-9]{3,24})?$", "write the name of an Azure storage account")] = Field(
        "", description="Storage account of an `az://` container, which what reads the weights asks for."
    )
