"""The forms in which people write flags: those that vLLM reads are taken; what it would refuse is refused by Helm."""

from typing import Any

import pytest

from vllm_chart.helm import HelmError, render
from vllm_chart.vllm_args import advice, catalogue
from vllm_chart.vllm_args.check import check_argv

SECRET = {"name": "a", "key": "b"}
CLAIM = {"name": "a", "persistentVolumeClaim": {"claimName": "a"}}


def arguments(args: dict[str, Any], version: str = "0.33.0", **values: Any) -> list[str]:
    """What the chart renders. Raises HelmError."""
    given = {"model": {"id": "org/name"}, "image": {"tag": f"v{version}"}, "engine": {"args": args}, **values}
    pod = render(values=given).one("Deployment")["spec"]["template"]["spec"]
    found: list[str] = pod["containers"][0]["args"]
    return found


def refusal(args: dict[str, Any], version: str = "0.33.0", **values: Any) -> str:
    """What Helm says; "" if it renders."""
    try:
        arguments(args, version, **values)
    except HelmError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("version", catalogue.versions())
@pytest.mark.parametrize(
    "args",
    [
        # as `--set` hands them over
        {"gpu-memory-utilization": "0.85", "max-num-seqs": "64", "max-model-len": "8192"},
        {"max-model-len": "auto"},
        {"max-model-len": -1},
        {"max-model-len": "-1"},
        {"max-model-len": "25.6k", "max-num-batched-tokens": "16k", "kv-cache-memory-bytes": "2G"},
        {"seed": 0, "max-logprobs": -1, "api-server-count": "1"},
        {"max-log-len": "None", "enable-prefix-caching": None, "dtype": ""},
        # a map, its text, one key of it
        {"limit-mm-per-prompt": {"image": 2, "video": 0}},
        {"limit-mm-per-prompt": '{"image": 2}', "override-generation-config": '{"temperature": 0.5}'},
        {"limit-mm-per-prompt.image": 2, "compilation-config.mode": 3},
        {"compilation-config": {"cudagraph_capture_sizes": [1, 2, 4]}},
        {"speculative-config": {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}},
        {"speculative-config": "None", "kv-transfer-config": None},
        {"hf-overrides": {"rope_parameters": {"rope_type": "yarn", "factor": 4.0}}},
        {"structured-outputs-config": {"backend": "xgrammar"}},
        {"default-chat-template-kwargs": {"enable_thinking": False}},
        {"allowed-origins": ["https://example.com"]},
        {"allowed-origins": '["*"]'},
        # choices in either case, aliases, one value where a list may be
        {"attention-backend": "FLASH_ATTN", "kv-cache-dtype": "fp8", "load-format": "runai_streamer"},
        {"attention-backend": "flash_attn", "dtype": "half", "runner": "pooling", "convert": "embed"},
        {"cudagraph-capture-sizes": [1, 2, 4]},
        {"middleware": ["a.b", "c.d"]},
        {"disable-access-log-for-endpoints": "/health,/metrics"},
        {"chat-template": "{{ messages[0].content }}"},
        {"chat-template": "/vllm-workspace/examples/tool_chat_template_hermes.jinja"},
        {"enable-auto-tool-choice": True, "tool-call-parser": "hermes"},
        {"no-enable-prefix-caching": True},
    ],
    ids=str,
)
def test_what_vllm_reads_is_taken(version: str, args: dict[str, Any]) -> None:
    assert [found for found in check_argv(arguments(args, version), version) if found.severity == "error"] == []


@pytest.mark.parametrize(
    ("args", "values"),
    [
        ({"limit-mm-per-prompt": "$(LIMITS)"}, {"env": {"LIMITS": '{"image": 1}'}}),
        ({"chat-template": "/t/a.jinja"}, {"volumes": [CLAIM], "volumeMounts": [{"name": "a", "mountPath": "/t"}]}),
        ({"chat-template": "/t/a"}, {"volumes": [CLAIM], "volumeMounts": [{"name": "a", "mountPath": "/t/a"}]}),
        ({"tokenizer": "/cache/tokenizer"}, {"persistence": {"enabled": True}}),
        ({"enable-lora": True, "lora-modules": ["sql=org/adapter"]}, {}),
    ],
    ids=str,
)
def test_what_is_somewhere_in_the_pod_is_taken(args: dict[str, Any], values: dict[str, Any]) -> None:
    assert refusal(args, **values) == ""


