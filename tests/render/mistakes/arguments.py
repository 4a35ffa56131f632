"""Arguments of the engine: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Answered,
    Checked,
    Diagnosed,
    Refused,
)
from tests.render.mistakes.rows import Mistake, crash, mistake

ROWS: list[Mistake] = [
    mistake(
        "flag-that-was-removed",
        "a flag of an older vLLM, kept through an upgrade of the image",
        "gpustack/gpustack#3991",
        Refused("engine: {args: {task: embed}}", "engine.args.task", "gone since 0.13: write runner: pooling"),
        Refused("engine: {extraArgs: [--task=embed]}", "engine.extraArgs", "gone since 0.13"),
    ),
    mistake(
        "flag-that-was-renamed",
        "a switch that vLLM turned round",
        "ai-dynamo/dynamo#8693",
        Refused(
            "{image: {tag: v0.32.0}, engine: {args: {disable-log-requests: true}}}",
            "engine.args.disable-log-requests",
            "vLLM 0.32.0 has no such flag",
        ),
    ),
    mistake(
        "sampling-parameter-as-flag",
        "a parameter of requests among the flags",
        "containers/ramalama#758",
        Refused("engine: {args: {temperature: 0.8}}", "engine.args.temperature", "override-generation-config"),
    ),
    mistake(
        "limits-per-prompt-in-the-old-form",
        "image=4,audio=1 for a flag that reads JSON now",
        "vllm-project/vllm#39687",
        Refused(
            "engine: {args: {limit-mm-per-prompt: 'image=4,audio=1'}}",
            "engine.args.limit-mm-per-prompt",
            "write a map",
        ),
    ),
    mistake(
        "flags-in-camel-case",
        "flags as another chart spells them",
        "vllm-project/production-stack#700",
        Refused(
            "engine: {args: {maxModelLen: 2048, gpuMemoryUtilization: 0.8}}",
            "engine.args.gpuMemoryUtilization",
            "write gpu-memory-utilization",
        ),
    ),
    mistake(
        "unknown-key-in-a-json-flag",
        "a key of a JSON flag by the name that it had as a flag of its own",
        "vllm-project/vllm#24888",
        Refused(
            "engine: {args: {speculative-config:"
            " {method: ngram, num_speculative_tokens: 10, ngram_prompt_lookup_max: 10}}}",
            "ngram_prompt_lookup_max",
            "prompt_lookup_max?",
        ),
    ),
    mistake(
        "tool-choice-without-parser",
        "automatic tool choice, and no parser for the model's calls",
        "vllm-project/vllm#14359",
        Refused(
            "engine: {args: {enable-auto-tool-choice: true}}",
            "engine.args.enable-auto-tool-choice",
            "write engine.args.tool-call-parser too",
        ),
    ),
    mistake(
        "parser-that-this-version-has-not",
        "a parser of tool calls by a name that this vLLM does not know",
        "vllm-project/vllm#9312",
        Refused(
            "engine: {args: {enable-auto-tool-choice: true, tool-call-parser: llama3}}",
            "engine.args.tool-call-parser",
            "llama3_json",
        ),
    ),
    mistake(
        "tools-asked-of-an-engine-without",
        "a client that calls tools, of an engine that was not told to",
        "vllm-project/vllm#9986",
        Answered(
            400,
            '{"error": {"message": "\\"auto\\" tool choice requires --enable-auto-tool-choice and --tool-call-parser'
            ' to be set", "type": "BadRequestError", "code": 400}}',
            "/v1/chat/completions",
            "write engine.args.enable-auto-tool-choice: true and engine.args.tool-call-parser",
        ),
    ),
    mistake(
        "model-without-chat-template",
        "a chat with a model that brings no template for one",
        "vllm-project/vllm#17977",
        Answered(
            400,
            '{"error": {"message": "As of transformers v4.44, default chat template is no longer allowed"}}',
            "/v1/chat/completions",
            "write one in model.chatTemplate",
        ),
    ),
    mistake(
        "template-that-jinja-cannot-parse",
        "a chat template with a mistake in its Jinja: the engine is ready, and answers each chat with an error",
        "runpod-workers/worker-vllm#129",
        Checked(
            """model: {id: a/b, chatTemplate: "{% for m in messages %}{{ m['content'] m }}{% endfor %}"}""",
            "model.chatTemplate",
            "expected token 'end of print statement', got 'm'",
        ),
    ),
    mistake(
        "template-that-is-not-in-the-pod",
        "the path of a chat template that nothing mounts",
        "vllm-project/vllm#47600",
        Refused(
            "engine: {args: {chat-template: /etc/templates/gemma4.jinja}}",
            "engine.args.chat-template",
            "add its volume",
        ),
        Diagnosed(
            crash(
                "ValueError: The supplied chat template string (examples/x.jinja) appears path-like, but doesn't exist!"
            ),
            "vllm",
            "mount the template",
        ),
    ),
    mistake(
        "adapter-that-is-not-in-the-pod",
        "the path of an adapter that nothing mounts",
        "vllm-project/vllm#30690",
        Refused(
            "engine: {args: {enable-lora: true, lora-modules: [qc=/data/output/checkpoint-57]}}",
            "engine.args.lora-modules",
            "nothing is mounted at /data/output/checkpoint-57",
        ),
        Diagnosed(
            crash("ValueError: Call to add_lora method failed: Loading lora qc failed: No adapter found for /data/out"),
            "vllm",
            "correct the path in engine.args.lora-modules",
        ),
    ),
    mistake(
        "quantization-other-than-the-checkpoints",
        "a quantization beside the one that the checkpoint has",
        "vllm-project/vllm#5842",
        Checked(
            "{model: {id: Qwen/Qwen2.5-32B-Instruct-AWQ}, engine: {args: {quantization: fp8}}}",
            "engine.args.quantization",
            "fp8 is not the awq by which",
        ),
        Diagnosed(
            crash(
                "  Value error, Quantization method specified in the model config (gptq) does not match the"
                " quantization method specified in the `quantization` argument (gptq_marlin)."
            ),
            "vllm",
            "leave engine.args.quantization out",
        ),
    ),
    mistake(
        "quantization-of-a-plain-checkpoint",
        "a quantization that only a checkpoint made for it can have",
        "vllm-project/vllm#1419",
        Checked(
            "{model: {id: Qwen/Qwen3-8B}, engine: {args: {quantization: awq}}}",
            "engine.args.quantization",
            "is not quantized",
        ),
        Diagnosed(crash("ValueError: Cannot find the config file for awq"), "vllm", "engine.args.quantization"),
    ),
    mistake(
        "quantization-whose-package-is-missing",
        "a quantization whose package the image does not bring",
        "vllm-project/production-stack#548",
        Diagnosed(
            crash("ImportError: Please install bitsandbytes>=0.46.1 via `pip install bitsandbytes>=0.46.1`"),
            "vllm",
            "write an image.repository that has it",
        ),
    ),
    mistake(
        "mistral-format-of-other-files",
        "Mistral's own formats for a repository in Hugging Face's",
        "vllm-project/vllm#17132",
        Diagnosed(
            crash("ValueError: Failed to load mistral 'params.json' config for model RedHatAI/Mistral-Small-FP8."),
            "vllm",
            "leave engine.args.config-format, load-format and tokenizer-mode out",
        ),
    ),
    mistake(
        "image-larger-than-a-batch",
        "a picture that has more tokens than a batch",
        "vllm-project/vllm#42687",
        Diagnosed(
            crash(
                "ValueError: Chunked MM input disabled but max_tokens_per_mm_item (2496) is larger than"
                " max_num_batched_tokens (2048). Please increase max_num_batched_tokens."
            ),
            "vllm",
            "correct engine.args.max-num-batched-tokens",
        ),
    ),
    mistake(
        "pipeline-of-a-model-that-has-none",
        "stages for a model that cannot be cut into them",
        "vllm-project/vllm#16231",
        Diagnosed(
            crash("NotImplementedError: Pipeline parallelism is not supported for this model."),
            "vllm",
            "write parallelism.pipelineParallelSize: 1",
        ),
    ),
    mistake(
        "heads-over-six-gpus",
        "as many GPUs as there were, which do not divide the model",
        "vllm-project/vllm#11147",
        Checked(
            "{model: {id: meta-llama/Llama-3.1-70B-Instruct}, gpu: {count: 6}}",
            "parallelism.tensorParallelSize",
            "sizes that work: 1, 2, 4, 8",
        ),
    ),
    mistake(
        "sizes-beyond-the-gpus",
        "stages on top of a tensor-parallel size that takes all GPUs already",
        "vllm-project/production-stack#512",
        Refused(
            "{gpu: {count: 4}, parallelism: {tensorParallelSize: 4, pipelineParallelSize: 2}}",
            "parallelism",
            "gpu.count: 8",
        ),
    ),
]
