"""What is told of an engine that ended: every message that vLLM raises while it starts is matched, or told whole."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cluster_objects import crashed, pod, snapshot
from vllm_chart import redaction
from vllm_chart.findings import Finding
from vllm_chart.live import engine_log
from vllm_chart.live.diagnose import explain
from vllm_chart.live.engine_log import known, origins
from vllm_chart.vllm_args import catalogue

#: Written by `ci/run catalogue`, of each version; with the file and line of every message.
RAISED = Path(__file__).parent / "raised"
VERSIONS = [path.name.removesuffix(".jsonl.gz") for path in sorted(RAISED.iterdir())]
FILLED_IN = "…"


def messages(version: str) -> list[dict[str, str]]:
    lines = gzip.decompress((RAISED / f"{version}.jsonl.gz").read_bytes()).decode().splitlines()
    return [json.loads(line) for line in lines]


def written(message: dict[str, str]) -> tuple[str, str]:
    """A message as an engine logs it with its traceback, and what has to be told of it."""
    text = message["text"].replace(FILLED_IN, "x1").strip()
    where, _, line = message["at"].rpartition(":")
    traceback = [
        "EngineCore failed to start.",
        "Traceback (most recent call last):",
        f'  File "/usr/local/lib/python3.12/dist-packages/vllm/{where}", line {line}, in start',
        "    raise error",
        *f"{message['class']}: {text}".splitlines(),
    ]
    logged = [f"(EngineCore pid=41) ERROR 11-23 15:57:53 [core.py:1087] {line}" for line in traceback]
    above = "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. "
    return "\n".join([*logged, above + "Failed core proc(s): {}"]), text


def crash(log: str) -> Finding:
    """The diagnosis of a pod whose engine left this log."""
    (finding,) = explain(snapshot(pod(status=crashed()), logs={("llm-vllm-5c8-x2x", "vllm"): log}))
    return finding


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_the_messages_of_the_versions_that_are_known_are_recorded() -> None:
    assert catalogue.versions() == VERSIONS
    for version in VERSIONS:
        recorded = messages(version)
        assert len(recorded) > 2500
        assert {"config/model.py", "v1/worker/gpu_worker.py"} <= {entry["at"].partition(":")[0] for entry in recorded}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_message_has_a_remedy_or_is_told_whole(version: str) -> None:
    cut = []
    for message in messages(version):
        log, text = written(message)
        if engine_log.explain(log):
            continue
        failure = engine_log.failure(log)
        told = redaction.without(failure.message, prose=True) if failure else ""
        if words(text) not in words(told):
            cut.append((message["at"], text, told))
    assert cut == []


@pytest.mark.parametrize("version", VERSIONS)
def test_most_messages_name_a_key_or_a_part_whose_keys_are_known(version: str) -> None:
    """What is left belongs to no part of the values, or tells of a mistake of vLLM's own."""
    without = [message["at"] for message in messages(version) if not has_remedy(*written(message))]
    assert len(without) < 0.2 * len(messages(version)), without


def has_remedy(log: str, text: str) -> bool:
    failure = engine_log.failure(log)
    named = engine_log.named_arguments(text) or engine_log.named_variables(text)
    return bool(engine_log.explain(log) or named or (failure and failure.keys))


