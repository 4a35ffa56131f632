"""Weights and volumes: mistakes that somebody made."""

from tests.cluster_objects import (
    crashed,
    event,
    pod,
    snapshot,
    unschedulable,
)
from tests.render.mistakes.catches import (
    Checked,
    Diagnosed,
    Mended,
    Preflighted,
)
from tests.render.mistakes.rows import Mistake, cluster, crash, mistake

ROWS: list[Mistake] = [
    mistake(
        "lmcache-disk-limit-is-per-worker",
        "a limit of LMCache's that counts for each worker, taken as one for the pod",
        "LMCache/LMCache#1399",
        Checked(
            '{gpu: {count: 8}, env: {LMCACHE_MAX_LOCAL_DISK_SIZE: "640"},'
            " resources: {limits: {ephemeral-storage: 1000Gi}}}",
            "LMCACHE_MAX_LOCAL_DISK_SIZE",
            "640 GiB for each of 8 workers exceeds",
        ),
    ),
    mistake(
        "bucket-key-misspelt",
        "the variable of a bucket's key misspelt in a chart's env, so that the streamer has none",
        "run-ai/runai-model-streamer#154",
        Mended(
            "the Secret's keys are the variables",
            lambda v: v.secret("AWS_SECRET_ACCESS_KEY") == ("s3", "AWS_SECRET_ACCESS_KEY"),
            "{model: {id: s3://models/a, servedModelName: [a]}, objectStorage: {credentialsSecretRef: {name: s3}}}",
        ),
        Diagnosed(crash("botocore.exceptions.NoCredentialsError: Unable to locate credentials"), "", "with AWS_ACCESS"),
    ),
    mistake(
        "bucket-endpoint-in-one-variable",
        "an S3 store's address in the variable that half of the streamer does not read",
        "run-ai/runai-model-streamer#34",
        Mended(
            "both variables have it, and buckets are addressed by path",
            lambda v: (
                v.env["RUNAI_STREAMER_S3_ENDPOINT"] == v.env["AWS_ENDPOINT_URL"] == "http://minio:9000"
                and v.env["RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING"] == "0"
            ),
            "{model: {id: s3://models/a, servedModelName: [a]}, objectStorage: {endpoint: http://minio:9000}}",
        ),
    ),
    mistake(
        "no-model-volume",
        "weights in the container's own file system, downloaded again at each restart",
        "linagora/openrag#977",
        Mended(
            "the cache is a volume, which outlives the container",
            lambda v: (
                "cache" in v.volumes
                and v.env["HF_HOME"].startswith("/cache/")
                and any(m == {"name": "cache", "mountPath": "/cache"} for m in v.engine["volumeMounts"])
            ),
        ),
    ),
    mistake(
        "pvc-never-bound",
        "a claim that no volume and no StorageClass answers",
        "vllm-project/production-stack#37",
        Preflighted(
            "persistence: {enabled: true}", cluster(), "PersistentVolumeClaim/", "no StorageClass is the default"
        ),
        Diagnosed(
            snapshot(
                pod(
                    status=unschedulable(
                        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1"
                    )
                )
            ),
            "Pod/",
            "persistence.storageClassName",
        ),
    ),
    mistake(
        "s3-env-for-the-wrong-kind-of-s3",
        "settings for a store like S3 beside a role of AWS",
        "run-ai/runai-model-streamer#46",
        Diagnosed(
            crash(
                "Exception: Could not send runai_request_with_credentials to libstreamer due to: b'File access error'"
            ),
            "vllm",
            "for a role of AWS write only serviceAccount.annotations",
        ),
    ),
    mistake(
        "no-ephemeral-storage-request",
        "a download onto the node's disk, which it never asked for",
        "GoogleCloudPlatform/kubernetes-engine-samples#1581",
        Diagnosed(
            snapshot(
                pod(
                    status={
                        "reason": "Evicted",
                        "message": "The node was low on resource: ephemeral-storage. Container llm was using 579Mi",
                    }
                )
            ),
            "Pod/",
            "persistence.enabled: true",
        ),
    ),
    mistake(
        "readonly-mount-with-hf-cache-layout",
        "the Hub's cache on a volume that cannot be written",
        "llm-d-incubation/llm-d-modelservice#243",
        Diagnosed(
            crash("OSError: [Errno 30] Read-only file system: '/model-cache/models--meta-llama--Llama-3.1-8B'"),
            "vllm",
            "mount something writable",
        ),
    ),
    mistake(
        "mmap-loading-over-network-storage",
        "weights read piecemeal over the network, which takes an hour",
        "vllm-project/vllm#24469",
        Diagnosed(
            snapshot(
                pod(status=crashed()),
                events=[event("Killing", "Container vllm failed startup probe, will be restarted")],
                logs={("llm-vllm-5c8-x2x", "vllm"): "Loading safetensors checkpoint shards:   3% Completed | 5/163"},
            ),
            "vllm",
            "safetensors-load-strategy: prefetch",
        ),
    ),
]
