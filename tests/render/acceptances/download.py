"""Weights that a Job fetches: what people do with jobs of their own, and is accepted."""

import json
from typing import Any

from tests.render.acceptances.rows import Row
from tests.render.view import View


def spec(v: View) -> Any:
    return v.manifests.one("Job")["spec"]["template"]["spec"]


def fetched(v: View) -> dict[str, Any]:
    """What the Job is told."""
    (told,) = [entry["value"] for entry in spec(v)["containers"][0]["env"] if entry["name"] == "DOWNLOAD"]
    return json.loads(told)  # type: ignore[no-any-return]


ROWS: list[Row] = [
    (
        "a job fills a shared volume",
        "https://github.com/llm-d/llm-d/blob/main/guides/README.md",
        """
        model: {id: Qwen/Qwen3-8B}
        replicaCount: 3
        persistence: {enabled: true, accessModes: [ReadWriteMany]}
        download: {enabled: true}
        """,
        lambda v: v.env["HF_HUB_OFFLINE"] == "1" and "affinity" not in spec(v),
    ),
    (
        "a draft and a tokenizer of their own",
        "https://docs.vllm.ai/en/stable/features/spec_decode.html",
        """
        model: {id: Qwen/Qwen3-8B, revision: v1}
        engine:
          args:
            tokenizer: Qwen/Qwen3-0.6B
            tokenizer-revision: v2
            speculative-config: {model: AngelSlim/Qwen3-8B_eagle3, revision: v3, num_speculative_tokens: 3}
            enable-lora: true
            lora-modules: [{name: sql, path: acme/sql}, {name: mounted, path: /adapters/a}]
        volumes: [{name: adapters, persistentVolumeClaim: {claimName: adapters}}]
        volumeMounts: [{name: adapters, mountPath: /adapters}]
        persistence: {enabled: true}
        download: {enabled: true}
        """,
        lambda v: (
            [(each["name"], each["revision"]) for each in fetched(v)["repositories"]]
            == [
                ("Qwen/Qwen3-8B", "v1"),
                ("Qwen/Qwen3-0.6B", "v2"),
                ("AngelSlim/Qwen3-8B_eagle3", "v3"),
                ("acme/sql", ""),
            ]
        ),
    ),
    (
        "one node at a time",
        "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
        """
        model: {id: Qwen/Qwen3-8B}
        persistence: {enabled: true}
        download: {enabled: true}
        """,
        lambda v: "podAffinity" in spec(v)["affinity"],
    ),
    (
        "before there is any replica",
        "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/",
        """
        model: {id: Qwen/Qwen3-8B}
        replicaCount: 0
        persistence: {enabled: true, annotations: {argocd.argoproj.io/sync-wave: "-1"}}
        download: {enabled: true, annotations: {argocd.argoproj.io/sync-wave: "-1"}}
        serviceAccount: {annotations: {argocd.argoproj.io/sync-wave: "-1"}}
        """,
        lambda v: "affinity" not in spec(v),
    ),
    (
        "a wave of Argo CD's before three replicas",
        "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/",
        """
        model: {id: Qwen/Qwen3-8B}
        replicaCount: 3
        persistence: {enabled: true, accessModes: [ReadWriteMany]}
        download: {enabled: true}
        commonAnnotations: {argocd.argoproj.io/sync-wave: "-1"}
        deploymentAnnotations: {argocd.argoproj.io/sync-wave: "1"}
        """,
        lambda v: v.manifests.one("Job").metadata["annotations"] == {"argocd.argoproj.io/sync-wave": "-1"},
    ),
    (
        "engines and Job of one wave, on one node",
        "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/",
        """
        model: {id: Qwen/Qwen3-8B}
        persistence: {enabled: true}
        download: {enabled: true}
        commonAnnotations: {argocd.argoproj.io/sync-wave: "2"}
        """,
        lambda v: "podAffinity" in spec(v)["affinity"],
    ),
    (
        "nodes without a GPU fill a volume that one node mounts",
        "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
        """
        model: {id: Qwen/Qwen3-8B}
        nodeSelector: {pool: gpu}
        persistence: {enabled: true}
        download: {enabled: true, nodeSelector: {pool: cpu}}
        """,
        lambda v: spec(v)["nodeSelector"] == {"pool": "gpu"},
    ),
    (
        "certificates and a token of the user's own files",
        "https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables",
        """
        model: {id: Qwen/Qwen3-8B}
        persistence: {enabled: true, accessModes: [ReadWriteMany]}
        download: {enabled: true}
        env: {SSL_CERT_FILE: /certs/ca.pem, HF_TOKEN_PATH: /var/run/token/hf}
        volumes:
          - {name: certs, configMap: {name: ca}}
          - {name: token, secret: {secretName: hf}}
          - {name: adapters, persistentVolumeClaim: {claimName: adapters}}
        volumeMounts:
          - {name: certs, mountPath: /certs/ca.pem, subPath: ca.pem}
          - {name: token, mountPath: /var/run/token/}
          - {name: adapters, mountPath: /adapters}
        """,
        lambda v: (
            {each["name"] for each in spec(v)["volumes"]} == {"cache", "tmp", "certs", "token"}
            and spec(v)["containers"][0]["volumeMounts"][-2:]
            == [
                {"name": "certs", "mountPath": "/certs/ca.pem", "subPath": "ca.pem"},
                {"name": "token", "mountPath": "/var/run/token/"},
            ]
        ),
    ),
    (
        "certificates that an init container of the user's writes",
        "https://kubernetes.io/docs/concepts/workloads/pods/init-containers/",
        """
        model: {id: Qwen/Qwen3-8B}
        persistence: {enabled: true, accessModes: [ReadWriteMany]}
        download: {enabled: true}
        env: {SSL_CERT_FILE: /etc/ssl/certs/ca-certificates.crt, HF_TOKEN_PATH: /token/hf}
        initContainers:
          - name: fill
            image: debian:13
            volumeMounts: [{name: certs, mountPath: /out}, {name: token, mountPath: /token}]
        volumes:
          - {name: certs, emptyDir: {}}
          - name: token
            ephemeral:
              volumeClaimTemplate:
                spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
        volumeMounts: [{name: certs, mountPath: /etc/ssl/certs}, {name: token, mountPath: /token}]
        """,
        # Empty in the Job, they would hide what the image has there.
        lambda v: (
            {each["name"] for each in spec(v)["volumes"]}
            == {each["name"] for each in spec(v)["containers"][0]["volumeMounts"]}
            == {"cache", "tmp"}
        ),
    ),
    (
        "a claim that is there",
        "https://github.com/kserve/kserve/tree/master/docs/samples/storage",
        """
        model: {id: meta-llama/Llama-3.1-8B}
        hub: {tokenSecretRef: {name: hf}, endpoint: "https://hub.example.com"}
        caBundle: {configMapName: ca}
        proxy: {httpsProxy: "http://proxy:3128"}
        persistence: {enabled: true, existingClaim: models, subPath: llama}
        download: {enabled: true, exclude: []}
        """,
        lambda v: (
            {"HF_TOKEN", "HF_ENDPOINT", "SSL_CERT_FILE", "HTTPS_PROXY"}
            <= {entry["name"] for entry in spec(v)["containers"][0]["env"]}
            and {"name": "cache", "mountPath": "/cache", "subPath": "llama"} in spec(v)["containers"][0]["volumeMounts"]
        ),
    ),
]
