"""The command: what it says, draws and refuses, and with which code it ends."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kubernetes.client import V1Node, V1NodeStatus, V1ObjectMeta

from vllm_chart import helm
from vllm_chart.cli.main import main
from vllm_chart.findings import Exit, UnavailableError
from vllm_chart.sizing import checkpoint, sources
from vllm_chart.sizing import plan as sizing
from vllm_chart.sizing.arithmetic import GIB, MIB
from vllm_chart.sizing.check import check
from vllm_chart.sizing.memory import nodes
from vllm_chart.sizing.memory.gpus import find
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.settings import Engine

LLAMA = "model: {id: meta-llama/Llama-3.1-8B}\n"


@pytest.fixture
def values(tmp_path: Path) -> Path:
    file = tmp_path / "values.yaml"
    file.write_text(LLAMA)
    return file


def plan(file: Path, *arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["plan", "--offline", "-f", str(file), *(str(each) for each in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def document(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_model_that_fits(values: Path) -> None:
    result = plan(values, "--gpu", "h100-80gb")
    assert result.exit_code == Exit.OK
    assert "weights per GPU   14.99 GiB" in result.stdout
    assert "131,072 bytes per GPU" in result.stdout
    assert "Maximum concurrency for 131,072 tokens per request: 3." in result.stdout


def test_a_context_that_has_no_room_is_refused_with_one_that_has(values: Path) -> None:
    result = plan(values, "--gpu", "l4", "--output", "json")
    assert result.exit_code == Exit.REFUSED
    [error] = [finding for finding in document(result)["findings"] if finding["severity"] == "error"]
    assert error["where"] == "engine.args.max-model-len"
    length = error["remedy"].removeprefix("max-model-len: ").removesuffix(" fits")
    assert plan(values, "--gpu", "l4", "--set", f"engine.args.max-model-len={length}").exit_code == Exit.OK


def test_weights_that_are_too_large_are_refused(values: Path) -> None:
    result = plan(values, "--gpu", "t4", "--set", "model.id=Qwen/Qwen3-32B")
    assert result.exit_code == Exit.REFUSED
    assert "the weights take 61.03 GiB on each GPU, but NVIDIA T4 has 14.56 GiB" in result.stdout
    assert "gpu.count: 8" in result.stdout


def test_sizes_that_do_not_divide_are_told_with_those_that_do(values: Path) -> None:
    result = plan(values, "--set", "gpu.count=6")
    assert result.exit_code == Exit.REFUSED
    assert "32 attention heads are not divisible by 6" in result.stdout
    assert "tensor-parallel sizes that work: 1, 2, 4, 8, 16, 32" in result.stdout


@pytest.mark.parametrize(
    ("model", "count", "said"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", 8, "28 attention heads are not divisible by 8"),
        ("Qwen/Qwen3-32B-FP8", 64, "cuts the quantization's groups of 128"),
        ("Qwen/Qwen3-30B-A3B-FP8", 4, "the expert width of 768 in 4 parts cuts the quantization's groups of 128"),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", 32, "16 and 32 linear-attention heads are not divisible by 32"),
        ("microsoft/phi-4", 4, "10 KV heads neither divide 4 nor are divisible by it"),
    ],
)
def test_divisibility(values: Path, model: str, count: int, said: str) -> None:
    assert said in plan(values, "--set", f"model.id={model}", "--set", f"gpu.count={count}").stdout


def test_more_stages_than_layers(values: Path) -> None:
    sets = ("--set", "gpu.count=64", "--set", "parallelism.pipelineParallelSize=64")
    assert "32 layers can't make 64 pipeline stages" in plan(values, *sets).stdout


def test_a_context_beyond_the_models_is_refused(values: Path) -> None:
    result = plan(values, "--gpu", "h200", "--set", "engine.args.max-model-len=200000")
    assert result.exit_code == Exit.REFUSED
    assert "200000 is longer than the 131072 that the model was made for" in result.stdout


def test_a_longer_context_can_be_told(values: Path) -> None:
    longer = ("--set", "engine.args.max-model-len=200000")
    allowed = plan(values, "--gpu", "h200", *longer, "--set-string", "env.VLLM_ALLOW_LONG_MAX_MODEL_LEN=1")
    assert allowed.exit_code == Exit.OK
    assert "warning: engine.args.max-model-len: 200000 is longer" in allowed.stdout
    overrides = ("--set", "engine.args.hf-overrides.max_position_embeddings=262144")
    assert plan(values, "--gpu", "h200", *longer, *overrides).exit_code == Exit.OK
    phi = ("--set", "model.id=microsoft/phi-4-mini-instruct", "--set", "engine.args.max-model-len=65536")
    assert plan(values, "--gpu", "h200", *phi).exit_code == Exit.OK  # 4,096 by default, 131,072 at most


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("engine.args.enable-chunked-prefill=false,engine.args.max-num-batched-tokens=8192", "chunked prefill is off"),
        (
            "engine.args.max-num-seqs=512,engine.args.max-num-batched-tokens=256",
            "512 is more than the 256 of max-num-b",
        ),
    ],
)
def test_batches_that_vllm_refuses(values: Path, sets: str, said: str) -> None:
    result = plan(values, "--gpu", "h200", "--set", sets)
    assert result.exit_code == Exit.REFUSED
    assert said in result.stdout


def test_a_share_that_may_not_be_free_is_warned_of(values: Path) -> None:
    result = plan(values, "--gpu", "h200", "--set", "engine.args.gpu-memory-utilization=0.99")
    assert result.exit_code == Exit.OK
    assert "write 0.97 or less" in result.stdout


def test_auto_takes_what_fits(values: Path) -> None:
    result = plan(values, "--gpu", "l4", "--set", "engine.args.max-model-len=auto", "--output", "json")
    assert result.exit_code == Exit.OK
    assert 20_000 < document(result)["kvCache"]["maxModelLen"] < 131_072


def test_given_cache_memory_is_taken_as_it_is(values: Path) -> None:
    sets = ("--set", "engine.args.kv-cache-memory-bytes=17179869184", "--set", "engine.args.max-model-len=4096")
    made = document(plan(values, "--gpu", "l4", *sets, "--output", "json"))
    assert (
        made["sentence"]
        == "GPU KV cache size: 131,072 tokens, Maximum concurrency for 4,096 tokens per request: 32.00x"
    )


def test_the_cpu_engine_is_planned_within_its_limit(values: Path) -> None:
    sets = ("--set", "engine.device=cpu", "--set", "engine.args.max-model-len=4096")
    within = document(plan(values, *sets, "--set", "resources.limits.memory=64Gi", "--output", "json"))
    assert within["sentence"].startswith("CPU KV cache size: ")
    assert within["gpu"]["memory"] == 64 * GIB
    assert "without a limit" in plan(values, *sets).stdout


def test_a_start_takes_as_long_as_its_weights_need_from_where_they_are(values: Path) -> None:
    def budget(*sets: str) -> tuple[int, str]:
        arguments = [f"--set={each}" for each in ("model.id=meta-llama/Llama-3.3-70B-Instruct", "gpu.count=4", *sets)]
        result = plan(values, "--gpu=h100-80gb", "--output=json", "--set=startup.budgetSeconds=900", *arguments)
        (advice,) = [each for each in document(result)["advice"] if each["key"] == "startup.budgetSeconds"]
        return int(advice["value"]), advice["why"]

    gib = 132  # 70.6 billion weights of two bytes each, and tables of positions
    assert budget() == (2100, f"{gib} GiB to download at 100 MiB/s, and 10 minutes to warm up")
    volume = ("hub.offline=true", "persistence.enabled=true", "persistence.existingClaim=weights")
    assert budget(*volume) == (1800, f"{gib} GiB to read from a volume at 125 MiB/s, and 10 minutes to warm up")


def test_offloaded_weights_are_host_memory(values: Path) -> None:
    sets = ("--set", "engine.args.cpu-offload-gb=10", "--set", "engine.args.max-model-len=8192", "--output", "json")
    made = document(plan(values, "--gpu", "l4", *sets))
    assert made["weights"]["total"] == pytest.approx(4.99 * GIB, rel=0.01)


def test_adapters_take_memory(values: Path) -> None:
    sets = ("--set-string", "model.id=meta-llama/Llama-2-7b-hf", "--output", "json")
    lora = ("--set", "engine.extraArgs={--enable-lora,--max-lora-rank=8}")
    before, after = (document(plan(values, "--gpu", "h100", *sets, *more)) for more in ((), lora))
    # A Llama 2 7B with buffers for one adapter of rank 8: 0.0372 GiB for its layers, 0.0011 for its embeddings.
    assert after["weights"]["total"] - before["weights"]["total"] == pytest.approx(0.0383 * GIB, rel=0.01)

    shown = plan(values, "--gpu", "h100", *sets[:2], *lora).stdout
    assert ", of which 0.04 GiB for adapters" in shown
    assert "  R  LoRA " in shown
    assert "adapters" not in plan(values, "--gpu", "h100", *sets[:2]).stdout


def test_every_number_is_explained(values: Path) -> None:
    text = plan(values, "--gpu", "h100", "--explain", "--set", "model.id=openai/gpt-oss-20b").stdout
    for said in (
        "12 x attention, 64 heads, 8 KV heads of 64, window 128",
        "32 experts of 2880, 4 a token",
        "group of 12",
        "share: ceil(79.18 GiB x 0.92)",
        "(estimate, ",
        "stored as mxfp4",
    ):
        assert said in text


DRAFTED = """
model: {id: Qwen/Qwen3.5-35B-A3B}
engine: {args: {speculative-config: {method: mtp, num_speculative_tokens: 2}}}
"""


def test_graphs_outside_of_the_share_are_explained_and_a_draft_is_a_part(values: Path) -> None:
    values.write_text(DRAFTED)
    old = plan(values, "--gpu", "h200", "--explain", "--set", "image.tag=v0.20.1").stdout
    assert "    draft        1.57 GiB" in old
    assert "beside the share: CUDA graphs of" in old
    assert "room for them: " in old
    now = plan(values, "--gpu", "h200", "--explain").stdout
    assert "    draft        1.57 GiB" in now
    assert "beside the share" not in now


def test_an_unknown_draft_is_said_to_be_left_out(values: Path) -> None:
    values.write_text(DRAFTED.replace("method: mtp", "model: org/draft"))
    assert "the weights of org/draft are not counted" in plan(values, "--gpu", "h200").stdout
    values.write_text(DRAFTED)
    assert "are not counted" not in plan(values, "--gpu", "h200").stdout


def test_the_picture(values: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "memory.svg"
    result = plan(values, "--gpu", "h100", "--svg", drawn)
    assert "[WWWW" in result.stdout
    root = ElementTree.parse(drawn).getroot()
    boxes = [each.attrib for each in root.iter("{http://www.w3.org/2000/svg}rect")]
    width = sum(float(box["width"]) for box in boxes if box["y"] == "48")
    assert width == pytest.approx(680, abs=1)
    assert "KV cache" in drawn.read_text()


def test_without_a_gpu_those_that_fit_are_listed(values: Path) -> None:
    assert "2 x NVIDIA L4" in plan(values).stdout
    assert {"gpu": "h200", "count": 1} in document(plan(values, "--output", "json"))["fits"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--gpu", "voodoo2"), Exit.USAGE, "no GPU 'voodoo2'"),
        (("--gpu-memory", "much"), Exit.USAGE, "write 80GiB"),
        (("--gpu-memory", "1e400GiB"), Exit.USAGE, "is not the size of a GPU"),
        (("--gpu", "h100", "--set", "model.id=org/unheard-of"), Exit.ENVIRONMENT, "not among the"),
        (("--gpu", "h100", "--set", "model.id=s3://a/b,model.servedModelName={b}"), Exit.ENVIRONMENT, "is an address"),
        (("--gpu", "h100", "--set", "model.id=b,model.image.reference=r.io/b:1"), Exit.ENVIRONMENT, "model in r.io"),
        (("--gpu", "h100", "--set", "gpu.count=two"), Exit.REFUSED, "gpu.count"),
        (("--gpu", "h100", "--set-string", "engine.extraArgs={--max-model-len=lots}"), Exit.REFUSED, "invalid number"),
        (("--gpu", "h100", "--set", "engine.args.kv-cache-dtype=turboquant_k8v4"), Exit.OK, "counted for all"),
    ],
)  # fmt: skip
def test_mistakes_end_in_a_message(values: Path, arguments: tuple[str, ...], code: Exit, said: str) -> None:
    result = plan(values, *arguments)
    assert result.exit_code == code
    assert said in result.output


def test_a_family_that_is_not_known_is_estimated_and_said(values: Path, tmp_path: Path) -> None:
    config = {
        **sources.shipped()["meta-llama/Llama-3.1-8B"].config,
        "model_type": "novel",
        "architectures": ["NovelForCausalLM"],
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = plan(values, "--gpu", "h100", "--config", tmp_path)
    assert result.exit_code == Exit.OK
    assert "the weights of NovelForCausalLM are counted as Llama's" in result.stdout


def config_of(name: str, **changes: Any) -> str:
    return json.dumps({**sources.shipped()[name].config, **changes})


def test_the_checkpoints_size_stands_in_for_a_formula(values: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config_of("Qwen/Qwen3-8B", quantization_config={"quant_method": "exotic"}))
    without = plan(values, "--gpu", "h100", "--config", tmp_path)
    assert without.exit_code == Exit.OK  # what has no formula is not refused
    assert "no plan: no formula for quantization 'exotic'" in without.stdout

    size = json.dumps({"metadata": {"total_size": 5 * GIB}})
    (tmp_path / "model.safetensors.index.json").write_text(size)
    made = document(plan(values, "--gpu", "h100", "--config", tmp_path, "--output", "json"))
    assert made["weights"]["total"] == pytest.approx(5 * GIB, rel=0.01)


def test_an_encoder_needs_no_cache(values: Path, tmp_path: Path) -> None:
    config = {"model_type": "xlm-roberta", "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
    config |= {"num_attention_heads": 16, "vocab_size": 250002, "max_position_embeddings": 8194}
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = plan(values, "--gpu", "t4", "--config", tmp_path)
    assert result.exit_code == Exit.OK
    assert "no KV cache" in result.stdout


def test_what_is_no_config_is_a_wrong_call(values: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    result = plan(values, "--gpu", "h100", "--config", tmp_path)
    assert (result.exit_code, "is not JSON" in result.output) == (Exit.USAGE, True)


@pytest.mark.parametrize(
    "odd",
    [
        {"num_attention_heads": 0},
        {"num_hidden_layers": 0},
        {"num_hidden_layers": 10**9},
        {"num_attention_heads": 10**30},
        {"hidden_size": 7},
        {"vocab_size": -1},
        {"head_dim": 0},
        {"max_position_embeddings": 0},
        {"max_position_embeddings": -1},
        {"max_position_embeddings": 1e400},
        {"quantization_config": "awq"},
        {"quantization_config": {"quant_method": "fp8", "weight_block_size": [128]}},
        {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": "x"}},
        {"layer_types": ["sliding_attention"] * 32, "sliding_window": None},
        {"text_config": "x"},
        {"vision_config": {"model_type": "siglip_vision_model"}},
    ],
    ids=str,
)
def test_an_odd_config_ends_in_no_traceback(values: Path, tmp_path: Path, odd: dict[str, Any]) -> None:
    config = {**sources.shipped()["meta-llama/Llama-3.1-8B"].config, **odd}
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = plan(values, "--gpu", "h100", "--config", tmp_path)
    assert result.exit_code in (Exit.OK, Exit.REFUSED), result.output


@pytest.mark.parametrize("argument", ["--dtype=bf16", "--gpu-memory-utilization=nan", "--cpu-offload-gb=inf"])
def test_arguments_that_vllm_refuses_end_in_no_traceback(argument: str) -> None:
    values = {"model": {"id": "meta-llama/Llama-3.1-8B"}, "engine": {"extraArgs": [argument]}}
    assert check(helm.render(values=values), helm.merged_values(values=values), "0.33.0") is not None


def test_lengths_in_words(values: Path) -> None:
    fitting = ("--gpu", "l4", "--set", "engine.args.max-model-len=AUTO")
    assert plan(values, *fitting).exit_code == Exit.OK


def test_weights_that_were_not_fetched_are_told(values: Path, tmp_path: Path) -> None:
    config = sources.shipped()["meta-llama/Llama-3.1-8B"].config
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    result = plan(values, "--gpu", "h100", "--config", tmp_path)
    assert (result.exit_code, "git lfs pull" in result.output) == (Exit.USAGE, True)


def test_known_mistakes_are_found_without_a_gpu() -> None:
    def found(**more: Any) -> list[str]:
        values = {"model": {"id": "meta-llama/Llama-3.1-8B"}, **more}
        findings = check(helm.render(values=values), helm.merged_values(values=values), "0.33.0")
        return [finding.check for finding in findings]

    assert found() == []
    assert set(found(gpu={"count": 6})) == {"divisibility"}
    assert found(engine={"args": {"max-model-len": 1_000_000}}) == ["max-model-len"]
    assert found(model={"id": "org/unheard-of"}) == []


def node(allocatable: dict[str, str], **labels: str) -> V1Node:
    spelt = {name.replace("__", "/").replace("_", "."): value for name, value in labels.items()}
    return V1Node(metadata=V1ObjectMeta(labels=spelt), status=V1NodeStatus(allocatable=allocatable))


def test_the_gpu_of_a_cluster() -> None:
    values = helm.merged_values(values={"model": {"id": "x/y"}})
    gpu = {"nvidia.com/gpu": "8"}
    large, small = node(gpu, nvidia_com__gpu_product="NVIDIA-H200"), node(gpu, nvidia_com__gpu_product="NVIDIA-L4")
    assert nodes.smallest([node({}), large, small], values).name == "l4"
    assert nodes.smallest([node(gpu, nvidia_com__gpu_memory="46068")], values).memory == 46068 * MIB
    assert nodes.smallest([node({"nvidia.com/gpu": "1k"}, nvidia_com__gpu_product="NVIDIA-L4")], values).name == "l4"
    chosen = {**values, "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-H200"}}
    assert nodes.smallest([large, small], chosen).name == "h200"
    with pytest.raises(UnavailableError, match=r"no node with nvidia\.com/gpu"):
        nodes.smallest([node({})], values)
    with pytest.raises(UnavailableError, match=r"of 1 nodes with nvidia\.com/gpu none"):
        nodes.smallest([node(gpu)], values)


@pytest.mark.parametrize("name", sorted(sources.shipped()))
def test_every_known_model_can_be_planned(name: str) -> None:
    source = sources.shipped()[name]
    for ranks in (1, 8):
        settings = Engine(name, split=Split(tensor=ranks))
        made = sizing.make(settings, checkpoint.read(settings, source), find("b200"))
        assert made.stage.weights > 0
        assert made.stage.cache.token_bytes > 0
        assert made.sentence.startswith("GPU KV cache size: ")