# The literal messages, with what vLLM, its libraries or the compiler fill in.
REMEDIES: list[Any] = [
    pytest.param(
        "AssertionError: Error in memory profiling. Initial free memory 38.73 GiB, current free memory 52.43 GiB. "
        "This happens when other processes sharing the same container release GPU memory while vLLM is profiling "
        "during initialization. To fix this, ensure consistent GPU memory allocation or isolate vLLM in its own "
        "container.",
        "gpu-memory",
        "engine.args.kv-cache-memory-bytes",
        id="GPU shared while it is measured",
    ),
    pytest.param("RuntimeError: NIXL is not available", "image", "image.repository", id="no NIXL"),
    pytest.param(
        "RuntimeError: NIXL >= 1.5.0 is required, but nixl-cu13==1.2.0 is installed", "image", "image", id="old NIXL"
    ),
    pytest.param(
        "nixl_cu13._bindings.nixlBackendError: NIXL_ERR_BACKEND", "connector", "env.UCX_TLS", id="NIXL's backend"
    ),
    pytest.param(
        "RuntimeError: NIXL compatibility hash mismatch. Local: 3af, Remote: 91c. Prefill and decode instances have "
        "incompatible configurations.",
        "engine-arguments",
        "image.tag",
        id="NIXL's peers differ",
    ),
    pytest.param(
        "RuntimeError: cuda with tpu kv_buffer is not supported.",
        "engine-arguments",
        "kv_buffer_device",
        id="NIXL's buffer",
    ),
    pytest.param(
        "zmq.error.ZMQError: Address already in use (addr='tcp://10.1.2.3:5600')",
        "port",
        "VLLM_NIXL_SIDE_CHANNEL_PORT",
        id="NIXL's port",
    ),
    pytest.param(
        "zmq.error.ZMQError: Cannot assign requested address (addr='tcp://10.9.9.9:5600')",
        "connector",
        "leave the variables of its address out of env",
        id="NIXL's address",
    ),
    pytest.param(
        "ValueError: Unsupported connector type: NixlConector", "engine-arguments", "kv_connector", id="connector"
    ),
    pytest.param(
        "RuntimeError: Ninja build failed. Ninja output:\n[1/18] c++ -MMD\n"
        "c++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.\n"
        "ninja: build stopped: subcommand failed.",
        "memory",
        "env.MAX_JOBS",
        id="compiler killed",
    ),
    pytest.param(
        "RuntimeError: Ninja build failed. Ninja output:\nFAILED: [code=137] gemm.cuda.o\n"
        "/usr/local/cuda/bin/nvcc --generate-dependencies\nKilled\nninja: build stopped: subcommand failed.",
        "memory",
        "env.MAX_JOBS",
        id="nvcc killed",
    ),
    pytest.param(
        "subprocess.CalledProcessError: Command '['ninja', '-v', '-C', '/x']' died with <Signals.SIGKILL: 9>.",
        "memory",
        "env.MAX_JOBS",
        id="ninja killed",
    ),
    pytest.param(
        "nvcc error   : 'cicc' died due to signal 9 (Kill signal)", "memory", "env.MAX_JOBS", id="cicc killed"
    ),
    pytest.param(
        "openai_harmony.HarmonyError: error downloading or loading vocab file: failed to download or load vocab file",
        "model",
        "env.TIKTOKEN_ENCODINGS_BASE",
        id="vocabulary of gpt-oss",
    ),
    pytest.param(
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='openaipublic.blob.core.windows.net', port=443):"
        ' Max retries exceeded with url: /encodings/o200k_base.tiktoken (Caused by NameResolutionError("Failed to '
        'resolve: Temporary failure in name resolution"))',
        "model",
        "env.TIKTOKEN_ENCODINGS_BASE",
        id="vocabulary by tiktoken",
    ),
    pytest.param(
        "ValueError: Available memory on node 0 (3.1/7.8 GiB) on kv cache allocation is less than requested memory for "
        "kv (4.0 GiB). Decrease --kv-cache-memory-bytes, VLLM_CPU_KVCACHE_SPACE, or reduce CPU memory used by other "
        "processes.",
        "memory",
        "env.VLLM_CPU_KVCACHE_SPACE",
        id="CPU cache",
    ),
    pytest.param(
        "subprocess.CalledProcessError: Command 'x' died with <Signals.SIGBUS: 7>.",
        "shared-memory",
        "shm.sizeLimit",
        id="SIGBUS",
    ),
    pytest.param(
        "ValueError: VLLM_PORT 'tcp://10.0.0.7:80' appears to be a URI. This may be caused by a Kubernetes service",
        "engine-arguments",
        "enableServiceLinks",
        id="service links",
    ),
    pytest.param(
        "ValueError: Invalid value 'fp7' for VLLM_FLOAT32_MATMUL_PRECISION. Valid options: ['highest'].",
        "engine-arguments",
        "VLLM_FLOAT32_MATMUL_PRECISION in env",
        id="variable's value",
    ),
    pytest.param(
        "ValueError: Selected backend AttentionBackendEnum.FLASHMLA is not valid for this configuration. Reason: ['x']",
        "engine-arguments",
        "engine.args.attention-backend",
        id="attention backend",
    ),
    pytest.param(
        "TimeoutError: Timed out waiting for engine core processes to start. This is often caused by slow weight "
        "loading for large models. Waited 600s (configured by VLLM_ENGINE_READY_TIMEOUT_S).",
        "startup",
        "VLLM_ENGINE_READY_TIMEOUT_S out of env",
        id="ready timeout",
    ),
    pytest.param(
        "FileNotFoundError: Weight files referenced in index but missing: {'model-00002.safetensors'}",
        "model",
        "download the weights",
        id="missing weights",
    ),
    pytest.param(
        "ValueError: There is no module or parameter named 'model.layers.0.x' in LlamaForCausalLM",
        "model",
        "image.tag",
        id="unknown weights",
    ),
]


@pytest.mark.parametrize(("log", "check", "value"), REMEDIES)
def test_an_error_has_its_remedy(log: str, check: str, value: str) -> None:
    finding = crash(log)
    assert (finding.check, finding.severity) == (check, "error")
    assert value in finding.remedy


@pytest.mark.parametrize(
    ("line", "told"), [("[3/18] /usr/local/cuda/bin/nvcc -c gemm.cu", True), ("Loading safetensors", False)]
)
def test_a_container_that_was_killed_while_kernels_are_compiled(line: str, told: bool) -> None:
    status = crashed(exit_code=137, reason="OOMKilled")
    (finding,) = explain(snapshot(pod(status=status), logs={("llm-vllm-5c8-x2x", "vllm"): line}))
    assert finding.check == "memory"
    assert ("env.MAX_JOBS" in finding.remedy) == told
    assert "resources.limits.memory" in finding.remedy


