"""An S3 store of the live tests: versitygw as a pod, by HTTPS, with a tiny model in a bucket."""

import dataclasses
import secrets
import subprocess
from pathlib import Path
from typing import Any

from kubernetes.client import V1Pod

from ci.images.derived import STREAMING
from ci.kind.parts.programs import VERSITYGW
from tests import certificates, grown_model
from tests.e2e.clients import RESTRICTED_CONTAINER, RESTRICTED_POD, is_ready, run_to_end
from tests.e2e.profiles import GPU, GPU_LABEL
from vllm_chart.cluster.api import Cluster

NAME, PORT, REGION = "store", 7070, "eu-central-1"
BUCKET, FOLDER = "models", "acme/san-francisco"
#: Secrets with the store's keys, and with one of them wrong; a ConfigMap with its authority.
KEYS, WRONG_KEYS, AUTHORITY = "store-keys", "store-wrong-keys", "store-authority"
PROGRAM = "grown-model"
READY_SECONDS, UPLOAD_SECONDS = 120, 180
_UPLOAD = """
import pathlib, subprocess, sys, boto3
url, region, bucket, folder, *grown = sys.argv[1:]
model = "/model"
if grown:
    model = "/grown"
    subprocess.run(["python3", "/program/grown_model.py", "/model", model, *grown], check=True)
client = boto3.client("s3", endpoint_url=url, region_name=region)
client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
for file in sorted(pathlib.Path(model).iterdir()):
    if file.is_file():
        client.put_object(Bucket=bucket, Key=f"{folder}/{file.name}", Body=file.read_bytes())
        print(file.name, file.stat().st_size)
"""


@dataclasses.dataclass(frozen=True)
class StorePod:
    """The store of a namespace."""

    cluster: Cluster
    namespace: str

    @property
    def host(self) -> str:
        return f"{NAME}.{self.namespace}.svc"

    @property
    def url(self) -> str:
        return f"https://{self.host}:{PORT}"

    def start(self, model: str, folder: Path, grown: tuple[int, int] | None = None) -> dict[str, int]:
        """Start it with the model of a ConfigMap, and return the sizes of the model's files.

        folder: for its certificate's files.
        grown: the width and the layers that the model is given (tests/grown_model.py).
        """
        tls = certificates.make(folder, self.host)
        self._keys(KEYS, secret_key := secrets.token_hex(20))
        self._keys(WRONG_KEYS, secret_key[::-1] + "0")
        self._kubectl("create", "secret", "tls", NAME, f"--cert={tls.certificate}", f"--key={tls.key}")
        self._kubectl("create", "configmap", AUTHORITY, f"--from-file=ca-bundle.crt={tls.authority}")
        self.cluster.core.create_namespaced_pod(self.namespace, V1Pod.model_validate(_pod()))
        self._kubectl("expose", "pod", NAME, f"--port={PORT}")
        self.cluster.wait_for(
            self.cluster.core.list_namespaced_pod,
            self.namespace,
            field_selector=f"metadata.name={NAME}",
            until=is_ready,
            timeout_seconds=READY_SECONDS,
        )
        return self._upload(model, grown)

    def values(self, served: str) -> dict[str, Any]:
        """Of a release that streams the model out of it, and serves it by this name."""
        return {
            "model": {"id": f"s3://{BUCKET}/{FOLDER}", "servedModelName": [served]},
            "image": {"tag": STREAMING.reference.rpartition(":")[2]},
            "objectStorage": {"credentialsSecretRef": {"name": KEYS}, "endpoint": self.url, "region": REGION},
            "caBundle": {"configMapName": AUTHORITY},
        }

    def asked(self) -> list[tuple[str, str, str]]:
        """What it was asked for, in order: operation, key ("-" of none), status."""
        said: str = self.cluster.core.read_namespaced_pod_log(NAME, self.namespace)
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html: the time is of two words.
        lines = [words for words in map(str.split, said.splitlines()) if len(words) > 10 and words[7].startswith("s3_")]
        return [(words[7].removeprefix("s3_"), words[8], words[10]) for words in lines]

    def _keys(self, name: str, secret_key: str) -> None:
        literals = (f"--from-literal=AWS_ACCESS_KEY_ID={NAME}", f"--from-literal=AWS_SECRET_ACCESS_KEY={secret_key}")
        self._kubectl("create", "secret", "generic", name, *literals)

    def _upload(self, model: str, grown: tuple[int, int] | None) -> dict[str, int]:
        self._kubectl("create", "configmap", PROGRAM, f"--from-file={grown_model.__file__}")
        upload = ["python3", "-c", _UPLOAD, self.url, REGION, BUCKET, FOLDER, *map(str, grown or ())]
        container = {
            # It has boto3, which the application's image has not.
            "image": STREAMING.reference,
            "command": upload,
            "env": [{"name": "AWS_CA_BUNDLE", "value": "/authority/ca-bundle.crt"}],
            "envFrom": [{"secretRef": {"name": KEYS}}],
            "volumeMounts": [
                {"name": "model", "mountPath": "/model"},
                {"name": "program", "mountPath": "/program"},
                {"name": "grown", "mountPath": "/grown"},
                {"name": "authority", "mountPath": "/authority"},
            ],
        }
        spec = {
            "tolerations": [{"key": GPU, "operator": "Exists"}],
            "nodeSelector": {GPU_LABEL: "nvidia"},
            "volumes": [
                {"name": "model", "configMap": {"name": model}},
                {"name": "program", "configMap": {"name": PROGRAM}},
                {"name": "grown", "emptyDir": {}},
                {"name": "authority", "configMap": {"name": AUTHORITY}},
            ],
        }
        said = run_to_end(self.cluster, self.namespace, "upload", container, spec, UPLOAD_SECONDS)
        return {name: int(size) for name, size in map(str.split, said.splitlines())}

    def _kubectl(self, *arguments: str) -> None:
        subprocess.run(self.cluster.kubectl(*arguments, f"--namespace={self.namespace}"), check=True)


