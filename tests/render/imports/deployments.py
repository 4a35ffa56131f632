"""Deployments of Kubernetes that run vLLM."""

from tests.render.acceptances.rows import GKE, VLLM
from tests.render.imports.rows import Case

EXTENSION = "https://github.com/kubernetes-sigs/gateway-api-inference-extension/blob/main"

CASES = [
    Case(
        "Python's module with a model from a variable, and a flag that is long gone",
        f"{GKE}/llm-serving-gemma/vllm/vllm-3-27b-it-a100-40gb.yaml",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: gemma}
        spec:
          replicas: 1
          selector: {matchLabels: {app: gemma}}
          template:
            metadata: {labels: {app: gemma, ai.gke.io/inference-server: vllm}}
            spec:
              containers:
                - name: server
                  image: us-docker.pkg.dev/vertex-ai/model-garden/pytorch-vllm-serve:20250312_0916_RC01
                  resources:
                    requests: {cpu: "10", memory: 128Gi, ephemeral-storage: 120Gi, nvidia.com/gpu: "2"}
                    limits: {cpu: "10", memory: 128Gi, ephemeral-storage: 120Gi, nvidia.com/gpu: "2"}
                  command: [python3, -m, vllm.entrypoints.openai.api_server]
                  args:
                    - --model=$(MODEL_ID)
                    - --tensor-parallel-size=2
                    - --host=0.0.0.0
                    - --port=8000
                    - --swap-space=16
                    - --gpu-memory-utilization=0.95
                    - --max-model-len=4096
                  env:
                    - {name: MODEL_ID, value: google/gemma-3-27b-it}
                    - name: HUGGING_FACE_HUB_TOKEN
                      valueFrom: {secretKeyRef: {name: hf-secret, key: hf_api_token}}
                  volumeMounts: [{mountPath: /dev/shm, name: dshm}]
                  livenessProbe:
                    httpGet: {path: /health, port: 8000}
                    initialDelaySeconds: 600
                    periodSeconds: 10
                  readinessProbe:
                    httpGet: {path: /health, port: 8000}
                    initialDelaySeconds: 600
                    periodSeconds: 5
              volumes: [{name: dshm, emptyDir: {medium: Memory}}]
              nodeSelector: {cloud.google.com/gke-accelerator: nvidia-tesla-a100}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: llm}
        spec:
          selector: {app: gemma}
          type: ClusterIP
          ports: [{protocol: TCP, port: 8000, targetPort: 8000}]
        """,
        """
        model: {id: google/gemma-3-27b-it}
        hub: {tokenSecretRef: {name: hf-secret, key: hf_api_token}}
        engine:
          args: {host: 0.0.0.0, gpu-memory-utilization: 0.95, max-model-len: 4096, swap-space: 16}
        gpu: {count: 2}
        resources:
          limits: {cpu: "10", ephemeral-storage: 120Gi, memory: 128Gi}
          requests: {cpu: "10", ephemeral-storage: 120Gi, memory: 128Gi}
        image:
          repository: us-docker.pkg.dev/vertex-ai/model-garden/pytorch-vllm-serve
          tag: 20250312_0916_RC01
        service: {port: 8000}
        podLabels: {ai.gke.io/inference-server: vllm, app: gemma}
        nodeSelector: {cloud.google.com/gke-accelerator: nvidia-tesla-a100}
        env: {MODEL_ID: google/gemma-3-27b-it}
        command: [python3, -m, vllm.entrypoints.openai.api_server]
        """,
        (
            *("--model=google/gemma-3-27b-it", "--tensor-parallel-size=2", "--host=0.0.0.0", "--port=8000"),
            *("--gpu-memory-utilization=0.95", "--max-model-len=4096", "--swap-space=16"),
        ),
    ),
    Case(
        "a shell's line, a claim at the Hub's cache, and the Secret beside it",
        f"{VLLM}/deployment/k8s/",
        """
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: mistral, namespace: default}
        spec:
          accessModes: [ReadWriteOnce]
          resources: {requests: {storage: 50Gi}}
          storageClassName: default
          volumeMode: Filesystem
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: hub, namespace: default}
        type: Opaque
        stringData: {token: REPLACE_IT}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: mistral, namespace: default, labels: {app: mistral}}
        spec:
          replicas: 1
          selector: {matchLabels: {app: mistral}}
          template:
            metadata: {labels: {app: mistral}}
            spec:
              volumes:
                - {name: cache-volume, persistentVolumeClaim: {claimName: mistral}}
                - {name: shm, emptyDir: {medium: Memory, sizeLimit: 2Gi}}
              containers:
                - name: mistral
                  image: vllm/vllm-openai:latest
                  command: [/bin/sh, -c]
                  args:
                    - >-
                      vllm serve mistralai/Mistral-7B-Instruct-v0.3 --trust-remote-code --enable-chunked-prefill
                      --max_num_batched_tokens 1024
                  env:
                    - name: HUGGING_FACE_HUB_TOKEN
                      valueFrom: {secretKeyRef: {name: hub, key: token}}
                  ports: [{containerPort: 8000}]
                  resources:
                    limits: {cpu: "10", memory: 20G, nvidia.com/gpu: "1"}
                    requests: {cpu: "2", memory: 6G, nvidia.com/gpu: "1"}
                  volumeMounts:
                    - {mountPath: /root/.cache/huggingface, name: cache-volume}
                    - {mountPath: /dev/shm, name: shm}
                  livenessProbe: {httpGet: {path: /health, port: 8000}, initialDelaySeconds: 60, periodSeconds: 10}
                  readinessProbe: {httpGet: {path: /health, port: 8000}, initialDelaySeconds: 60, periodSeconds: 5}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: mistral, namespace: default}
        spec:
          ports: [{name: http-mistral, port: 80, protocol: TCP, targetPort: 8000}]
          selector: {app: mistral}
          sessionAffinity: None
          type: ClusterIP
        """,
        """
        model: {id: mistralai/Mistral-7B-Instruct-v0.3, trustRemoteCode: true}
        hub: {tokenSecretRef: {name: hub}}
        engine: {args: {enable-chunked-prefill: true, max-num-batched-tokens: 1024}}
        resources:
          limits: {cpu: "10", memory: 20G}
          requests: {cpu: "2", memory: 6G}
        shm: {sizeLimit: 2Gi}
        persistence: {enabled: true, storageClassName: default, accessModes: [ReadWriteOnce], size: 50Gi}
        commonLabels: {app: mistral}
        env: {HF_HOME: /cache}
        """,
        (
            *("mistralai/Mistral-7B-Instruct-v0.3", "--trust-remote-code", "--enable-chunked-prefill"),
            *("--max-num-batched-tokens", "1024"),
        ),
        named={
            "containers[0].image": "latest",
            "Service/mistral: spec.ports[0].name": "calls the port http",
            "Secret/hub: stringData": "no secret goes into values",
        },
    ),
    Case(
        "AMD's image, on the node's network and IPC namespace",
        f"{VLLM}/deployment/k8s/#deployment-with-gpus",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: mistral}
        spec:
          replicas: 1
          selector: {matchLabels: {app: mistral}}
          template:
            metadata: {labels: {app: mistral}}
            spec:
              volumes:
                - {name: cache-volume, persistentVolumeClaim: {claimName: weights}}
                - {name: shm, emptyDir: {medium: Memory, sizeLimit: 8Gi}}
              hostNetwork: true
              hostIPC: true
              containers:
                - name: mistral
                  image: rocm/vllm:rocm6.2_mi300_ubuntu20.04_py3.9_vllm_0.6.4
                  securityContext:
                    seccompProfile: {type: Unconfined}
                    runAsGroup: 44
                    capabilities: {add: [SYS_PTRACE]}
                  command: [/bin/sh, -c]
                  args: ["vllm serve mistralai/Mistral-7B-v0.3 --port 8000 --trust-remote-code"]
                  ports: [{containerPort: 8000}]
                  resources:
                    limits: {cpu: "10", memory: 20G, amd.com/gpu: "1"}
                    requests: {cpu: "6", memory: 6G, amd.com/gpu: "1"}
                  volumeMounts:
                    - {name: cache-volume, mountPath: /root/.cache/huggingface}
                    - {name: shm, mountPath: /dev/shm}
        """,
        """
        model: {id: mistralai/Mistral-7B-v0.3, trustRemoteCode: true}
        gpu: {resourceName: amd.com/gpu}
        resources:
          limits: {cpu: "10", memory: 20G}
          requests: {cpu: "6", memory: 6G}
        shm: {sizeLimit: 8Gi}
        persistence: {enabled: true, existingClaim: weights}
        image: {repository: rocm/vllm, tag: rocm6.2_mi300_ubuntu20.04_py3.9_vllm_0.6.4}
        podLabels: {app: mistral}
        env: {HF_HOME: /cache}
        command: [vllm, serve]
        hostNetwork: true
        hostIPC: true
        securityContext:
          capabilities: {add: [SYS_PTRACE]}
          runAsGroup: 44
          seccompProfile: {type: Unconfined}
        """,
        ("mistralai/Mistral-7B-v0.3", "--port", "8000", "--trust-remote-code"),
        refused=("hostNetwork",),
    ),
    Case(
        "weights streamed from a bucket, by the identity of the pod",
        f"{GKE}/distributed-streaming-benchmark/vllm-runai-gcs.yaml",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: vllm}
        spec:
          replicas: 1
          selector: {matchLabels: {app: vllm}}
          template:
            metadata: {labels: {app: vllm}}
            spec:
              serviceAccountName: bucket-reader
              containers:
                - name: server
                  image: vllm/vllm-openai:nightly
                  command: [/bin/sh, -c]
                  args:
                    - >-
                      vllm serve gs://models/Llama-3.3-70B-Instruct --load-format runai_streamer --max-model-len 8192
                      --max-num-seqs 2 --gpu-memory-utilization=0.95 --served-model-name meta/Llama-3.3-70B-Instruct
                      --tensor-parallel-size=8
                  resources: {limits: {nvidia.com/gpu: "8"}, requests: {nvidia.com/gpu: "8"}}
                  volumeMounts: [{mountPath: /dev/shm, name: dshm}]
              tolerations: [{effect: NoSchedule, key: nvidia.com/gpu, operator: Equal, value: present}]
              nodeSelector: {cloud.google.com/gke-accelerator: nvidia-l4}
              volumes: [{name: dshm, emptyDir: {medium: Memory}}]
        """,
        """
        model: {id: "gs://models/Llama-3.3-70B-Instruct", servedModelName: [meta/Llama-3.3-70B-Instruct]}
        engine:
          args: {load-format: runai_streamer, gpu-memory-utilization: 0.95, max-model-len: 8192, max-num-seqs: 2}
        gpu: {count: 8}
        image: {tag: nightly}
        podLabels: {app: vllm}
        nodeSelector: {cloud.google.com/gke-accelerator: nvidia-l4}
        tolerations: [{effect: NoSchedule, key: nvidia.com/gpu, operator: Equal, value: present}]
        serviceAccount: {create: false, name: bucket-reader}
        """,
        (
            *("gs://models/Llama-3.3-70B-Instruct", "--load-format", "runai_streamer", "--max-model-len", "8192"),
            *("--max-num-seqs", "2", "--gpu-memory-utilization=0.95", "--tensor-parallel-size=8"),
            *("--served-model-name", "meta/Llama-3.3-70B-Instruct"),
        ),
    ),
    Case(
        "adapters that a sidecar loads, probes by the second, and a sleep before the end",
        f"{GKE}/infw-gw/examples/getting-started/vllm-llama3-8b-instruct.yaml",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: llama}
        spec:
          replicas: 3
          selector: {matchLabels: {app: llama}}
          template:
            metadata: {labels: {app: llama}}
            spec:
              restartPolicy: Always
              enableServiceLinks: false
              terminationGracePeriodSeconds: 130
              containers:
                - name: vllm
                  image: vllm/vllm-openai:v0.10.2
                  imagePullPolicy: Always
                  command: [python3, -m, vllm.entrypoints.openai.api_server]
                  args:
                    - --model
                    - meta-llama/Llama-3.1-8B-Instruct
                    - --tensor-parallel-size
                    - "1"
                    - --port
                    - "8000"
                    - --enable-lora
                    - --max-loras
                    - "2"
                    - --max-cpu-loras
                    - "12"
                  env:
                    - {name: VLLM_USE_V1, value: "1"}
                    - {name: PORT, value: "8000"}
                    - name: HUGGING_FACE_HUB_TOKEN
                      valueFrom: {secretKeyRef: {name: hf-token, key: token}}
                    - {name: VLLM_ALLOW_RUNTIME_LORA_UPDATING, value: "true"}
                  ports: [{containerPort: 8000, name: http, protocol: TCP}]
                  lifecycle: {preStop: {sleep: {seconds: 30}}}
                  livenessProbe:
                    httpGet: {path: /health, port: http, scheme: HTTP}
                    periodSeconds: 1
                    successThreshold: 1
                    failureThreshold: 5
                    timeoutSeconds: 1
                  readinessProbe:
                    httpGet: {path: /health, port: http, scheme: HTTP}
                    periodSeconds: 1
                    successThreshold: 1
                    failureThreshold: 1
                    timeoutSeconds: 1
                  startupProbe:
                    httpGet: {path: /health, port: http, scheme: HTTP}
                    failureThreshold: 600
                    initialDelaySeconds: 2
                    periodSeconds: 1
                  resources: {limits: {nvidia.com/gpu: 1}, requests: {nvidia.com/gpu: 1}}
                  volumeMounts:
                    - {mountPath: /data, name: data}
                    - {mountPath: /dev/shm, name: shm}
                    - {mountPath: /adapters, name: adapters}
              initContainers:
                - name: syncer
                  image: registry.k8s.io/gateway-api-inference-extension/lora-syncer:v0.3.0
                  restartPolicy: Always
                  env: [{name: DYNAMIC_LORA_ROLLOUT_CONFIG, value: /config/configmap.yaml}]
                  volumeMounts: [{name: config-volume, mountPath: /config}]
              volumes:
                - {name: data, emptyDir: {}}
                - {name: shm, emptyDir: {medium: Memory}}
                - {name: adapters, emptyDir: {}}
                - {name: config-volume, configMap: {name: llama-adapters}}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: llama-adapters}
        data: {configmap.yaml: "vLLMLoRAConfig: {name: llama, port: 8000}"}
        ---
        apiVersion: networking.gke.io/v1
        kind: HealthCheckPolicy
        metadata: {name: llama}
        spec:
          targetRef: {group: apps, kind: Deployment, name: llama}
          default: {config: {type: HTTP, httpHealthCheck: {port: 8000, requestPath: /health}}}
        """,
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct}
        hub: {tokenSecretRef: {name: hf-token}}
        engine: {args: {enable-lora: true, max-cpu-loras: 12, max-loras: 2}}
        replicaCount: 3
        startup: {budgetSeconds: 602}
        shutdown: {propagationSeconds: 30, drainSeconds: 70}
        readinessProbe: {periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1}
        livenessProbe: {periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 5}
        volumes:
          - {name: data, emptyDir: {}}
          - {name: adapters, emptyDir: {}}
          - {name: config-volume, configMap: {name: llama-adapters}}
        volumeMounts: [{mountPath: /data, name: data}, {mountPath: /adapters, name: adapters}]
        image: {tag: v0.10.2, pullPolicy: Always}
        podLabels: {app: llama}
        env: {PORT: "8000", VLLM_ALLOW_RUNTIME_LORA_UPDATING: "true", VLLM_USE_V1: "1"}
        initContainers:
          - name: syncer
            image: registry.k8s.io/gateway-api-inference-extension/lora-syncer:v0.3.0
            restartPolicy: Always
            env: [{name: DYNAMIC_LORA_ROLLOUT_CONFIG, value: /config/configmap.yaml}]
            volumeMounts: [{name: config-volume, mountPath: /config}]
        extraObjects:
          - apiVersion: v1
            kind: ConfigMap
            metadata: {name: llama-adapters}
            data: {configmap.yaml: "vLLMLoRAConfig: {name: llama, port: 8000}"}
        """,
        (
            *("--model", "meta-llama/Llama-3.1-8B-Instruct", "--tensor-parallel-size", "1", "--port", "8000"),
            *("--enable-lora", "--max-loras", "2", "--max-cpu-loras", "12"),
        ),
        named={"HealthCheckPolicy/llama": "not known here"},
    ),
    Case(
        "weights in a bucket that is mounted, and a volume that nobody mounts",
        f"{GKE}/gcsfuse-shared-cache/vllm-a.yaml",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: vllm-a}
        spec:
          replicas: 1
          selector: {matchLabels: {app: vllm-a}}
          template:
            metadata:
              labels: {app: vllm-a}
              annotations: {gke-gcsfuse/volumes: "true"}
            spec:
              serviceAccountName: bucket-reader
              containers:
                - name: server
                  image: registry.example.com/vllm-gcs:v0.10.2
                  command: [/bin/sh, -c]
                  args:
                    - vllm serve /data/Llama-3.1-8B --max-model-len 8192 --served-model-name meta/Llama-3.1-8B
                  resources:
                    limits: {cpu: "4", memory: 25Gi, nvidia.com/gpu: "1"}
                    requests: {cpu: "4", memory: 25Gi, nvidia.com/gpu: "1"}
                  volumeMounts:
                    - {mountPath: /dev/shm, name: dshm}
                    - {mountPath: /data, name: bucket, readOnly: true}
              volumes:
                - {name: dshm, emptyDir: {medium: Memory}}
                - name: bucket
                  csi:
                    driver: gcsfuse.csi.storage.gke.io
                    readOnly: true
                    volumeAttributes: {bucketName: weights, mountOptions: implicit-dirs}
                - {name: gke-gcsfuse-cache, persistentVolumeClaim: {claimName: local-raid}}
        """,
        """
        model: {id: /data/Llama-3.1-8B, servedModelName: [meta/Llama-3.1-8B]}
        engine: {args: {max-model-len: 8192}}
        resources:
          limits: {cpu: "4", memory: 25Gi}
          requests: {cpu: "4", memory: 25Gi}
        volumes:
          - name: bucket
            csi:
              driver: gcsfuse.csi.storage.gke.io
              readOnly: true
              volumeAttributes: {bucketName: weights, mountOptions: implicit-dirs}
          - {name: gke-gcsfuse-cache, persistentVolumeClaim: {claimName: local-raid}}
        volumeMounts: [{mountPath: /data, name: bucket, readOnly: true}]
        image: {repository: registry.example.com/vllm-gcs, tag: v0.10.2}
        podLabels: {app: vllm-a}
        podAnnotations: {gke-gcsfuse/volumes: "true"}
        serviceAccount: {create: false, name: bucket-reader}
        command: [vllm, serve]
        """,
        ("/data/Llama-3.1-8B", "--max-model-len", "8192", "--served-model-name", "meta/Llama-3.1-8B"),
    ),
    Case(
        "the CPU build, with adapters that a container before it brings",
        f"{EXTENSION}/config/manifests/vllm/cpu-deployment.yaml",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: qwen}
        spec:
          replicas: 3
          selector: {matchLabels: {app: qwen}}
          template:
            metadata: {labels: {app: qwen}}
            spec:
              containers:
                - name: lora
                  image: public.ecr.aws/q9t5s3a7/vllm-cpu-release-repo:v0.7.2
                  imagePullPolicy: Always
                  command: [python3, -m, vllm.entrypoints.openai.api_server]
                  args:
                    - --model
                    - Qwen/Qwen2.5-1.5B-Instruct
                    - --port
                    - "8000"
                    - --enable-lora
                    - --max-loras
                    - "4"
                    - --lora-modules
                    - '{"name": "tweets-0", "path": "/adapters/tweets_0"}'
                    - tweets-1=/adapters/tweets_1
                  env: [{name: VLLM_CPU_KVCACHE_SPACE, value: "4"}]
                  ports: [{containerPort: 8000, name: http, protocol: TCP}]
                  livenessProbe:
                    failureThreshold: 240
                    httpGet: {path: /health, port: http, scheme: HTTP}
                    initialDelaySeconds: 5
                    periodSeconds: 5
                    successThreshold: 1
                    timeoutSeconds: 1
                  volumeMounts:
                    - {mountPath: /dev/shm, name: shm}
                    - {mountPath: /adapters, name: adapters}
              initContainers:
                - name: loader
                  image: registry.example.com/adapter-puller:v1
                  args: [--adapter, org/tweets]
                  volumeMounts: [{name: adapters, mountPath: /adapters}]
              restartPolicy: Always
              schedulerName: default-scheduler
              terminationGracePeriodSeconds: 30
              volumes:
                - {name: shm, emptyDir: {medium: Memory}}
                - {name: adapters, emptyDir: {}}
        """,
        """
        model: {id: Qwen/Qwen2.5-1.5B-Instruct}
        engine: {device: cpu}
        lora:
          adapters: [{name: tweets-0, source: /adapters/tweets_0}, {name: tweets-1, source: /adapters/tweets_1}]
          maxLoras: 4
        replicaCount: 3
        livenessProbe: {periodSeconds: 5, timeoutSeconds: 1, failureThreshold: 240}
        volumes: [{name: adapters, emptyDir: {}}]
        volumeMounts: [{mountPath: /adapters, name: adapters}]
        image: {repository: public.ecr.aws/q9t5s3a7/vllm-cpu-release-repo, tag: v0.7.2, pullPolicy: Always}
        podLabels: {app: qwen}
        env: {VLLM_CPU_KVCACHE_SPACE: "4"}
        command: [python3, -m, vllm.entrypoints.openai.api_server]
        initContainers:
          - name: loader
            image: registry.example.com/adapter-puller:v1
            args: [--adapter, org/tweets]
            volumeMounts: [{name: adapters, mountPath: /adapters}]
        """,
        (
            *("--model", "Qwen/Qwen2.5-1.5B-Instruct", "--port", "8000", "--enable-lora", "--max-loras", "4"),
            *("--lora-modules", "tweets-0=/adapters/tweets_0", "tweets-1=/adapters/tweets_1"),
        ),
    ),
    Case(
        "all words in the command, an API key among them, and another container in the Service",
        "https://github.com/vllm-project/aibrix/blob/main/samples/adapter/base-api-key.yaml",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: coder, namespace: default, labels: {model.aibrix.ai/name: coder, model.aibrix.ai/port: "8000"}}
        spec:
          replicas: 1
          selector: {matchLabels: {model.aibrix.ai/name: coder}}
          template:
            metadata: {labels: {model.aibrix.ai/name: coder, adapter.model.aibrix.ai/enabled: "true"}}
            spec:
              containers:
                - name: vllm-openai
                  image: vllm/vllm-openai:v0.10.2
                  imagePullPolicy: Always
                  command:
                    - python3
                    - -m
                    - vllm.entrypoints.openai.api_server
                    - --port
                    - "8000"
                    - --uvicorn-log-level
                    - warning
                    - --model
                    - Qwen/Qwen2.5-Coder-1.5B-Instruct
                    - --served-model-name
                    - coder
                    - --api-key
                    - sk-this-is-no-key
                    - --enable-lora
                  ports: [{containerPort: 8000, protocol: TCP}]
                  resources: {limits: {nvidia.com/gpu: "1"}, requests: {nvidia.com/gpu: "1"}}
                - name: runtime
                  image: aibrix/runtime:v0.3.0
                  command: [aibrix_runtime, --port, "8080"]
                  ports: [{containerPort: 8080, protocol: TCP}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: coder, namespace: default, annotations: {prometheus.io/scrape: "true"}}
        spec:
          ports:
            - {name: serve, port: 8000, protocol: TCP, targetPort: 8000}
            - {name: http, port: 8080, protocol: TCP, targetPort: 8080}
          selector: {model.aibrix.ai/name: coder}
          type: ClusterIP
        """,
        """
        model: {id: Qwen/Qwen2.5-Coder-1.5B-Instruct, servedModelName: [coder]}
        engine: {args: {uvicorn-log-level: warning, enable-lora: true}}
        image: {tag: v0.10.2, pullPolicy: Always}
        service:
          port: 8000
          extraPorts: [{name: port-8080, port: 8080, targetPort: 8080}]
          annotations: {prometheus.io/scrape: "true"}
        auth: {apiKeySecretRef: {name: coder-api-key}}
        commonLabels: {model.aibrix.ai/name: coder, model.aibrix.ai/port: "8000"}
        podLabels: {adapter.model.aibrix.ai/enabled: "true"}
        extraContainers:
          - name: runtime
            image: aibrix/runtime:v0.3.0
            command: [aibrix_runtime, --port, "8080"]
            ports: [{containerPort: 8080, protocol: TCP}]
        """,
        (
            *("--port", "8000", "--uvicorn-log-level", "warning", "--model", "Qwen/Qwen2.5-Coder-1.5B-Instruct"),
            *("--served-model-name", "coder", "--enable-lora"),
        ),
        named={"spec.ports[0].name": "calls the port http"},
    ),
    Case(
        "adapters in a volume and of the Hub",
        "https://docs.vllm.ai/en/latest/features/lora/#serving-lora-adapters",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: llama}
        spec:
          replicas: 1
          selector: {matchLabels: {app: llama}}
          template:
            metadata: {labels: {app: llama}}
            spec:
              containers:
                - name: vllm
                  image: vllm/vllm-openai:v0.33.0
                  args:
                    - meta-llama/Llama-3.2-3B-Instruct
                    - --enable-lora
                    - --max-loras=2
                    - --lora-modules
                    - sql-lora=jeeejeee/llama32-3b-text2sql-spider
                    - '{"name": "law", "path": "/adapters/law/", "base_model_name": "llama"}'
                  resources: {limits: {nvidia.com/gpu: 1}}
                  volumeMounts: [{name: adapters, mountPath: /adapters, readOnly: true}]
              volumes: [{name: adapters, persistentVolumeClaim: {claimName: adapters}}]
        """,
        """
        model: {id: meta-llama/Llama-3.2-3B-Instruct}
        lora:
          adapters:
            - {name: sql-lora, source: jeeejeee/llama32-3b-text2sql-spider}
            - {name: law, source: /adapters/law/}
          maxLoras: 2
        image: {tag: v0.33.0}
        podLabels: {app: llama}
        volumes: [{name: adapters, persistentVolumeClaim: {claimName: adapters}}]
        volumeMounts: [{name: adapters, mountPath: /adapters, readOnly: true}]
        """,
        (
            *("meta-llama/Llama-3.2-3B-Instruct", "--enable-lora", "--max-loras=2", "--lora-modules"),
            *("sql-lora=/cache/adapters/jeeejeee--llama32-3b-text2sql-spider/main", "law=/adapters/law"),
        ),
    ),
]