def test_a_compiler_that_finds_a_mistake_was_not_killed() -> None:
    finding = crash("RuntimeError: Ninja build failed. Ninja output:\nfatal error: curand_kernel.h: No such file")
    assert finding.check == "image"


def logged(text: str, process: str = "(EngineCore pid=41)", level: str = "ERROR", place: str = "core.py:1087") -> str:
    return "\n".join(f"{process} {level} 11-23 15:57:53 [{place}] {line}" for line in text.splitlines())


TRACEBACK = 'Traceback (most recent call last):\n  File "/x/vllm/{}", line 3, in f\n    raise error\n'


def test_a_message_of_several_lines_is_told_to_its_end_and_no_further() -> None:
    error = "ValueError: the moon is full:\n\n  * in the east\n  * in the west\nWait a week."
    log = logged(TRACEBACK.format("a.py") + error) + "\n(EngineCore pid=41) INFO 11-23 15:57:54 [x.py:1] bye"
    message = crash(log).message
    assert "ValueError: the moon is full:\n\n  * in the east\n  * in the west\nWait a week. (exit code" in message


def test_what_an_exception_came_from_is_told_too() -> None:
    chain = (
        f"{TRACEBACK.format('b.py')}KeyError: 'sun'\n\nThe above exception was the direct cause of the following "
        f"exception:\n\n{TRACEBACK.format('a.py')}ValueError: no light"
    )
    assert crash(logged(chain)).message.startswith("ValueError: no light\nwhich came from KeyError: 'sun' (exit code")


def test_an_exception_that_the_start_survived_is_no_cause() -> None:
    survived = logged(TRACEBACK.format("a.py") + "ImportError: no moon", level="WARNING", place="import_utils.py:9")
    fatal = logged(TRACEBACK.format("b.py") + "KeyError: 'sun'")
    assert crash(f"{survived}\n{fatal}").message.startswith("KeyError: 'sun' (exit code")


def test_the_first_of_several_workers_is_the_cause_and_the_last_is_told() -> None:
    first = logged(TRACEBACK.format("a.py") + "KeyError: 'sun'", "(Worker_TP1 pid=52)")
    second = logged(TRACEBACK.format("b.py") + "EOFError: peer gone", "(Worker_TP0 pid=51)")
    see = "(EngineCore pid=41) RuntimeError: Worker failed with error 'peer gone', please check the stack trace above"
    assert crash(f"{first}\n{second}\n{see}").message.startswith("KeyError: 'sun'\nand last EOFError: peer gone (exit")


def test_lines_of_two_workers_are_told_apart() -> None:
    lines = [logged(TRACEBACK.format("a.py") + f"ValueError: {n}\nof {n}", f"(W pid={n})").split("\n") for n in (1, 2)]
    mixed = "\n".join(line for pair in zip(*lines, strict=True) for line in pair)
    assert crash(mixed).message.startswith("ValueError: 1\nof 1\nand last ValueError: 2\nof 2 (exit")


def test_a_variable_that_an_exception_names_is_a_key_of_env() -> None:
    finding = crash("ValueError: VLLM_RAY_BUNDLE_INDICES cannot have duplicate values, but got bundle_indices=[1, 1]")
    assert finding.remedy.startswith("correct env.VLLM_RAY_BUNDLE_INDICES; ")


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("distributed/kv_transfer/kv_connector/v1/nixl/base_worker.py", "engine.args.kv-transfer-config"),
        ("v1/worker/gpu/spec_decode/eagle/utils.py", "engine.args.speculative-config"),
        ("model_executor/model_loader/base_loader.py", "engine.args.load-format"),
    ],
)
def test_an_exception_that_names_nothing_leads_to_the_keys_of_its_part(file: str, key: str) -> None:
    finding = crash(logged(TRACEBACK.format(file) + "AssertionError: the moon is full"))
    assert finding.check == "crash"
    assert key in finding.remedy
    assert "kubectl logs" in finding.remedy


def test_a_configuration_that_refuses_itself_leads_to_its_key_and_shows_no_input() -> None:
    log = (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for SpeculativeConfig\n"
        "  Value error, the moon is full,\nand so is the sun [type=value_error, input_value=ArgsKwargs((), "
        "{'token': 'geheim'}), input_type=ArgsKwargs]\n"
        "    For further information visit https://errors.pydantic.dev/2.12/v/value_error"
    )
    finding = crash(log)
    assert "Value error, the moon is full,\nand so is the sun (exit code" in finding.message
    assert "geheim" not in str(finding)
    assert "engine.args.speculative-config" in finding.remedy


def test_every_key_that_a_part_leads_to_is_one() -> None:
    """Names of arguments are those of some version: two of them came with 0.33."""
    names = {argument.name for version in catalogue.versions() for argument in catalogue.load(version).arguments}
    told = [*origins._CONFIGS.values(), *origins._FOLDERS.values()]
    assert {word for text in told for word in re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", text)} <= names


def test_no_row_stands_in_the_way_of_another() -> None:
    patterns = [error.pattern for error in known.ERRORS]
    assert len(patterns) == len(set(patterns))
