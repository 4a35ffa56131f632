"""What people really run is accepted, renders soundly, and means what they meant.

A row is a configuration: its name, where it was found, the values that say the same to this chart, and one fact of the
result that tells whether it was understood.
"""

from collections.abc import Callable

import pytest
from helm_python import values_from_yaml

from tests.render.view import View
from vllm_chart import checks
from vllm_chart.checks.podsecurity import Level
from vllm_chart.helm import render

VLLM = "https://docs.vllm.ai/en/stable"
RECIPES = "https://github.com/vllm-project/recipes/blob/main"
STACK = "https://github.com/vllm-project/production-stack/blob/main/tutorials/assets"
GKE = "https://github.com/GoogleCloudPlatform/kubernetes-engine-samples/blob/main/ai-ml"
KUBERNETES = "https://kubernetes.io/docs"


Row = tuple[str, str, str, Callable[[View], bool]]

MODELS: list[Row] = [
    (
        "nothing but a model",
        f"{VLLM}/deployment/k8s/",
        "model: {id: mistralai/Mistral-7B-Instruct-v0.3}",
        lambda v: v.resources["limits"] == {"nvidia.com/gpu": 1},
    ),
    (
        "a gated model",
        f"{VLLM}/deployment/k8s/",
        """
        model: {id: meta-llama/Llama-3.2-1B-Instruct}
        hub: {tokenSecretRef: {name: hf-token-secret, key: token}}
        """,
        lambda v: v.secret("HF_TOKEN") == ("hf-token-secret", "token"),
    ),
    (
        "tools and reasoning on eight GPUs",
        f"{RECIPES}/DeepSeek/DeepSeek-V3_2.md",
        """
        model: {id: deepseek-ai/DeepSeek-V3.2}
        gpu: {count: 8}
        startup: {budgetSeconds: 7200}
        engine:
          args:
            tokenizer-mode: deepseek_v32
            tool-call-parser: deepseek_v32
            enable-auto-tool-choice: true
            reasoning-parser: deepseek_v3
        """,
        lambda v: {"--tensor-parallel-size=8", "--enable-auto-tool-choice"} <= set(v.args),
    ),
    (
        "data parallel experts",
        f"{RECIPES}/Qwen/Qwen3-Coder-480B-A35B.md",
        """
        model: {id: Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8}
        gpu: {count: 8}
        parallelism: {dataParallelSize: 8}
        engine: {args: {max-model-len: 131072, enable-expert-parallel: true}}
        env: {VLLM_USE_DEEP_GEMM: "1"}
        """,
        lambda v: "--data-parallel-size=8" in v.args and not any("--tensor" in argument for argument in v.args),
    ),
    (
        "tensor and pipeline parallel",
        f"{VLLM}/serving/parallelism_scaling/",
        """
        model: {id: meta-llama/Llama-3.1-405B-Instruct-FP8}
        gpu: {count: 8}
        parallelism: {pipelineParallelSize: 2}
        """,
        lambda v: {"--tensor-parallel-size=4", "--pipeline-parallel-size=2"} <= set(v.args),
    ),
    (
        "a configuration as JSON",
        f"{RECIPES}/moonshotai/Kimi-K2.5.md",
        """
        model: {id: moonshotai/Kimi-K2.5, trustRemoteCode: true}
        gpu: {count: 8}
        engine: {args: {compilation-config: {cudagraph_mode: FULL_DECODE_ONLY}, mm-encoder-tp-mode: data}}
        """,
        lambda v: '--compilation-config={"cudagraph_mode":"FULL_DECODE_ONLY"}' in v.args,
    ),
    (
        "speculation, by dotted flags",
        f"{RECIPES}/GLM/GLM.md",
        """
        model: {id: zai-org/GLM-4.7-FP8}
        gpu: {count: 4}
        engine: {args: {speculative-config.method: mtp, speculative-config.num_speculative_tokens: 1}}
        """,
        lambda v: "--speculative-config.num_speculative_tokens=1" in v.args,
    ),
    (
        "speculation, as JSON in a text",
        f"{RECIPES}/OpenAI/GPT-OSS_EAGLE3_Hopper.yaml",
        """
        model: {id: openai/gpt-oss-120b}
        engine:
          args:
            no-enable-prefix-caching: true
            stream-interval: 20
            speculative-config: '{"model":"nvidia/gpt-oss-120b-Eagle3-v3","num_speculative_tokens":7,"method":"eagle3"}'
        """,
        lambda v: "--no-enable-prefix-caching" in v.args and any('"method":"eagle3"' in a for a in v.args),
    ),
    (
        "pictures, by dotted flags",
        f"{RECIPES}/Qwen/Qwen3-VL.md",
        """
        model: {id: Qwen/Qwen3-VL-235B-A22B-Instruct-FP8}
        gpu: {count: 4}
        engine: {args: {limit-mm-per-prompt.video: 0, async-scheduling: true, gpu-memory-utilization: 0.95}}
        """,
        lambda v: {"--limit-mm-per-prompt.video=0", "--gpu-memory-utilization=0.95"} <= set(v.args),
    ),
    (
        "pictures, as JSON",
        f"{RECIPES}/Qwen/Qwen2.5-VL.md",
        """
        model: {id: Qwen/Qwen2.5-VL-72B-Instruct}
        gpu: {count: 4}
        engine: {args: {mm-encoder-tp-mode: data, limit-mm-per-prompt: {image: 2, video: 0}}}
        """,
        lambda v: '--limit-mm-per-prompt={"image":2,"video":0}' in v.args,
    ),
    (
        "Mistral's own formats",
        f"{RECIPES}/Mistral/Mistral-Large-3.md",
        """
        model: {id: mistralai/Mistral-Large-3-675B-Instruct-2512}
        gpu: {count: 8}
        engine: {args: {tokenizer-mode: mistral, config-format: mistral, load-format: mistral}}
        """,
        lambda v: "--config-format=mistral" in v.args,
    ),
    (
        "a class for logits and no cache",
        f"{RECIPES}/DeepSeek/DeepSeek-OCR.md",
        """
        model: {id: deepseek-ai/DeepSeek-OCR}
        engine:
          args:
            logits-processors: ["vllm.model_executor.models.deepseek_ocr:NGramPerReqLogitsProcessor"]
            enable-prefix-caching: false
            mm-processor-cache-gb: 0
        """,
        lambda v: "--no-enable-prefix-caching" in v.args and "--mm-processor-cache-gb=0" in v.args,
    ),
    (
        "a reranker",
        f"{RECIPES}/Jina/Jina-reranker-m0.md",
        """
        model: {id: jinaai/jina-reranker-m0}
        gpu: {count: 2}
        engine: {args: {gpu-memory-utilization: 0.75, max-num-seqs: 32}}
        test: {enabled: false}
        """,
        lambda v: v.manifests.maybe("Pod") is None,
    ),
    (
        "speech",
        f"{RECIPES}/Qwen/Qwen3-ASR.md",
        "{model: {id: Qwen/Qwen3-ASR-1.7B}, test: {enabled: false}}",
        lambda v: v.args[0] == "Qwen/Qwen3-ASR-1.7B",
    ),
    (
        "LoRA adapters as pairs",
        f"{VLLM}/features/lora/",
        """
        model: {id: meta-llama/Llama-3.2-3B-Instruct}
        engine: {args: {enable-lora: true, lora-modules: ["sql=/adapters/sql", "chat=/adapters/chat"]}}
        volumes: [{name: adapters, persistentVolumeClaim: {claimName: adapters}}]
        volumeMounts: [{name: adapters, mountPath: /adapters}]
        """,
        lambda v: v.args[v.args.index("--lora-modules") + 2] == "chat=/adapters/chat",
    ),
    (
        "LoRA adapters as JSON",
        f"{VLLM}/features/lora/",
        """
        model: {id: meta-llama/Llama-3.2-3B-Instruct}
        engine: {args: {enable-lora: true, lora-modules: [{name: sql, path: org/sql-lora, base_model_name: llama}]}}
        """,
        lambda v: '{"base_model_name":"llama","name":"sql","path":"org/sql-lora"}' in v.args,
    ),
    (
        "LoRA adapters at run time, synced by a sidecar",
        f"{GKE}/infw-gw/examples/getting-started/vllm-llama3-8b-instruct.yaml",
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        replicaCount: 3
        engine: {args: {enable-lora: true, max-loras: 2, max-cpu-loras: 12}}
        env: {VLLM_ALLOW_RUNTIME_LORA_UPDATING: "true"}
        shutdown: {propagationSeconds: 30, drainSeconds: 85}
        livenessProbe: {periodSeconds: 1, failureThreshold: 5, timeoutSeconds: 1}
        readinessProbe: {periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 1}
        startupProbe: {failureThreshold: 600, initialDelaySeconds: 2, periodSeconds: 1}
        volumes:
          - {name: adapters, emptyDir: {}}
          - {name: config-volume, configMap: {name: vllm-llama3-8b-adapters}}
        volumeMounts: [{name: adapters, mountPath: /adapters}]
        initContainers:
          - name: lora-adapter-syncer
            image: us-central1-docker.pkg.dev/k8s-staging-images/gateway-api-inference-extension/lora-syncer:v1
            restartPolicy: Always
            env: [{name: DYNAMIC_LORA_ROLLOUT_CONFIG, value: /config/configmap.yaml}]
            volumeMounts: [{name: config-volume, mountPath: /config}]
        """,
        lambda v: v.engine["startupProbe"]["failureThreshold"] == 600 and v.pod["terminationGracePeriodSeconds"] == 145,
    ),
    (
        "a chat template out of a ConfigMap",
        f"{STACK}/values-13-tool-enabled.yaml",
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        engine:
          args:
            enable-auto-tool-choice: true
            tool-call-parser: llama3_json
            chat-template: /templates/tool_chat_template_llama3.1_json.jinja
        volumes: [{name: templates, configMap: {name: chat-templates}}]
        volumeMounts: [{name: templates, mountPath: /templates, readOnly: true}]
        """,
        lambda v: v.volumes["templates"]["configMap"]["name"] == "chat-templates",
    ),
    (
        "a chat template in the values",
        f"{VLLM}/serving/openai_compatible_server/",
        """
        model: {id: org/base-model}
        engine:
          args:
            chat-template: |
              {% for message in messages %}{{ message['content'] }}
              {% endfor %}
        """,
        lambda v: v.args[-1] == "--chat-template={% for message in messages %}{{ message['content'] }}\n{% endfor %}\n",
    ),
    (
        "a quantized model with a shorter context",
        f"{VLLM}/features/quantization/auto_awq/",
        """
        model: {id: TheBloke/Llama-2-7b-Chat-AWQ, servedModelName: [llama-2, gpt-3.5-turbo]}
        engine: {args: {quantization: awq, dtype: half, max-model-len: 4k, kv-cache-dtype: fp8_e5m2}}
        """,
        lambda v: v.args[v.args.index("--served-model-name") :][1:3] == ["llama-2", "gpt-3.5-turbo"],
    ),
    (
        "a GGUF file with another's tokenizer",
        f"{VLLM}/features/quantization/gguf/",
        """
        model: {id: /models/tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf}
        engine: {args: {tokenizer: TinyLlama/TinyLlama-1.1B-Chat-v1.0}}
        volumes: [{name: models, nfs: {server: 10.0.0.5, path: /export/models}}]
        volumeMounts: [{name: models, mountPath: /models}]
        """,
        lambda v: v.volumes["models"]["nfs"]["server"] == "10.0.0.5",
    ),
    (
        "a length that fits by itself, and other generation defaults",
        f"{VLLM}/configuration/engine_args/",
        """
        model: {id: Qwen/Qwen3-8B}
        engine: {args: {max-model-len: auto, override-generation-config: {temperature: 0.2}, generation-config: vllm}}
        """,
        lambda v: '--override-generation-config={"temperature":0.2}' in v.args,
    ),
    (
        "a longer context by RoPE scaling",
        "https://huggingface.co/Qwen/Qwen3-8B",
        """
        model: {id: Qwen/Qwen3-8B}
        engine:
          args:
            max-model-len: 131072
            hf-overrides: {rope_scaling: {rope_type: yarn, factor: 4.0, original_max_position_embeddings: 32768}}
        """,
        lambda v: any('"original_max_position_embeddings":32768' in argument for argument in v.args),
    ),
    (
        "sleep mode for development",
        f"{STACK}/values-19-sleep-mode-aware.yaml",
        """
        model: {id: ibm-granite/granite-3.0-3b-a800m-instruct}
        engine: {extraArgs: [--enable-sleep-mode]}
        env: {VLLM_SERVER_DEV_MODE: "1"}
        """,
        lambda v: v.args[-1] == "--enable-sleep-mode",
    ),
    (
        "flags and their values as words",
        f"{STACK}/values-09-lora-helm.yaml",
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        engine: {extraArgs: [--gpu-memory-utilization, "0.8", --enforce-eager]}
        """,
        lambda v: v.args[-3:] == ["--gpu-memory-utilization", "0.8", "--enforce-eager"],
    ),
    (
        "a Hub commit, pinned",
        f"{VLLM}/configuration/engine_args/",
        """
        model: {id: microsoft/Phi-4-multimodal-instruct, revision: 33e62acdd07cd7d6635badd529aa0a3467bb9c6a,
                trustRemoteCode: true}
        engine: {args: {tokenizer-revision: 33e62acdd07cd7d6635badd529aa0a3467bb9c6a}}
        """,
        lambda v: "--revision=33e62acdd07cd7d6635badd529aa0a3467bb9c6a" in v.args,
    ),
]

WEIGHTS: list[Row] = [
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
        model: {id: "s3://models/Llama-3-8b"}
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

NODES: list[Row] = [
    (
        "the article's GPU pool",
        "https://docs.digitalocean.com/products/kubernetes/how-to/use-gpu-worker-nodes/",
        """
        model: {id: meta-llama/Llama-3.1-8B}
        nodeSelector: {doks.digitalocean.com/gpu-brand: nvidia, doks.digitalocean.com/gpu-model: h100}
        tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
        """,
        lambda v: v.pod["tolerations"][0]["operator"] == "Exists",
    ),
    (
        "GKE, a variable for the model",
        f"{GKE}/llm-serving-gemma/vllm/vllm-3-27b-it.yaml",
        """
        model: {id: $(MODEL_ID), servedModelName: [google/gemma-3-27b-it]}
        gpu: {count: 8}
        env: {MODEL_ID: google/gemma-3-27b-it}
        engine: {args: {max-model-len: 32768, max-num-seqs: 4}}
        resources:
          requests: {cpu: "72", memory: 280Gi, ephemeral-storage: 200Gi}
          limits: {cpu: "72", memory: 280Gi, ephemeral-storage: 200Gi}
        nodeSelector: {cloud.google.com/gke-accelerator: nvidia-l4, cloud.google.com/gke-gpu-driver-version: latest}
        podLabels: {ai.gke.io/model: gemma-3-27b-it, ai.gke.io/inference-server: vllm}
        """,
        lambda v: v.args[0] == "$(MODEL_ID)" and v.env["MODEL_ID"] == "google/gemma-3-27b-it",
    ),
    (
        "AKS",
        "https://learn.microsoft.com/azure/aks/use-nvidia-gpu",
        """
        model: {id: microsoft/phi-4}
        nodeSelector: {kubernetes.azure.com/accelerator: nvidia}
        tolerations:
          - {key: sku, operator: Equal, value: gpu, effect: NoSchedule}
          - {key: kubernetes.azure.com/scalesetpriority, operator: Equal, value: spot, effect: NoSchedule}
        """,
        lambda v: len(v.pod["tolerations"]) == 2,
    ),
    (
        "EKS with Karpenter",
        "https://karpenter.sh/docs/concepts/disruption/",
        """
        model: {id: mistralai/Mistral-7B-Instruct-v0.3}
        nodeSelector: {eks.amazonaws.com/instance-gpu-name: l40s}
        podAnnotations: {karpenter.sh/do-not-disrupt: true}
        """,
        lambda v: v.annotations["karpenter.sh/do-not-disrupt"] == "true",
    ),
    (
        "spot nodes, with their short notice",
        "https://cloud.google.com/kubernetes-engine/docs/concepts/spot-vms",
        """
        model: {id: Qwen/Qwen3-8B}
        shutdown: {propagationSeconds: 2, drainSeconds: 8}
        nodeSelector: {cloud.google.com/gke-spot: "true"}
        tolerations: [{key: cloud.google.com/gke-spot, operator: Equal, value: "true", effect: NoSchedule}]
        """,
        lambda v: v.pod["terminationGracePeriodSeconds"] == 40,
    ),
    (
        "OpenShift, where the namespace gives the user",
        "https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/"
        "authentication_and_authorization/managing-pod-security-policies",
        """
        model: {id: ibm-granite/granite-3.3-8b-instruct}
        podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null, fsGroupChangePolicy: null}
        extraObjects:
          - apiVersion: route.openshift.io/v1
            kind: Route
            metadata: {name: granite}
            spec: {to: {kind: Service, name: llm-vllm}, port: {targetPort: http}, tls: {termination: edge}}
        """,
        lambda v: v.pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    ),
    (
        "OpenShift, a user of one's own",
        "https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/"
        "authentication_and_authorization/managing-pod-security-policies",
        """
        model: {id: ibm-granite/granite-3.3-8b-instruct}
        podSecurityContext: {runAsUser: 1000650000, fsGroup: 1000650000}
        """,
        lambda v: v.pod["securityContext"]["runAsUser"] == 1000650000,
    ),
    (
        "a slice of a GPU (MIG)",
        "https://docs.nvidia.com/datacenter/cloud-native/kubernetes/latest/index.html",
        "{model: {id: BAAI/bge-m3}, engine: {args: {runner: pooling}}, gpu: {resourceName: nvidia.com/mig-3g.40gb}}",
        lambda v: v.resources["requests"] == {"nvidia.com/mig-3g.40gb": 1},
    ),
    (
        "a shared GPU (time slices)",
        "https://github.com/NVIDIA/k8s-device-plugin#with-cuda-time-slicing",
        """
        model: {id: Qwen/Qwen3-0.6B}
        gpu: {resourceName: nvidia.com/gpu.shared}
        engine: {args: {gpu-memory-utilization: 0.3}}
        """,
        lambda v: v.resources["limits"] == {"nvidia.com/gpu.shared": 1},
    ),
    (
        "a part of a GPU's memory (HAMi)",
        "https://github.com/Project-HAMi/HAMi/blob/master/examples/nvidia/default_use.yaml",
        """
        model: {id: Qwen/Qwen3-4B}
        resources: {limits: {nvidia.com/gpumem: 12000, nvidia.com/gpucores: 50}}
        schedulerName: hami-scheduler
        """,
        lambda v: v.resources["limits"] == {"nvidia.com/gpu": 1, "nvidia.com/gpumem": 12000, "nvidia.com/gpucores": 50},
    ),
    (
        "a fraction of a GPU (Run:ai)",
        "https://run-ai-docs.nvidia.com/self-hosted/workloads-in-nvidia-run-ai/using-training/fractions",
        """
        model: {id: Qwen/Qwen3-4B}
        gpu: {count: 0}
        schedulerName: runai-scheduler
        podAnnotations: {gpu-fraction: "0.5"}
        podLabels: {runai/queue: team-a}
        """,
        lambda v: v.resources == {} and v.annotations["gpu-fraction"] == "0.5",
    ),
    (
        "a GPU by claim (dynamic resource allocation)",
        f"{KUBERNETES}/concepts/scheduling-eviction/dynamic-resource-allocation/",
        """
        model: {id: meta-llama/Llama-3.3-70B-Instruct}
        gpu: {count: 0}
        parallelism: {tensorParallelSize: 2}
        resources: {claims: [{name: gpus}]}
        resourceClaims: [{name: gpus, resourceClaimTemplateName: two-h100}]
        extraObjects:
          - apiVersion: resource.k8s.io/v1
            kind: ResourceClaimTemplate
            metadata: {name: two-h100}
            spec:
              spec:
                devices:
                  requests: [{name: gpu, exactly: {deviceClassName: gpu.nvidia.com, count: 2}}]
        """,
        lambda v: v.resources == {"claims": [{"name": "gpus"}]} and "--tensor-parallel-size=2" in v.args,
    ),
    (
        "AMD",
        f"{STACK}/values-01-minimal-amd-example.yaml",
        """
        model: {id: openai/gpt-oss-120b}
        image: {repository: vllm/vllm-openai-rocm, tag: v0.33.0}
        gpu: {count: 4, resourceName: amd.com/gpu}
        env: {VLLM_ROCM_USE_AITER: "1", HSA_NO_SCRATCH_RECLAIM: "1"}
        podSecurityContext: {supplementalGroups: [44, 109]}
        affinity:
          nodeAffinity:
            requiredDuringSchedulingIgnoredDuringExecution:
              nodeSelectorTerms: [{matchExpressions: [{key: amd.com/gpu.device-id, operator: In, values: ["74a1"]}]}]
        """,
        lambda v: v.resources["limits"] == {"amd.com/gpu": 4} and v.pod["securityContext"]["runAsUser"] == 2000,
    ),
    (
        "Intel Gaudi",
        "https://docs.habana.ai/en/latest/Orchestration/Gaudi_Kubernetes/index.html",
        """
        model: {id: meta-llama/Llama-3.3-70B-Instruct}
        image: {repository: vault.habana.ai/gaudi-docker/vllm, tag: 1.24.0}
        gpu: {count: 4, resourceName: habana.ai/gaudi}
        runtimeClassName: habana
        resources:
          requests: {memory: 400Gi, hugepages-2Mi: 90000Mi}
          limits: {memory: 400Gi, hugepages-2Mi: 90000Mi}
        env: {OMPI_MCA_btl_vader_single_copy_mechanism: none, PT_HPU_ENABLE_LAZY_COLLECTIVES: "true"}
        securityContext: {capabilities: {add: [SYS_NICE]}}
        """,
        lambda v: v.resources["limits"]["hugepages-2Mi"] == "90000Mi" and v.pod["runtimeClassName"] == "habana",
    ),
    (
        "TPU",
        "https://cloud.google.com/kubernetes-engine/docs/tutorials/serve-vllm-tpu",
        """
        model: {id: meta-llama/Llama-3.1-70B}
        image: {repository: vllm/vllm-tpu, tag: nightly-20261101}
        gpu: {count: 8, resourceName: google.com/tpu}
        engine: {args: {max-model-len: 4096, download-dir: /data}}
        nodeSelector: {cloud.google.com/gke-tpu-topology: 2x4, cloud.google.com/gke-tpu-accelerator: tpu-v6e-slice}
        volumes: [{name: data, csi: {driver: gcsfuse.csi.storage.gke.io, volumeAttributes: {bucketName: weights}}}]
        volumeMounts: [{name: data, mountPath: /data}]
        """,
        lambda v: "--tensor-parallel-size=8" in v.args and v.resources["limits"] == {"google.com/tpu": 8},
    ),
    (
        "AWS Neuron",
        "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/containers/kubernetes-getting-started.html",
        """
        model: {id: meta-llama/Llama-3.1-8B}
        image: {repository: public.ecr.aws/neuron/pytorch-inference-vllm-neuronx, tag: 0.13.0-neuronx}
        gpu: {resourceName: aws.amazon.com/neuron}
        engine: {args: {max-num-seqs: 4, block-size: 32}}
        env: {NEURON_CC_FLAGS: -O1, FI_PROVIDER: efa}
        """,
        lambda v: v.env["NEURON_CC_FLAGS"] == "-O1",
    ),
    (
        "Huawei Ascend",
        "https://docs.vllm.ai/projects/ascend/en/latest/",
        """
        model: {id: Qwen/Qwen3-32B}
        image: {repository: quay.io/ascend/vllm-ascend, tag: v0.33.0rc1}
        gpu: {count: 4, resourceName: huawei.com/Ascend910}
        """,
        lambda v: v.resources["requests"] == {"huawei.com/Ascend910": 4},
    ),
    (
        "an ARM machine",
        "https://docs.nvidia.com/grace-performance-tuning-guide/",
        """
        model: {id: meta-llama/Llama-3.3-70B-Instruct}
        image: {tag: v0.33.0-aarch64}
        nodeSelector: {kubernetes.io/arch: arm64}
        tolerations: [{key: kubernetes.io/arch, operator: Equal, value: arm64, effect: NoSchedule}]
        """,
        lambda v: v.engine["image"] == "vllm/vllm-openai:v0.33.0-aarch64",
    ),
    (
        "CPU, the image that vLLM's guide names",
        f"{VLLM}/deployment/k8s/",
        """
        model: {id: meta-llama/Llama-3.2-1B-Instruct}
        engine: {device: cpu}
        image: {repository: public.ecr.aws/q9t5s3a7/vllm-cpu-release-repo, tag: v0.32.0}
        persistence: {enabled: true, size: 50Gi}
        resources: {limits: {cpu: 8, memory: 16Gi}}
        """,
        lambda v: v.env["OMP_NUM_THREADS"] == "8" and v.engine["securityContext"]["readOnlyRootFilesystem"],
    ),
    (
        "k3s, where NVIDIA is not the default runtime",
        "https://docs.k3s.io/advanced#nvidia-container-runtime",
        "{model: {id: Qwen/Qwen3-8B}, runtimeClassName: nvidia}",
        lambda v: v.pod["runtimeClassName"] == "nvidia",
    ),
    (
        "one GPU node, all pods stopped for a change",
        f"{STACK}/values-25-v100-multi-gpu-tp4.yaml",
        """
        model: {id: Qwen/Qwen2.5-14B-Instruct}
        runtimeClassName: nvidia
        gpu: {count: 4}
        strategy: {type: Recreate}
        shm: {sizeLimit: 4Gi}
        resources: {requests: {cpu: 16, memory: 64Gi}}
        persistence: {enabled: true, size: 80Gi}
        engine: {args: {dtype: half, max-model-len: 8192, gpu-memory-utilization: 0.9, enforce-eager: true}}
        affinity:
          nodeAffinity:
            requiredDuringSchedulingIgnoredDuringExecution:
              nodeSelectorTerms:
                - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [gpu-node-02]}]
        """,
        lambda v: v.deployment["spec"]["strategy"] == {"type": "Recreate"},
    ),
    (
        "a replica a node, by rule",
        f"{KUBERNETES}/concepts/scheduling-eviction/assign-pod-node/",
        """
        model: {id: Qwen/Qwen3-8B}
        replicaCount: 4
        strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
        affinity:
          podAntiAffinity:
            requiredDuringSchedulingIgnoredDuringExecution:
              - topologyKey: kubernetes.io/hostname
                labelSelector: {matchLabels: {app.kubernetes.io/instance: llm}}
        """,
        lambda v: "affinity" not in v.manifests.one("Pod")["spec"],  # or the test would find no node
    ),
    (
        "zones first",
        f"{KUBERNETES}/concepts/scheduling-eviction/topology-spread-constraints/",
        """
        model: {id: Qwen/Qwen3-8B}
        replicaCount: 3
        topologySpreadConstraints:
          - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, minDomains: 3}
          - maxSkew: 1
            topologyKey: kubernetes.io/hostname
            whenUnsatisfiable: ScheduleAnyway
            labelSelector: {matchLabels: {team: search}}
        """,
        lambda v: (
            [list(each["labelSelector"]["matchLabels"]) for each in v.pod["topologySpreadConstraints"]]
            == [["app.kubernetes.io/instance", "app.kubernetes.io/name"], ["team"]]
        ),
    ),
    (
        "InfiniBand",
        "https://docs.nvidia.com/networking/display/kubernetes2610/index.html",
        """
        model: {id: deepseek-ai/DeepSeek-R1}
        gpu: {count: 8}
        hostNetwork: true
        dnsPolicy: ClusterFirstWithHostNet
        resources: {requests: {rdma/ib: 8}, limits: {rdma/ib: 8}}
        env: {NCCL_IB_HCA: mlx5, NCCL_SOCKET_IFNAME: "^lo,docker", NCCL_DEBUG: INFO}
        securityContext: {capabilities: {add: [IPC_LOCK]}}
        """,
        lambda v: v.pod["hostNetwork"] is True and v.env["NCCL_SOCKET_IFNAME"] == "^lo,docker",
    ),
]

SERVING: list[Row] = [
    (
        "what the pod is called, in files",
        f"{KUBERNETES}/tasks/inject-data-application/downward-api-volume-expose-pod-information/",
        """
        model: {id: Qwen/Qwen3-8B}
        volumes:
          - name: podinfo
            downwardAPI:
              items:
                - {path: labels, fieldRef: {fieldPath: metadata.labels}}
                - {path: annotations, fieldRef: {fieldPath: metadata.annotations}}
                - {path: cpu, resourceFieldRef: {containerName: vllm, resource: limits.cpu, divisor: 1m}}
        volumeMounts: [{name: podinfo, mountPath: /etc/podinfo}]
        """,
        lambda v: v.volumes["podinfo"]["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"] == "metadata.labels",
    ),
    (
        "a program of one's own behind vLLM's API, with its own flags",
        "https://github.com/llm-d/llm-d-inference-sim",
        """
        model: {id: food-review}
        image: {repository: ghcr.io/llm-d/llm-d-inference-sim, tag: v0.6.1}
        command: [/app/llm-d-inference-sim]
        gpu: {count: 0}
        engine: {extraArgs: [--mode=random, --time-to-first-token=100ms]}
        shutdown: {closeConnections: false}
        hang: {seconds: 0}
        """,
        lambda v: v.args[-1] == "--time-to-first-token=100ms" and "PYTHONPATH" not in v.env,
    ),
    (
        "flags of every spelling, as they were pasted",
        f"{VLLM}/configuration/serve_args/",
        """
        model: {id: Qwen/Qwen3-8B}
        engine:
          extraArgs:
            - --max-model-len
            - "8192"
            - --max_num_seqs=32
            - --no-enable-prefix-caching
            - --compilation-config.mode=3
            - -asc
            - "1"
            - -O3
        """,
        lambda v: v.args[-1] == "-O3",
    ),
    (
        "JSON over several lines, and with a variable in it",
        f"{VLLM}/features/spec_decode/",
        """
        model: {id: Qwen/Qwen3-8B}
        env: {POD_IP: {valueFrom: {fieldRef: {fieldPath: status.podIP}}}}
        engine:
          args:
            kv-events-config: '{"enable_kv_cache_events": true, "publisher": "zmq", "topic": "kv@$(POD_IP)"}'
            speculative-config: |
              {
                "method": "ngram",
                "num_speculative_tokens": 4
              }
        """,
        lambda v: v.args[-2].endswith('"topic": "kv@$(POD_IP)"}') and v.args[-1].endswith("4\n}\n"),
    ),
    (
        "a port whose name looks like something else",
        f"{KUBERNETES}/concepts/services-networking/service/#field-spec-ports",
        """
        model: {id: Qwen/Qwen3-8B}
        service: {targetPort: "on"}
        extraContainers: [{name: proxy, image: "envoyproxy/envoy:v1.36.0", ports: [{name: "on", containerPort: 8080}]}]
        """,
        lambda v: v.service["ports"][0]["targetPort"] == "on",
    ),
    (
        "node ports of several protocols",
        f"{KUBERNETES}/concepts/services-networking/service/#type-nodeport",
        """
        model: {id: Qwen/Qwen3-8B}
        service:
          type: LoadBalancer
          nodePort: 30080
          extraPorts:
            - {name: metrics, port: 9090, targetPort: http, nodePort: 30090}
            - {name: udp, port: 9090, targetPort: 9091, protocol: UDP, nodePort: 30090}
        """,
        lambda v: [port["nodePort"] for port in v.service["ports"]] == [30080, 30090, 30090],
    ),
    (
        "KV cache kept by LMCache",
        "https://docs.lmcache.ai/getting_started/quickstart.html",
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        image: {repository: lmcache/vllm-openai, tag: v0.3.5}
        engine: {args: {kv-transfer-config: {kv_connector: LMCacheConnectorV1, kv_role: kv_both}}}
        env: {LMCACHE_LOCAL_CPU: true, LMCACHE_MAX_LOCAL_CPU_SIZE: 60, LMCACHE_LOG_LEVEL: DEBUG, PYTHONHASHSEED: 0}
        resources: {requests: {cpu: 6, memory: 70Gi}}
        """,
        lambda v: v.env["LMCACHE_MAX_LOCAL_CPU_SIZE"] == "60" and v.env["PYTHONHASHSEED"] == "0",
    ),
    (
        "KV cache offloaded to memory",
        f"{VLLM}/configuration/engine_args/",
        """
        model: {id: Qwen/Qwen3-8B}
        engine: {args: {kv-offloading-size: 60}}
        resources: {limits: {memory: 120Gi}}
        """,
        lambda v: v.volumes["shm"]["emptyDir"]["sizeLimit"] == "62Gi",
    ),
    (
        "KV cache handed on over NIXL",
        "https://github.com/llm-d/llm-d/tree/main/guides/pd-disaggregation",
        """
        model: {id: openai/gpt-oss-120b}
        gpu: {count: 4}
        engine: {args: {block-size: 128, kv-transfer-config: {kv_connector: NixlConnector, kv_role: kv_both}}}
        env:
          VLLM_NIXL_SIDE_CHANNEL_HOST: {valueFrom: {fieldRef: {fieldPath: status.podIP}}}
          UCX_TLS: "sm,cuda_ipc,cuda_copy,tcp"
        extraContainers:
          - name: routing-proxy
            image: ghcr.io/llm-d/llm-d-routing-sidecar:v0.6.0
            args: [--port=8080, --vllm-port=8000, --connector=nixlv2]
            ports: [{containerPort: 8080, name: proxy}]
        """,
        lambda v: v.env["VLLM_NIXL_SIDE_CHANNEL_HOST"] == {"fieldRef": {"fieldPath": "status.podIP"}},
    ),
    (
        "an address made of the pod's",
        f"{KUBERNETES}/tasks/inject-data-application/define-interdependent-environment-variables/",
        """
        model: {id: Qwen/Qwen3-8B}
        engine: {args: {otlp-traces-endpoint: "http://$(NODE_IP):4317"}}
        env:
          NODE_IP: {valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
          OTEL_EXPORTER_OTLP_ENDPOINT: {value: "http://$(NODE_IP):4317"}
          OTEL_RESOURCE_ATTRIBUTES: "service.name=vllm,deployment.environment=test"
        """,
        lambda v: next(iter(v.env)) == "NODE_IP" and v.args[-1] == "--otlp-traces-endpoint=http://$(NODE_IP):4317",
    ),
    (
        "in an Istio mesh",
        "https://istio.io/latest/docs/reference/config/annotations/",
        """
        model: {id: Qwen/Qwen3-8B}
        podLabels: {sidecar.istio.io/inject: true}
        podAnnotations:
          proxy.istio.io/config: '{ "holdApplicationUntilProxyStarts": true }'
          traffic.sidecar.istio.io/excludeOutboundPorts: 443
        """,
        lambda v: (
            v.template["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
            and v.annotations["traffic.sidecar.istio.io/excludeOutboundPorts"] == "443"
        ),
    ),
    (
        "scraped by annotation",
        "https://github.com/prometheus-community/helm-charts/tree/main/charts/prometheus",
        """
        model: {id: Qwen/Qwen3-8B}
        podAnnotations: {prometheus.io/scrape: true, prometheus.io/port: 8000, prometheus.io/path: /metrics}
        """,
        lambda v: v.annotations["prometheus.io/port"] == "8000",
    ),
    (
        "traced",
        f"{STACK}/values-12-otel-vllm.yaml",
        """
        model: {id: facebook/opt-125m}
        engine: {args: {otlp-traces-endpoint: "grpc://otel-collector:4317", collect-detailed-traces: [all]}}
        env: {OTEL_SERVICE_NAME: vllm, OTEL_EXPORTER_OTLP_TRACES_INSECURE: true}
        """,
        lambda v: v.args[-1] == "--otlp-traces-endpoint=grpc://otel-collector:4317",
    ),
    (
        "scaled by KEDA",
        f"{STACK}/keda-scaled-object.yaml",
        """
        model: {id: Qwen/Qwen3-8B}
        extraObjects:
          - apiVersion: keda.sh/v1alpha1
            kind: ScaledObject
            metadata: {name: llm}
            spec:
              scaleTargetRef: {name: llm-vllm}
              minReplicaCount: 1
              maxReplicaCount: 2
              triggers:
                - type: prometheus
                  metadata: {serverAddress: "http://prometheus:9090", query: "sum(vllm:queue)", threshold: "5"}
        """,
        lambda v: v.manifests.one("ScaledObject")["spec"]["triggers"][0]["metadata"]["threshold"] == "5",
    ),
    (
        "scaled to nothing for the night",
        f"{KUBERNETES}/concepts/workloads/controllers/deployment/",
        "{model: {id: Qwen/Qwen3-8B}, replicaCount: 0}",
        lambda v: v.deployment["spec"]["replicas"] == 0,
    ),
    (
        "queued by Kueue",
        "https://kueue.sigs.k8s.io/docs/tasks/run/deployment/",
        "{model: {id: Qwen/Qwen3-8B}, commonLabels: {kueue.x-k8s.io/queue-name: user-queue}}",
        lambda v: v.deployment.metadata["labels"]["kueue.x-k8s.io/queue-name"] == "user-queue",
    ),
    (
        "a load balancer inside the network",
        "https://cloud.google.com/kubernetes-engine/docs/how-to/internal-load-balancing",
        """
        model: {id: Qwen/Qwen3-8B}
        service:
          type: LoadBalancer
          port: 443
          externalTrafficPolicy: Local
          loadBalancerSourceRanges: [10.0.0.0/8, "fd00::/8"]
          annotations: {networking.gke.io/load-balancer-type: Internal}
        """,
        lambda v: v.service["loadBalancerSourceRanges"] == ["10.0.0.0/8", "fd00::/8"],
    ),
    (
        "a port of every node",
        f"{KUBERNETES}/concepts/services-networking/service/",
        "{model: {id: Qwen/Qwen3-8B}, service: {type: NodePort, port: 8000, nodePort: 30080}}",
        lambda v: v.service["ports"][0]["nodePort"] == 30080,
    ),
    (
        "headless, for a gateway that picks the pod",
        "https://gateway-api-inference-extension.sigs.k8s.io/",
        "{model: {id: Qwen/Qwen3-8B}, service: {clusterIP: None}, podLabels: {inference-pool: qwen}}",
        lambda v: v.service["clusterIP"] == "None" and "inference-pool" not in v.service["selector"],
    ),
    (
        "clients that keep to their prefix cache",
        f"{KUBERNETES}/reference/networking/virtual-ips/#session-affinity",
        """
        model: {id: Qwen/Qwen3-8B}
        service: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 3600}}}
        """,
        lambda v: v.service["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"] == 3600,
    ),
    (
        "an API key",
        f"{STACK}/values-11-secure-vllm.yaml",
        "{model: {id: Qwen/Qwen3-8B}, auth: {apiKeySecretRef: {name: vllm-api-key, key: VLLM_API_KEY}}}",
        lambda v: v.secret("VLLM_API_KEY") == ("vllm-api-key", "VLLM_API_KEY"),
    ),
    (
        "TLS in the engine",
        f"{VLLM}/configuration/serve_args/",
        """
        model: {id: Qwen/Qwen3-8B}
        containerPort: 8443
        service: {port: 443}
        engine: {args: {ssl-certfile: /tls/tls.crt, ssl-keyfile: /tls/tls.key, enable-ssl-refresh: true}}
        volumes: [{name: tls, secret: {secretName: vllm-tls, defaultMode: 0440}}]
        volumeMounts: [{name: tls, mountPath: /tls, readOnly: true}]
        """,
        lambda v: v.engine["readinessProbe"]["httpGet"]["scheme"] == "HTTPS" and "--port=8443" in v.args,
    ),
    (
        "below a path, several API servers, quiet logs",
        f"{VLLM}/configuration/serve_args/",
        """
        model: {id: Qwen/Qwen3-8B}
        engine:
          args:
            root-path: /llm
            api-server-count: 4
            disable-access-log-for-endpoints: /health,/metrics
            allowed-origins: ["https://chat.example.com"]
            middleware: ["acme.auth.Middleware"]
        """,
        lambda v: {"--root-path=/llm", "--disable-access-log-for-endpoints=/health,/metrics"} <= set(v.args),
    ),
    (
        "certificates of the company",
        "https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification",
        "{model: {id: Qwen/Qwen3-8B}, caBundle: {configMapName: kube-root-ca.crt, key: ca.crt}}",
        lambda v: v.volumes["ca-bundle"]["configMap"]["items"] == [{"key": "ca.crt", "path": "ca-bundle.crt"}],
    ),
    (
        "started by another program",
        f"{GKE}/llm-serving-gemma/vllm/vllm-3-27b-it.yaml",
        """
        model: {id: google/gemma-3-27b-it}
        command: [opentelemetry-instrument, vllm, serve]
        env: {OTEL_SERVICE_NAME: gemma}
        """,
        lambda v: v.engine["command"] == ["opentelemetry-instrument", "vllm", "serve"],
    ),
    (
        "started by a shell that hands the arguments on",
        f"{KUBERNETES}/tasks/inject-data-application/define-command-argument-container/#run-a-command-in-a-shell",
        """
        model: {id: Qwen/Qwen3-8B}
        command: [/bin/bash, -c, 'ulimit -n 65535; exec vllm serve "$0" "$@"']
        """,
        lambda v: v.engine["command"][0] == "/bin/bash" and v.args[0] == "Qwen/Qwen3-8B",
    ),
    (
        "a chat template with dollars in its text",
        f"{VLLM}/serving/openai_compatible_server/#chat-template",
        """
        model: {id: Qwen/Qwen3-8B}
        env: {PRICE: "5"}
        engine: {args: {chat-template: "{% for m in messages %}{{ m.content }} costs $PRICE $$\\n{% endfor %}"}}
        """,
        lambda v: "costs $$PRICE $$$$" in v.args[-1],
    ),
    (
        "variables made of others",
        f"{KUBERNETES}/tasks/inject-data-application/define-interdependent-environment-variables/",
        """
        model: {id: Qwen/Qwen3-8B}
        env:
          A_URL: {value: "$(PROTOCOL)://$(SERVICE_ADDRESS)"}
          SERVICE_ADDRESS: {value: "$(SERVICE_IP):$(SERVICE_PORT)"}
          PROTOCOL: https
          SERVICE_IP: 172.17.0.1
          SERVICE_PORT: 80
        """,
        lambda v: [*v.env][:5] == ["PROTOCOL", "SERVICE_IP", "SERVICE_PORT", "SERVICE_ADDRESS", "A_URL"],
    ),
    (
        "networks and addresses of both families",
        f"{KUBERNETES}/concepts/services-networking/service/#loadbalancer",
        """
        model: {id: Qwen/Qwen3-8B}
        service: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8, 0.0.0.0/0, "2001:DB8::/32", "::/0"]}
        hostAliases: [{ip: "::1", hostnames: [a]}, {ip: "fe80::1", hostnames: [b]}, {ip: "::ffff:1.2.3.4"}]
        """,
        lambda v: len(v.service["loadBalancerSourceRanges"]) == 4,
    ),
    (
        "probes as they were before there was a startup probe",
        f"{KUBERNETES}/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
        """
        model: {id: Qwen/Qwen3-8B}
        startupProbe: null
        livenessProbe: {initialDelaySeconds: 600}
        """,
        lambda v: "startupProbe" not in v.engine,
    ),
    (
        "a certificate that an agent brings",
        "https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector",
        """
        model: {id: Qwen/Qwen3-8B}
        engine: {args: {ssl-certfile: /vault/secrets/tls.crt, ssl-keyfile: /vault/secrets/tls.key}}
        podAnnotations:
          vault.hashicorp.com/agent-inject: "true"
          vault.hashicorp.com/agent-inject-template-tls.crt: '{{ with secret "pki/llm" }}{{ .Data.cert }}{{ end }}'
        """,
        lambda v: "--ssl-keyfile=/vault/secrets/tls.key" in v.args,
    ),
    (
        "roles, whose names may have colons",
        f"{KUBERNETES}/reference/access-authn-authz/rbac/",
        """
        model: {id: Qwen/Qwen3-8B}
        extraObjects:
          - apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: "vllm:auth-delegator"}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:auth-delegator"}
            subjects: [{kind: ServiceAccount, name: llm-vllm, namespace: default}]
        """,
        lambda v: v.manifests.one("ClusterRoleBinding").name == "vllm:auth-delegator",
    ),
    (
        "objects of the chart's names, of other kinds or elsewhere",
        "https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor",
        """
        model: {id: Qwen/Qwen3-8B}
        extraObjects:
          - apiVersion: monitoring.coreos.com/v1
            kind: PodMonitor
            metadata: {name: llm-vllm}
            spec: {selector: {matchLabels: {app.kubernetes.io/instance: llm}}, podMetricsEndpoints: [{port: http}]}
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: llm-vllm-lifecycle, namespace: elsewhere}}
        """,
        lambda v: len(v.manifests.all("ConfigMap")) == 2,
    ),
    (
        "a proxy that asks who is there, in front of the engine",
        "https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview/",
        """
        model: {id: Qwen/Qwen3-8B}
        service:
          targetPort: proxy
          extraPorts: [{name: engine, port: 8000, targetPort: http}, {name: metrics, port: 44180, targetPort: 44180}]
        extraContainers:
          - name: oauth2-proxy
            image: quay.io/oauth2-proxy/oauth2-proxy:v7.12.0
            args: ["--upstream=http://127.0.0.1:8000", "--http-address=0.0.0.0:4180"]
            ports: [{name: proxy, containerPort: 4180}]
            resources: {requests: {cpu: 100m, memory: 64Mi}}
        """,
        lambda v: [port["targetPort"] for port in v.service["ports"]] == ["proxy", "http", 44180],
    ),
    (
        "both address families",
        f"{KUBERNETES}/concepts/services-networking/dual-stack/",
        """
        model: {id: Qwen/Qwen3-8B}
        service: {ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6, IPv4], targetPort: 8000}
        """,
        lambda v: v.service["ipFamilies"] == ["IPv6", "IPv4"] and v.service["ports"][0]["targetPort"] == 8000,
    ),
    (
        "keys that are none",
        f"{VLLM}/getting_started/quickstart/#openai-compatible-server",
        "{model: {id: Qwen/Qwen3-8B}, env: {OPENAI_API_KEY: EMPTY, LITELLM_API_KEY: not-needed}}",
        lambda v: v.env["OPENAI_API_KEY"] == "EMPTY",
    ),
    (
        "in the order of importance",
        f"{KUBERNETES}/concepts/scheduling-eviction/pod-priority-preemption/",
        """
        model: {id: Qwen/Qwen3-8B}
        priorityClassName: inference-high
        podDisruptionBudget: {minAvailable: 50%, maxUnavailable: ""}
        replicaCount: 4
        minReadySeconds: 30
        """,
        lambda v: v.manifests.one("PodDisruptionBudget")["spec"]["minAvailable"] == "50%",
    ),
    (
        "two names for one release",
        "https://helm.sh/docs/chart_template_guide/builtin_objects/",
        "{model: {id: Qwen/Qwen3-8B}, fullnameOverride: llama-3, namespaceOverride: models}",
        lambda v: v.deployment.where == "Deployment/llama-3" and v.deployment.namespace == "models",
    ),
    (
        "variables in the place of names and paths",
        "https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/",
        """
        model: {id: Qwen/Qwen3-8B}
        env: {PARSER: hermes, TEMPLATES: templates}
        engine:
          args:
            enable-auto-tool-choice: true
            tool-call-parser: $(PARSER)
            chat-template: /$(TEMPLATES)/qwen.jinja
            max-model-len: null
          extraArgs: [--max-model-len=8192]
        """,
        lambda v: {"--tool-call-parser=$(PARSER)", "--max-model-len=8192"} <= set(v.args),
    ),
    (
        "a probe of a rank's own port",
        "https://docs.vllm.ai/en/latest/serving/data_parallel_deployment.html",
        """
        model: {id: Qwen/Qwen3-30B-A3B}
        gpu: {count: 2}
        parallelism: {dataParallelSize: 2}
        engine: {extraArgs: [--data-parallel-multi-port-external-lb]}
        livenessProbe: {httpGet: {path: /health, port: 9256}}
        """,
        lambda v: v.engine["livenessProbe"]["httpGet"]["port"] == 9256,
    ),
    (
        "what a later file takes away",
        "https://helm.sh/docs/chart_template_guide/values_files/#deleting-a-default-key",
        """
        model: {id: Qwen/Qwen3-8B}
        resources: {requests: {cpu: 4, memory: 16Gi}, limits: {cpu: null, memory: 32Gi}}
        livenessProbe: null
        nodeSelector: {gpu: null}
        env: {VLLM_NO_USAGE_STATS: null}
        strategy: {type: Recreate, rollingUpdate: null}
        """,
        lambda v: (
            "cpu" not in v.resources["limits"]
            and not {"livenessProbe"} & v.engine.keys()
            and "VLLM_NO_USAGE_STATS" not in v.env
        ),
    ),
]

