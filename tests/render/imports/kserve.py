"""KServe's InferenceService, with and without a runtime in the file, and its LLMInferenceService."""

from tests.render.imports.rows import Case

KSERVE = "https://github.com/kserve/kserve/blob/master/docs/samples"
SITE = "https://kserve.github.io/website/docs/model-serving/generative-inference"

CASES = [
    Case(
        "the Hugging Face server, whose flags are nearly vLLM's",
        f"{SITE}/kvcache-offloading",
        """
        apiVersion: serving.kserve.io/v1beta1
        kind: InferenceService
        metadata: {name: huggingface-llama3}
        spec:
          predictor:
            minReplicas: 2
            model:
              modelFormat: {name: huggingface}
              args:
                - --model_name=llama3
                - --model_id=meta-llama/Llama-3.2-1B-Instruct
                - --max-model-len=10000
                - --kv-transfer-config='{"kv_connector":"LMCacheConnectorV1", "kv_role":"kv_both"}'
              env:
                - name: HF_TOKEN
                  valueFrom: {secretKeyRef: {name: hf-secret, key: HF_TOKEN, optional: false}}
                - {name: LMCACHE_CONFIG_FILE, value: /lmcache/lmcache_config.yaml}
              resources:
                limits: {cpu: 6, memory: 24Gi, nvidia.com/gpu: "1"}
                requests: {cpu: 6, memory: 24Gi, nvidia.com/gpu: "1"}
              volumeMounts: [{name: lmcache-config, mountPath: /lmcache, readOnly: true}]
            volumes: [{name: lmcache-config, configMap: {name: lmcache-config}}]
        """,
        """
        model: {id: meta-llama/Llama-3.2-1B-Instruct, servedModelName: [llama3]}
        hub: {tokenSecretRef: {name: hf-secret, key: HF_TOKEN}}
        engine:
          args:
            max-model-len: 10000
            kv-transfer-config: {kv_connector: LMCacheConnectorV1, kv_role: kv_both}
        replicaCount: 2
        resources: {limits: {cpu: 6, memory: 24Gi}, requests: {cpu: 6, memory: 24Gi}}
        volumes: [{name: lmcache-config, configMap: {name: lmcache-config}}]
        volumeMounts: [{name: lmcache-config, mountPath: /lmcache, readOnly: true}]
        env: {LMCACHE_CONFIG_FILE: /lmcache/lmcache_config.yaml}
        """,
        (
            *("--served-model-name=llama3", "--model=meta-llama/Llama-3.2-1B-Instruct", "--max-model-len=10000"),
            '--kv-transfer-config={"kv_connector": "LMCacheConnectorV1", "kv_role": "kv_both"}',
        ),
    ),
    Case(
        "a runtime of one's own, which the service is laid over",
        f"{KSERVE}/kernelcache/vllm-servingruntime.yaml",
        """
        apiVersion: serving.kserve.io/v1alpha1
        kind: ServingRuntime
        metadata: {name: vllmserver, annotations: {serving.kserve.io/server-type: vllmserver}}
        spec:
          annotations: {prometheus.kserve.io/path: /metrics}
          containers:
            - args: [--port=8080, "--served-model-name={{.Name}}", --model=/mnt/models]
              command: [python3, -m, vllm.entrypoints.openai.api_server]
              env:
                - {name: LMCACHE_USE_EXPERIMENTAL, value: "True"}
                - {name: HF_HOME, value: /tmp/hf}
              image: vllm/vllm-openai:v0.28.0
              name: kserve-container
              readinessProbe:
                failureThreshold: 3
                httpGet: {path: /v1/models, port: 8080}
                periodSeconds: 10
                successThreshold: 1
                timeoutSeconds: 5
              resources: {limits: {cpu: "1", memory: 2Gi}, requests: {cpu: "1", memory: 2Gi}}
              securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, privileged: false}
              startupProbe:
                failureThreshold: 60
                httpGet: {path: /health, port: 8080}
                initialDelaySeconds: 0
                periodSeconds: 5
                successThreshold: 1
                timeoutSeconds: 10
              volumeMounts: [{mountPath: /dev/shm, name: devshm}]
          hostIPC: false
          supportedModelFormats: [{autoSelect: true, name: vLLM, priority: 1, version: "1"}]
          volumes: [{emptyDir: {medium: Memory}, name: devshm}]
        ---
        apiVersion: serving.kserve.io/v1beta1
        kind: InferenceService
        metadata: {name: opt}
        spec:
          predictor:
            automountServiceAccountToken: false
            model:
              modelFormat: {name: vLLM}
              name: ""
              protocolVersion: v2
              resources:
                limits: {cpu: "2", memory: 4Gi, nvidia.com/gpu: "1"}
                requests: {cpu: "1", memory: 2Gi, nvidia.com/gpu: "1"}
              runtime: vllmserver
              storageUri: hf://facebook/opt-125m
        """,
        """
        model: {id: facebook/opt-125m, servedModelName: [opt]}
        startup: {budgetSeconds: 300}
        startupProbe: {timeoutSeconds: 10}
        readinessProbe: {periodSeconds: 10, httpGet: {path: /v1/models, port: 8080}}
        resources: {limits: {cpu: "2", memory: 4Gi}, requests: {cpu: "1", memory: 2Gi}}
        image: {tag: v0.28.0}
        containerPort: 8080
        env: {HF_HOME: /tmp/hf, LMCACHE_USE_EXPERIMENTAL: "True"}
        securityContext: {privileged: false}
        """,
        ("--port=8080", "--served-model-name=opt", "--model=facebook/opt-125m"),
    ),
    Case(
        "weights in a claim, for the Hugging Face server",
        "https://kserve.github.io/website/docs/model-serving/storage/providers/pvc",
        """
        apiVersion: serving.kserve.io/v1beta1
        kind: InferenceService
        metadata: {name: qwen, annotations: {serving.kserve.io/deploymentMode: Standard}}
        spec:
          predictor:
            serviceAccountName: models
            tolerations: [{key: nvidia.com/gpu, operator: Exists}]
            scaleMetric: concurrency
            model:
              modelFormat: {name: huggingface}
              storageUri: pvc://weights/qwen3-8b
              args: [--max_model_len=8192, --task=text_generation]
              resources: {limits: {nvidia.com/gpu: 1}, requests: {nvidia.com/gpu: 1}}
        """,
        """
        model: {id: /mnt/models, servedModelName: [qwen]}
        engine: {args: {max-model-len: 8192}}
        volumes: [{name: models, persistentVolumeClaim: {claimName: weights}}]
        volumeMounts: [{name: models, mountPath: /mnt/models, readOnly: true, subPath: qwen3-8b}]
        tolerations: [{key: nvidia.com/gpu, operator: Exists}]
        serviceAccount: {create: false, name: models}
        """,
        ("--model=/mnt/models", "--served-model-name=qwen", "--max-model-len=8192"),
        named={"predictor.scaleMetric": "the chart measures"},
    ),
    Case(
        "an LLMInferenceService with flags in a variable",
        f"{KSERVE}/llmisvc/agentic-tool-calling/llmisvc-single-gpu.yaml",
        """
        apiVersion: serving.kserve.io/v1alpha2
        kind: LLMInferenceService
        metadata: {name: qwen3-coder}
        spec:
          model: {uri: "hf://Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8", name: coder}
          replicas: 2
          parallelism: {tensor: 2}
          router: {route: {}, scheduler: {}}
          template:
            containers:
              - name: main
                image: ghcr.io/llm-d/llm-d-cuda:v0.8.1
                env:
                  - name: HF_TOKEN
                    valueFrom: {secretKeyRef: {name: hf-token, key: HF_TOKEN}}
                  - name: VLLM_ADDITIONAL_ARGS
                    value: >-
                      --enable-auto-tool-choice
                      --tool-call-parser=qwen3_coder
                resources: {limits: {nvidia.com/gpu: "2"}, requests: {nvidia.com/gpu: "2"}}
        """,
        """
        model: {id: Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8, servedModelName: [coder]}
        hub: {tokenSecretRef: {name: hf-token, key: HF_TOKEN}}
        engine: {args: {enable-auto-tool-choice: true, tool-call-parser: qwen3_coder}}
        gpu: {count: 2}
        replicaCount: 2
        image: {repository: ghcr.io/llm-d/llm-d-cuda, tag: v0.8.1}
        """,
        (
            *("Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8", "--served-model-name", "coder", "--tensor-parallel-size=2"),
            *("--enable-auto-tool-choice", "--tool-call-parser=qwen3_coder"),
        ),
        named={"spec.router": "beside the release"},
    ),
    Case(
        "an LLMInferenceService with adapters",
        f"{KSERVE}/llmisvc/lora-adapters",
        """
        apiVersion: serving.kserve.io/v1alpha2
        kind: LLMInferenceService
        metadata: {name: qwen}
        spec:
          model:
            uri: hf://Qwen/Qwen2.5-7B-Instruct
            name: qwen
            lora:
              maxRank: 64
              maxCpuAdapters: 8
              adapters:
                - {name: k8s, uri: "hf://acme/k8s-lora:0123abc", framework: peft}
                - {name: sql, uri: "pvc://adapters/sql/v2"}
                - {name: law, uri: "s3://adapters/law"}
                - {uri: "hf://acme/nameless"}
                - {name: plain, uri: acme/plain}
          template:
            containers:
              - name: main
                image: vllm/vllm-openai:v0.33.0
                resources: {limits: {nvidia.com/gpu: "1"}}
        """,
        """
        model: {id: Qwen/Qwen2.5-7B-Instruct, servedModelName: [qwen]}
        lora:
          adapters:
            - {name: k8s, source: acme/k8s-lora, revision: 0123abc}
            - {name: sql, source: /mnt/lora/sql}
          maxRank: 64
          maxLoras: 2
        engine: {args: {max-cpu-loras: 8}}
        image: {tag: v0.33.0}
        volumes: [{name: lora-1, persistentVolumeClaim: {claimName: adapters}}]
        volumeMounts: [{name: lora-1, mountPath: /mnt/lora/sql, readOnly: true, subPath: sql/v2}]
        """,
        (
            *("Qwen/Qwen2.5-7B-Instruct", "--served-model-name", "qwen", "--enable-lora", "--max-loras=2"),
            *("--max-cpu-loras=8", "--max-lora-rank=64"),
            *("--lora-modules", "k8s=/cache/adapters/acme--k8s-lora/0123abc", "sql=/mnt/lora/sql"),
        ),
        named={
            "adapters[0].framework": "does not know the field",
            "adapters[2]": "not by s3://",
            "adapters[3]": "it has no name",
            "adapters[4]": "and acme/plain says neither pvc:// nor hf://",
        },
    ),
    Case(
        "a model in an image",
        f"{KSERVE}/storage/oci-image-volume",
        """
        apiVersion: serving.kserve.io/v1beta1
        kind: InferenceService
        metadata: {name: qwen}
        spec:
          predictor:
            model:
              modelFormat: {name: huggingface}
              storageUri: oci+native://registry.example.com/models/qwen3-8b:v1
              args: [--model_name=qwen]
              resources: {limits: {nvidia.com/gpu: 1}}
        """,
        """
        model: {id: qwen, image: {reference: "registry.example.com/models/qwen3-8b:v1", subPath: models}}
        """,
        ("/model", "--served-model-name=qwen"),
    ),
]
