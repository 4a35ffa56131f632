"""Serving: the network, keys, life cycle, what stands beside the engine: what people run, and is accepted."""

from tests.render.acceptances.rows import GKE, KUBERNETES, STACK, VLLM, Row

ROWS: list[Row] = [
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
        "TLS by a certificate of cert-manager",
        "https://cert-manager.io/docs/usage/certificate/",
        """
        model: {id: Qwen/Qwen3-8B}
        tls: {secretName: qwen-tls}
        extraObjects:
          - apiVersion: cert-manager.io/v1
            kind: Certificate
            metadata: {name: qwen-tls}
            spec:
              secretName: qwen-tls
              dnsNames: [llm-vllm.default.svc]
              issuerRef: {name: internal, kind: ClusterIssuer}
        """,
        lambda v: v.engine["readinessProbe"]["httpGet"]["scheme"] == "HTTPS",
    ),
    (
        "TLS, and certificates of the clients, whom the kubelet is none of",
        f"{VLLM}/configuration/serve_args/",
        """
        model: {id: Qwen/Qwen3-8B}
        tls: {secretName: qwen-tls}
        engine: {args: {ssl-ca-certs: /clients/ca.crt, ssl-cert-reqs: 2}}
        volumes: [{name: clients, configMap: {name: clients-ca}}]
        volumeMounts: [{name: clients, mountPath: /clients, readOnly: true}]
        startupProbe: {tcpSocket: {port: http}}
        readinessProbe: {tcpSocket: {port: http}}
        livenessProbe: {tcpSocket: {port: http}}
        """,
        lambda v: "--ssl-cert-reqs=2" in v.args,
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