def _pod() -> dict[str, Any]:
    options = [f"--port=:{PORT}", f"--region={REGION}", "--cert=/tls/tls.crt", "--key=/tls/tls.key", "--quiet"]
    options += ["--health=/healthy", "--access-log=stdout"]
    elsewhere = {"matchExpressions": [{"key": GPU_LABEL, "operator": "DoesNotExist"}]}
    keys = {"ROOT_ACCESS_KEY": "AWS_ACCESS_KEY_ID", "ROOT_SECRET_KEY": "AWS_SECRET_ACCESS_KEY"}
    return {
        "metadata": {"name": NAME, "labels": {"app": NAME}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED_POD | {"fsGroup": 1000},
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [elsewhere]}}
            },
            "volumes": [
                {"name": "tls", "secret": {"secretName": NAME}},
                {"name": "buckets", "emptyDir": {}},
                {"name": "metadata", "emptyDir": {}},
            ],
            "containers": [
                {
                    "name": NAME,
                    "image": VERSITYGW.reference,
                    # Beside its files, because not every file system of a node keeps attributes with them.
                    "command": [VERSITYGW.path, *options, "posix", "--sidecar=/metadata", "/buckets"],
                    "env": [
                        {"name": name, "valueFrom": {"secretKeyRef": {"name": KEYS, "key": key}}}
                        for name, key in keys.items()
                    ],
                    "readinessProbe": {"httpGet": {"path": "/healthy", "port": PORT, "scheme": "HTTPS"}},
                    "securityContext": RESTRICTED_CONTAINER,
                    "volumeMounts": [
                        {"name": "tls", "mountPath": "/tls"},
                        {"name": "buckets", "mountPath": "/buckets"},
                        {"name": "metadata", "mountPath": "/metadata"},
                    ],
                }
            ],
        },
    }
