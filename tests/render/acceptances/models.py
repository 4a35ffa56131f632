"""Models: chat, embeddings, drafts, experts, several GPUs: what people run, and is accepted."""

from tests.render.acceptances.rows import GKE, RECIPES, STACK, VLLM, Row

ROWS: list[Row] = [
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
        "a chat template by value",
        f"{VLLM}/serving/openai_compatible_server/#chat-template",
        """
        model:
          id: meta-llama/Llama-2-7b-hf
          chatTemplate: "{% for m in messages %}$(HOME) $$ {{ m['content'] }}\\n{% endfor %}"
        """,
        lambda v: (
            "--chat-template=/etc/vllm/chat-template/chat-template.jinja" in v.args
            and v.manifests.one("ConfigMap", v.volumes["chat-template"]["configMap"]["name"])["data"]
            == {"chat-template.jinja": "{% for m in messages %}$(HOME) $$ {{ m['content'] }}\n{% endfor %}"}
        ),
    ),
    (
        "a chat template that refuses what its clients do not write",
        "https://github.com/vllm-project/vllm/blob/main/examples/tool_chat_template_translategemma.jinja",
        """
        model:
          id: google/translategemma-4b-it
          chatTemplate: |
            {% if '<<<text>>>' in messages[0].content %}{{ messages[0].content.split('<<<text>>>') | last }}
            {% else %}{{ raise_exception('write <<<text>>> and what to translate') }}{% endif %}
        """,
        lambda v: "checksum/chat-template" in v.annotations,
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
        "https://github.com/vllm-project/vllm-gguf-plugin",
        """
        image: {repository: registry.example.com/vllm-with-gguf, tag: v0.33.0}
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
