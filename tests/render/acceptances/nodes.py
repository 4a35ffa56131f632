"""Nodes: accelerators, pools, claims: what people run, and is accepted."""

from tests.render.acceptances.rows import GKE, KUBERNETES, STACK, VLLM, Row

ROWS: list[Row] = [
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
        "nodes that are rarely taken away, by a number in their taint",
        f"{KUBERNETES}/concepts/scheduling-eviction/taint-and-toleration/",
        """
        model: {id: org/name}
        tolerations: [{key: servicelevel.example/agreed-service-level, operator: Gt, value: "950", effect: NoSchedule}]
        """,
        lambda v: v.pod["tolerations"][0]["value"] == "950",
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
        command: [vllm, serve]
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
        command: [vllm, serve]
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