ROWS = [*MODELS, *WEIGHTS, *NODES, *SERVING]
by_row = pytest.mark.parametrize(("values", "fact"), [(row[2], row[3]) for row in ROWS], ids=[row[0] for row in ROWS])

#: What only a privileged namespace admits, because its user asked for it.
PRIVILEGED = (
    "downloaded by root to a directory of the container's",
    "Intel Gaudi",
    "InfiniBand",
    "a GGUF file with another's tokenizer",
)


def test_there_is_a_source_for_every_row() -> None:
    assert all(row[1].startswith("https://") for row in ROWS)
    assert len({row[0] for row in ROWS}) == len(ROWS)


@by_row
def test_it_is_accepted_and_means_what_was_meant(values: str, fact: Callable[[View], bool]) -> None:
    assert fact(View(render(values=values_from_yaml(values))))


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_it_renders_soundly(row: Row) -> None:
    manifests = render(values=values_from_yaml(row[2]), kube_version="1.37")
    level: Level = "privileged" if row[0] in PRIVILEGED else "restricted"

    findings = checks.inspect(manifests, "1.37", level)
    assert [finding for finding in findings if finding.severity == "error"] == []


@pytest.mark.parametrize("values", [row[2] for row in ROWS], ids=[row[0] for row in ROWS])
def test_vllms_parser_and_the_plan_take_it(values: str) -> None:
    findings = checks.validate(values=values_from_yaml(values))
    assert [finding for finding in findings if finding.severity == "error"] == []
