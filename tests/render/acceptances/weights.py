"""Where weights come from: what people run, and is accepted."""

from tests.render.acceptances.rows import GKE, KUBERNETES, STACK, VLLM, Row

ROWS: list[Row] = [
    (
        "fetched into an empty volume by another container",
        "https://kserve.github.io/website/docs/model-serving/storage/providers/oci",
        """
        model: {id: /mnt/models}
        volumes: [{name: share, emptyDir: {}}]
        volumeMounts: [{name: share, mountPath: /mnt}]
        extraContainers:
          - name: modelcar
            image: registry.example.com/models/qwen3:8b
            command: [sh, -c, "ln -sf /proc/$$/root/models /mnt/models && sleep infinity"]
            volumeMounts: [{name: share, mountPath: /mnt}]
        """,
        lambda v: v.volumes["share"]["emptyDir"] == {},
    ),
    (
        "downloaded by root to a directory of the container's",
        "https://github.com/vllm-project/vllm/blob/main/docker/Dockerfile",
        """
        model: {id: Qwen/Qwen3-8B}
        engine: {args: {download-dir: /models}}
        podSecurityContext: {runAsNonRoot: false, runAsUser: 0}
        """,
        lambda v: "--download-dir=/models" in v.args,
    ),
    (
        "a claim of one's own",
        f"{STACK}/values-05-cpu-offloading.yaml",
        """
        model: {id: mistralai/Mistral-7B-Instruct-v0.2}
        resources: {requests: {cpu: 10, memory: 40Gi}}
        persistence: {enabled: true, size: 50Gi, accessModes: [ReadWriteOnce]}
        """,
        lambda v: v.volumes["cache"]["persistentVolumeClaim"]["claimName"] == "llm-vllm-cache",
    ),
    (
        "a claim that is there, with the model in it",
        "https://docs.aws.amazon.com/eks/latest/userguide/ml-realtime-inference-cluster.html",
        """
        model: {id: /models/llama-3.1-8b}
        hub: {offline: true}
        persistence: {enabled: true, existingClaim: efs-models, mountPath: /models}
        replicaCount: 4
        """,
        lambda v: v.env["HF_HUB_OFFLINE"] == "1" and v.manifests.maybe("PersistentVolumeClaim") is None,
    ),
    (
        "a class for many readers",
        f"{STACK}/values-06-shared-storage.yaml",
        """
        model: {id: mistralai/Mistral-7B-Instruct-v0.2}
        replicaCount: 2
        persistence: {enabled: true, accessModes: [ReadWriteMany], storageClassName: efs-sc, size: 200Gi}
        """,
        lambda v: v.manifests.one("PersistentVolumeClaim")["spec"]["storageClassName"] == "efs-sc",
    ),
    (
        "no class at all, for a volume made by hand",
        f"{STACK}/values-03-match-pv.yaml",
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        persistence: {enabled: true, storageClassName: "-", size: 50Gi}
        """,
        lambda v: v.manifests.one("PersistentVolumeClaim")["spec"]["storageClassName"] == "",
    ),
    (
        "an image of KServe's modelcars, mounted",
        "https://kserve.github.io/website/docs/model-serving/storage/providers/oci",
        """
        model:
          id: qwen2.5-0.5b
          image: {reference: "quay.io/redhat-ai-services/modelcar-catalog:qwen2.5-0.5b-instruct", subPath: models}
        imagePullSecrets: [{name: registry-key}]
        """,
        lambda v: (
            v.args[:3] == ["/model", "--served-model-name", "qwen2.5-0.5b"]
            and v.volumes["model-image"]["image"]["reference"].endswith(":qwen2.5-0.5b-instruct")
        ),
    ),
    (
        "a volume of one's own where an image would be",
        f"{KUBERNETES}/concepts/storage/volumes/#image",
        """
        model: {id: /model, servedModelName: [llama]}
        volumes: [{name: model, image: {reference: "quay.io/models/llama:1", pullPolicy: IfNotPresent}}]
        volumeMounts: [{name: model, mountPath: /model, readOnly: true}]
        """,
        lambda v: "model-image" not in v.volumes and v.args[0] == "/model",
    ),
    (
        "streamed from a bucket",
        f"{VLLM}/models/extensions/runai_model_streamer/",
        """
        model: {id: "s3://core-llm/Llama-3-8b", servedModelName: [llama-3-8b]}
        engine: {args: {load-format: runai_streamer, model-loader-extra-config: {concurrency: 16, distributed: true}}}
        serviceAccount: {annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/models"}}
        """,
        lambda v: '--model-loader-extra-config={"concurrency":16,"distributed":true}' in v.args,
    ),
    (
        "streamed from a store like S3, with keys",
        f"{VLLM}/models/extensions/runai_model_streamer/",
        """
        model: {id: "s3://models/Llama-3-8b", servedModelName: [llama-3-8b]}
        engine: {args: {load-format: runai_streamer}}
        env:
          RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING: 0
          AWS_EC2_METADATA_DISABLED: true
          AWS_ENDPOINT_URL: https://minio.storage.svc:9000
          AWS_ACCESS_KEY_ID: {valueFrom: {secretKeyRef: {name: s3, key: id}}}
          AWS_SECRET_ACCESS_KEY: {valueFrom: {secretKeyRef: {name: s3, key: secret}}}
        """,
        lambda v: (
            v.env["AWS_EC2_METADATA_DISABLED"] == "true" and v.env["RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING"] == "0"
        ),
    ),
    (
        "streamed from MinIO, whose keys are in a Secret",
        f"{VLLM}/models/extensions/runai_model_streamer/",
        """
        model: {id: "s3://models/Llama-3-8b", servedModelName: [llama-3-8b]}
        objectStorage: {credentialsSecretRef: {name: s3}, endpoint: "https://minio.storage.svc:9000/"}
        caBundle: {configMapName: company-ca}
        hub: {offline: true}
        """,
        lambda v: (
            v.secret("AWS_SECRET_ACCESS_KEY") == ("s3", "AWS_SECRET_ACCESS_KEY")
            and v.env["RUNAI_STREAMER_S3_ENDPOINT"] == v.env["AWS_ENDPOINT_URL"] == "https://minio.storage.svc:9000"
            and v.env["AWS_CA_BUNDLE"] == "/etc/vllm/ca/ca-bundle.crt"
            and v.env["AWS_REGION"] == "us-east-1"
        ),
    ),
    (
        "streamed from Azure by an identity",
        f"{VLLM}/models/extensions/runai_model_streamer/",
        """
        model: {id: "az://models/llama", servedModelName: [llama]}
        objectStorage: {account: companymodels}
        serviceAccount: {annotations: {azure.workload.identity/client-id: 00000000-0000-0000-0000-000000000000}}
        podLabels: {azure.workload.identity/use: "true"}
        """,
        lambda v: v.env["AZURE_STORAGE_ACCOUNT_NAME"] == "companymodels" and "AWS_REGION" not in v.env,
    ),
    (
        "streamed from Google by a key",
        "https://github.com/run-ai/runai-model-streamer/blob/master/docs/src/usage.md",
        """
        model: {id: "gs://models/llama", servedModelName: [llama]}
        objectStorage: {credentialsSecretRef: {name: gcs}}
        """,
        lambda v: (
            v.env["RUNAI_STREAMER_GCS_CREDENTIAL_FILE"] == "/etc/vllm/object-storage/credentials.json"
            and v.volumes["object-storage"]["secret"]["secretName"] == "gcs"
        ),
    ),
    (
        "a larger buffer than there is memory, of which a small model takes little",
        "https://github.com/run-ai/runai-model-streamer/blob/master/docs/src/env-vars.md",
        """
        model: {id: "s3://models/tiny", servedModelName: [tiny]}
        resources: {limits: {memory: 16Gi}}
        """,
        lambda v: int(v.env["RUNAI_STREAMER_MEMORY_LIMIT"]) == 7 * 2**30,
    ),
    (
        "streamed on eight L4s",
        f"{GKE}/distributed-streaming-benchmark/vllm-runai-gcs.yaml",
        """
        model: {id: "gs://llama-3-70b/Llama-3.3-70B-Instruct", servedModelName: [unsloth/Llama-3.3-70B-Instruct]}
        gpu: {count: 8}
        engine: {args: {load-format: runai_streamer, max-model-len: 8192, max-num-seqs: 2}}
        serviceAccount: {create: false, name: bucket-sa}
        tolerations: [{effect: NoSchedule, key: nvidia.com/gpu, operator: Equal, value: present}]
        nodeSelector: {cloud.google.com/gke-accelerator: nvidia-l4}
        service: {port: 8000}
        """,
        lambda v: v.pod["serviceAccountName"] == "bucket-sa" and v.service["ports"][0]["port"] == 8000,
    ),
    (
        "a bucket mounted by a driver",
        f"{GKE}/gcsfuse-shared-cache/vllm-b.yaml",
        """
        model: {id: /data/Llama-3.1-8B-Instruct, servedModelName: [unsloth/Llama-3.1-8B-Instruct]}
        podAnnotations: {gke-gcsfuse/volumes: "true"}
        resources: {requests: {cpu: 4, memory: 25Gi}, limits: {cpu: 4, memory: 25Gi}}
        volumes:
          - name: gcs
            csi:
              driver: gcsfuse.csi.storage.gke.io
              readOnly: true
              volumeAttributes: {bucketName: models, mountOptions: "implicit-dirs,metadata-cache:ttl-secs:3600"}
        volumeMounts: [{name: gcs, mountPath: /data, readOnly: true}]
        """,
        lambda v: v.annotations["gke-gcsfuse/volumes"] == "true",
    ),
    (
        "an image as the volume of a model",
        f"{KUBERNETES}/tasks/configure-pod-container/image-volumes/",
        """
        model: {id: /models/qwen3}
        hub: {offline: true}
        volumes: [{name: model, image: {reference: "registry.example.com/models/qwen3:8b", pullPolicy: IfNotPresent}}]
        volumeMounts: [{name: model, mountPath: /models/qwen3, readOnly: true}]
        """,
        lambda v: v.volumes["model"]["image"]["reference"].endswith("qwen3:8b"),
    ),
    (
        "downloaded by an init container",
        f"{VLLM}/deployment/frameworks/helm/",
        """
        model: {id: /cache/models/opt-125m}
        hub: {offline: true}
        initContainers:
          - name: wait-download-model
            image: amazon/aws-cli:2.6.4
            args: [s3, sync, "s3://models/opt-125m", /data/models/opt-125m]
            envFrom: [{secretRef: {name: s3-credentials}}]
            volumeMounts: [{name: cache, mountPath: /data}]
        """,
        lambda v: v.pod["initContainers"][0]["volumeMounts"] == [{"name": "cache", "mountPath": "/data"}],
    ),
    (
        "downloaded by the engine's own image",
        "https://huggingface.co/docs/huggingface_hub/guides/cli",
        """
        model: {id: Qwen/Qwen3-8B}
        hub: {offline: true}
        persistence: {enabled: true}
        initContainers:
          - name: download
            image: vllm/vllm-openai:v0.33.0
            command: [hf, download, Qwen/Qwen3-8B]
            env: [{name: HF_HOME, value: /cache/huggingface}, {name: NVIDIA_VISIBLE_DEVICES, value: void}]
            volumeMounts: [{name: cache, mountPath: /cache}]
        """,
        lambda v: v.pod["initContainers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]},
    ),
    (
        "a mirror of the Hub behind a proxy",
        "https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables",
        """
        model: {id: Qwen/Qwen3-8B}
        hub: {endpoint: https://hf-mirror.com}
        proxy: {httpsProxy: "http://proxy:3128", noProxy: "localhost,.svc,.cluster.local,10.0.0.0/8"}
        env: {HF_XET_HIGH_PERFORMANCE: 1, HF_HUB_DOWNLOAD_TIMEOUT: 60}
        """,
        lambda v: v.env["no_proxy"] == v.env["NO_PROXY"] and v.env["HF_ENDPOINT"] == "https://hf-mirror.com",
    ),
    (
        "every image through a registry of one's own",
        "https://goharbor.io/docs/latest/administration/configure-proxy-cache/",
        """
        model: {id: Qwen/Qwen3-8B}
        global: {imageRegistry: harbor.example.com/dockerhub, security: {allowInsecureImages: true}}
        imagePullSecrets: [{name: harbor}]
        """,
        lambda v: v.engine["image"].startswith("harbor.example.com/dockerhub/vllm/vllm-openai:v"),
    ),
    (
        "an image by its digest",
        f"{KUBERNETES}/concepts/containers/images/",
        f"""
        model: {{id: Qwen/Qwen3-8B}}
        image: {{tag: latest, digest: "sha256:{"0a" * 32}", pullPolicy: Always}}
        """,
        lambda v: v.engine["image"] == f"vllm/vllm-openai@sha256:{'0a' * 32}",
    ),
]
