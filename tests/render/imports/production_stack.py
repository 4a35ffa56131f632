"""Values of production-stack's chart, `servingEngineSpec`."""

from tests.render.acceptances.rows import STACK
from tests.render.imports.rows import Case

HOST = "--host=0.0.0.0"

CASES = [
    Case(
        "one model with a claim, flags in its list, and the token written out",
        f"{STACK}/values-02-basic-config.yaml",
        """
        servingEngineSpec:
          runtimeClassName: ""
          modelSpec:
            - name: llama3
              repository: vllm/vllm-openai
              tag: latest
              modelURL: meta-llama/Llama-3.1-8B-Instruct
              replicaCount: 1
              requestCPU: 10
              requestMemory: 16Gi
              requestGPU: 1
              pvcStorage: 50Gi
              pvcAccessMode: ReadWriteOnce
              vllmConfig:
                enableChunkedPrefill: false
                enablePrefixCaching: false
                maxModelLen: 4096
                dtype: bfloat16
                extraArgs: [--disable-log-requests, --gpu-memory-utilization, "0.8"]
              hf_token: hf_this_is_a_token
        """,
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        hub: {tokenSecretRef: {name: llama3-hub-token}}
        engine:
          args:
            host: 0.0.0.0
            enable-prefix-caching: false
            enable-chunked-prefill: false
            max-model-len: 4096
            dtype: bfloat16
            enable-log-requests: false
            gpu-memory-utilization: 0.8
        resources: {requests: {cpu: 10, memory: 16Gi}}
        persistence: {enabled: true, accessModes: [ReadWriteOnce], size: 50Gi, mountPath: /data}
        """,
        (
            *("meta-llama/Llama-3.1-8B-Instruct", HOST, "--port=8000", "--no-enable-chunked-prefill"),
            *("--no-enable-prefix-caching", "--max-model-len", "4096", "--dtype", "bfloat16"),
            *("--disable-log-requests", "--gpu-memory-utilization", "0.8"),
        ),
        named={"modelSpec[0].tag": "latest", "modelSpec[0].hf_token": "a secret is written out"},
    ),
    Case(
        "KV cache in the host's memory, by LMCache",
        f"{STACK}/values-05-cpu-offloading.yaml",
        """
        servingEngineSpec:
          runtimeClassName: ""
          modelSpec:
            - name: mistral
              repository: lmcache/vllm-openai
              tag: v0.3.9
              modelURL: mistralai/Mistral-7B-Instruct-v0.2
              replicaCount: 1
              requestCPU: 10
              requestMemory: 40Gi
              requestGPU: 1
              pvcStorage: 50Gi
              pvcAccessMode: [ReadWriteOnce]
              vllmConfig: {enableChunkedPrefill: false, enablePrefixCaching: false, maxModelLen: 16384}
              lmcacheConfig: {enabled: true, cpuOffloadingBufferSize: "20"}
              hf_token: {secretName: hub, secretKey: hf}
        """,
        """
        model: {id: mistralai/Mistral-7B-Instruct-v0.2}
        hub: {tokenSecretRef: {name: hub, key: hf}}
        engine:
          args:
            host: 0.0.0.0
            enable-prefix-caching: false
            enable-chunked-prefill: false
            max-model-len: 16384
            kv-transfer-config: {kv_connector: LMCacheConnectorV1, kv_role: kv_both}
        resources: {requests: {cpu: 10, memory: 40Gi}}
        persistence: {enabled: true, accessModes: [ReadWriteOnce], size: 50Gi, mountPath: /data}
        image: {repository: lmcache/vllm-openai, tag: v0.3.9}
        env: {LMCACHE_LOCAL_CPU: "True", LMCACHE_MAX_LOCAL_CPU_SIZE: "20", LMCACHE_USE_EXPERIMENTAL: "True"}
        """,
        (
            *("mistralai/Mistral-7B-Instruct-v0.2", HOST, "--port", "8000", "--no-enable-chunked-prefill"),
            *("--no-enable-prefix-caching", "--max-model-len", "16384"),
            '--kv-transfer-config={"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}',
        ),
    ),
    Case(
        "two GPUs of a node, all replicas stopped for a change, an old release",
        f"{STACK}/values-25-v100-multi-gpu-tp2.yaml",
        """
        servingEngineSpec:
          runtimeClassName: nvidia
          strategy: {type: Recreate}
          modelSpec:
            - name: qwen7b
              repository: vllm/vllm-openai
              tag: v0.8.5
              modelURL: Qwen/Qwen2.5-7B-Instruct
              replicaCount: 1
              requestCPU: 8
              requestMemory: 32Gi
              requestGPU: 2
              pvcStorage: 50Gi
              pvcAccessMode: [ReadWriteOnce]
              vllmConfig:
                dtype: half
                v0: "1"
                tensorParallelSize: 2
                maxModelLen: 8192
                gpuMemoryUtilization: 0.9
                extraArgs: [--enforce-eager]
              env: [{name: VLLM_ENABLE_CUDA_COMPATIBILITY, value: "1"}]
              shmSize: 4Gi
              nodeSelectorTerms:
                - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [gpu-node-01]}]
        """,
        """
        model: {id: Qwen/Qwen2.5-7B-Instruct}
        engine:
          args:
            host: 0.0.0.0
            enable-prefix-caching: false
            max-model-len: 8192
            dtype: half
            gpu-memory-utilization: 0.9
            enforce-eager: true
        gpu: {count: 2}
        strategy: {type: Recreate, rollingUpdate: null}
        resources: {requests: {cpu: 8, memory: 32Gi}}
        shm: {sizeLimit: 4Gi}
        persistence: {enabled: true, accessModes: [ReadWriteOnce], size: 50Gi, mountPath: /data}
        image: {tag: v0.8.5}
        affinity:
          nodeAffinity:
            requiredDuringSchedulingIgnoredDuringExecution:
              nodeSelectorTerms:
                - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [gpu-node-01]}]
        runtimeClassName: nvidia
        env: {VLLM_ENABLE_CUDA_COMPATIBILITY: "1", VLLM_USE_V1: "0"}
        """,
        (
            *("Qwen/Qwen2.5-7B-Instruct", HOST, "--port", "8000", "--no-enable-prefix-caching", "--max-model-len=8192"),
            *("--dtype", "half", "--tensor-parallel-size", "2", "--gpu_memory_utilization", "0.9", "--enforce-eager"),
        ),
    ),
    Case(
        "replicas by the queue, and a router in front",
        f"{STACK}/values-20-keda.yaml",
        """
        servingEngineSpec:
          vllmApiKey: {secretName: keys, secretKey: vllm}
          tolerations: [{key: gpu, operator: Exists}]
          modelSpec:
            - name: llama3
              repository: vllm/vllm-openai
              tag: v0.10.2
              modelURL: meta-llama/Llama-3.1-8B-Instruct
              replicaCount: 1
              requestCPU: 6
              requestMemory: 16Gi
              requestGPU: 1
              limitMemory: 32Gi
              keda:
                enabled: true
                minReplicaCount: 1
                maxReplicaCount: 3
                pollingInterval: 15
                cooldownPeriod: 360
                triggers:
                  - type: prometheus
                    metadata:
                      serverAddress: http://prometheus-operated.monitoring.svc:9090
                      query: vllm:num_requests_waiting
                      threshold: "5"
        routerSpec: {repository: lmcache/lmstack-router, tag: v1, routingLogic: roundrobin}
        """,
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        engine: {args: {host: 0.0.0.0}}
        autoscaling:
          enabled: true
          maxReplicas: 3
          cooldownSeconds: 360
          prometheus: {address: "http://prometheus-operated.monitoring.svc:9090"}
        resources: {limits: {memory: 32Gi}, requests: {cpu: 6, memory: 16Gi}}
        image: {tag: v0.10.2}
        auth: {apiKeySecretRef: {name: keys, key: vllm}}
        tolerations: [{key: gpu, operator: Exists}]
        """,
        ("meta-llama/Llama-3.1-8B-Instruct", HOST, "--port", "8000"),
        named={
            "routerSpec": "the chart vllm-endpoint",
            "keda.triggers": "the chart measures requests",
            "keda.pollingInterval": "has its own",
        },
    ),
    Case(
        "adapters that a controller loads",
        f"{STACK}/values-09-lora-enabled.yaml",
        """
        servingEngineSpec:
          modelSpec:
            - name: llama3-8b-instr
              repository: vllm/vllm-openai
              tag: v0.11.0
              modelURL: meta-llama/Llama-3.1-8B-Instruct
              enableLoRA: true
              raySpec: {enabled: false}
              replicaCount: 1
              requestCPU: 6
              requestMemory: 16Gi
              requestGPU: 1
              pvcStorage: 50Gi
              pvcAccessMode: [ReadWriteOnce]
              vllmConfig: {maxModelLen: 4096, maxLoras: 4}
              env: [{name: VLLM_ALLOW_RUNTIME_LORA_UPDATING, value: "True"}]
        loraAdapters:
          - name: nemoguard
            baseModel: llama3-8b-instr
            adapterSource: {type: local, adapterName: topic-control, adapterPath: /data/lora-adapters/topic-control}
            loraAdapterDeploymentConfig: {algorithm: default, replicas: 1}
          - name: sql
            baseModel: llama3-8b-instr
            adapterSource: {type: huggingface, adapterName: sql, repository: acme/sql-lora}
          - name: tuned
            baseModel: llama3-8b-instr
            adapterSource: {type: s3, adapterName: tuned, repository: s3://bucket/tuned}
          - name: nowhere
            baseModel: llama3-8b-instr
            adapterSource: {type: local, adapterName: nowhere}
          - name: plain
            baseModel: llama3-8b-instr
            adapterSource: {adapterName: plain}
          - name: others
            baseModel: gemma
            adapterSource: {type: huggingface, adapterName: others, repository: acme/others}
        loraController: {kubernetesClusterDomain: cluster.local}
        """,
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        engine: {args: {host: 0.0.0.0, enable-prefix-caching: false, max-model-len: 4096}}
        lora:
          adapters:
            - {name: topic-control, source: /data/lora-adapters/topic-control}
            - {name: sql, source: acme/sql-lora}
          maxLoras: 4
          reload: true
        resources: {requests: {cpu: 6, memory: 16Gi}}
        persistence: {enabled: true, accessModes: [ReadWriteOnce], size: 50Gi, mountPath: /data}
        image: {tag: v0.11.0}
        """,
        (
            *(
                "meta-llama/Llama-3.1-8B-Instruct",
                HOST,
                "--port=8000",
                "--no-enable-prefix-caching",
                "--max-model-len=4096",
            ),
            *("--enable-lora", "--max-loras", "4"),
        ),
        named={
            "loraAdapters[2]": "and not by s3",
            "loraAdapters[3]": "has no adapterPath",
            "loraAdapters[4]": "has no type",
            "loraAdapters[5]": "none of the releases here runs its model, gemma",
            "loraController": "the chart's own sidecar",
        },
    ),
]