@pytest.mark.parametrize("version", catalogue.versions())
@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"limit-mm-per-prompt": "image=2"}, "write a map"),
        ({"compilation-config": "3"}, "write a map"),
        ({"api-server-count": "None"}, "api-server-count"),
        ({"max-num-seqs": "0"}, "max-num-seqs"),
        ({"max-num-seqs": "-1"}, "max-num-seqs"),
        ({"max-num-seqs": "1k"}, "max-num-seqs"),
        ({"max-num-seqs": 1.5}, "max-num-seqs"),
        ({"max-model-len": 0}, "max-model-len"),
        ({"max-model-len": "8 k"}, "max-model-len"),
        ({"gpu-memory-utilization": 90}, "gpu-memory-utilization"),
        ({"gpu-memory-utilization": "90%"}, "gpu-memory-utilization"),
        ({"enable-prefix-caching": "false"}, "enable-prefix-caching"),
        ({"max-lora-rank": 12}, "max-lora-rank"),
        ({"temperature": 0.7}, "override-generation-config"),
        ({"lora-modules": ["sql=org/adapter"]}, "write engine.args.enable-lora: true"),
        ({"enable-lora": True, "lora-modules": ["sql=/adapters/sql"]}, "nothing is mounted at /adapters/sql"),
        ({"enable-lora": True, "lora-modules": [{"name": "a", "path": "/b"}]}, "nothing is mounted at /b"),
        ({"chat-template": "/etc/templates/a.jinja"}, "nothing is mounted at /etc/templates/a.jinja"),
    ],
    ids=str,
)
def test_what_vllm_would_end_with_is_refused(version: str, args: dict[str, Any], said: str) -> None:
    assert said in refusal(args, version)


@pytest.mark.parametrize("version", catalogue.versions())
def test_every_flag_that_is_gone_says_since_when_and_what_instead(version: str) -> None:
    said = refusal(dict.fromkeys(advice.GONE, True), version)
    assert [flag for flag, (when, remedy) in advice.GONE.items() if f"gone {when}: {remedy}" not in said] == []


@pytest.mark.parametrize("version", catalogue.versions())
@pytest.mark.parametrize(
    ("flag", "key", "said"),
    [
        ("pooler-config", "normalize", "write use_activation"),
        ("compilation-config", "full_cuda_graph", "write cudagraph_mode: FULL"),
        ("compilation-config", "level", "write mode"),
        ("structured-outputs-config", "disable_fallback", "leave it out"),
        ("speculative-config", "disable_by_batch_size", "write num_speculative_tokens_per_batch_size"),
    ],
)
def test_a_key_that_is_gone_says_what_instead(version: str, flag: str, key: str, said: str) -> None:
    assert f"gone: {said}" in refusal({flag: {key: True}}, version)


def test_a_flag_that_came_back_is_taken_where_it_did() -> None:
    """0.33 reads `--disable-x` for every `--enable-x`, and so what was gone since 0.12."""
    assert "--disable-log-requests" in arguments({"disable-log-requests": True}, "0.33.0")
    assert "0.33.0 has" in refusal({"disable-log-requests": True}, "0.32.0")


def test_what_plugins_may_name_is_taken_of_an_image_that_may_have_them() -> None:
    assert "kv-cache-dtype" in refusal({"kv-cache-dtype": "mine"}, "0.33.0")
    assert refusal({"kv-cache-dtype": "mine"}, image={"repository": "org/vllm", "tag": "v0.33.0"}) == ""
    # There its parser has choices.
    assert "kv-cache-dtype" in refusal({"kv-cache-dtype": "mine"}, image={"repository": "org/vllm", "tag": "v0.32.0"})


@pytest.mark.parametrize(
    ("env", "count", "said"),
    [
        ({"CUDA_VISIBLE_DEVICES": "4"}, 1, "env.CUDA_VISIBLE_DEVICES: the device plugin chooses"),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, 1, "env.NVIDIA_VISIBLE_DEVICES: the device plugin chooses"),
        ({"CUDA_VISIBLE_DEVICES": "0,1"}, 2, ""),
        ({"NVIDIA_VISIBLE_DEVICES": "void"}, 1, ""),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, 0, ""),
        ({"HUGGINGFACE_TOKEN": {"valueFrom": {"secretKeyRef": SECRET}}}, 1, "write hub.tokenSecretRef"),
        ({"HF_TOKEN_PATH": "/run/token"}, 1, ""),
    ],
    ids=str,
)
def test_variables_that_choose_devices_or_hold_a_token(env: dict[str, Any], count: int, said: str) -> None:
    found = refusal({}, env=env, gpu={"count": count})
    assert said in found if said else found == ""


def test_two_shares_are_not_two_gpus() -> None:
    assert "write gpu.count: 1, or whole GPUs" in refusal({}, gpu={"count": 2, "resourceName": "nvidia.com/gpu.shared"})
    assert refusal({}, gpu={"count": 1, "resourceName": "nvidia.com/gpu.shared"}) == ""
