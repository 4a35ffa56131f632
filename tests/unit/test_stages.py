"""How far a start is, by a log with timestamps: one of vLLM 0.32 on two busy CPUs, and the marks of one on a GPU."""

import json
import re
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import V1Pod

from tests.cluster_objects import container_status, crashed, event, pod, snapshot
from vllm_chart.findings import Finding
from vllm_chart.live.diagnose import explain
from vllm_chart.live.engine_log import stages

DATA = Path(__file__).parent / "data"
CPU = (DATA / "start-0.32.0-cpu.log").read_text()
CPU_STARTED = datetime(2026, 11, 28, 6, 8, 50, tzinfo=UTC)
STARTED = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
#: In vLLM's words, with the second that each is written at.
GPU = {
    25: "(APIServer pid=1) INFO 11-28 12:00:25 [model.py:744] Resolved architecture: LlamaForCausalLM",
    40: "(Worker pid=40) INFO 11-28 12:00:40 [gpu_model_runner.py:4979] Starting to load model meta-llama/Llama-3...",
    100: "(Worker pid=40) INFO 11-28 12:01:40 [weight_utils.py:538] Time spent downloading weights for x: 59.9 seconds",
    101: "Loading safetensors checkpoint shards:   0% Completed | 0/4 [00:00<?, ?it/s]",
    120: "(Worker pid=40) INFO 11-28 12:02:00 [default_loader.py:507] Loading weights took 19.20 seconds",
    121: "(Worker pid=40) INFO [gpu_model_runner.py:5089] Model loading took 14.9 GiB memory and 80.1 seconds",
    125: "(Worker pid=40) INFO 11-28 12:02:05 [monitor.py:40] Starting torch.compile",
    160: "(Worker pid=40) INFO 11-28 12:02:40 [monitor.py:20] torch.compile took 34.70 s in total",
    170: "Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):   0%|          | 0/51 [00:00<?, ?it/s]",
    185: "(Worker pid=40) INFO [gpu_model_runner.py:6517] Graph capturing finished in 15 secs, took 0.6 GiB",
    186: "(EngineCore pid=30) INFO [core.py:413] init engine (profile, create kv cache, warmup model) took 66 s",
}


def stamped(second: float, line: str) -> str:
    time = STARTED + timedelta(seconds=second)
    return f"{time:%Y-%m-%dT%H:%M:%S}.123456789Z {line}"


def gpu_log(until: int) -> str:
    return "\n".join(stamped(second, line) for second, line in GPU.items() if second <= until)


def starting(log: str, now: datetime, started: datetime = STARTED, **more: Any) -> Finding:
    running = {"running": {"startedAt": started.isoformat()}}
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastTransitionTime": (started - timedelta(seconds=7)).isoformat(),
    }
    status = {"conditions": [scheduled], "containerStatuses": [container_status(state=running)]}
    (finding,) = explain(snapshot(pod(status=status), logs={("llm-vllm-5c8-x2x", "vllm"): log}, at=now, **more))
    return finding


@pytest.mark.parametrize(
    ("second", "stage", "seconds", "before"),
    [
        (10, stages.IMPORT, 10, {}),
        (60, stages.DOWNLOAD, 20, {"import": 40}),
        (110, stages.LOAD, 10, {"import": 40, "download": 60}),
        (123, stages.WARM_UP, 3, {"import": 40, "download": 60, "load": 20}),
        (150, stages.COMPILE, 25, {"import": 40, "download": 60, "load": 20, "warm up": 5}),
        (165, stages.WARM_UP, 10, {"import": 40, "download": 60, "load": 20, "compile": 35}),
        (175, stages.GRAPHS, 5, {"import": 40, "download": 60, "load": 20, "warm up": 15, "compile": 35}),
        (190, stages.SERVE, 4, {"import": 40, "download": 60, "load": 20, "warm up": 16, "compile": 35, "graphs": 15}),
    ],
)
def test_each_stage_of_a_start_on_a_gpu(second: int, stage: stages.Stage, seconds: int, before: dict[str, int]) -> None:
    found = stages.progress(gpu_log(second), STARTED, STARTED + timedelta(seconds=second))
    assert found.stage == stage
    assert found.seconds == pytest.approx(seconds, abs=0.2)
    assert found.before == pytest.approx(before, abs=0.2)


def test_a_start_on_cpus_by_its_own_log() -> None:
    found = stages.progress(CPU, CPU_STARTED, CPU_STARTED + timedelta(seconds=85))
    assert found.stage == stages.SERVE
    assert found.before == pytest.approx({"import": 75.1, "download": 0.2, "load": 0.01, "warm up": 3.1}, abs=0.1)


def test_a_log_without_times_still_tells_the_stage() -> None:
    log = "\n".join(GPU.values())
    assert stages.progress(log, STARTED, STARTED + timedelta(seconds=200)).stage == stages.SERVE


def test_the_stage_is_told_and_not_the_line_that_was_logged_last() -> None:
    log = f"{gpu_log(110)}\n{stamped(111, 'W1128 12:01:51.64 1 torch/utils/flop_counter.py:29] triton not found')}"
    message = starting(log, STARTED + timedelta(seconds=112)).message
    assert message == (
        "not ready yet: it loads the weights, for 12 s now (usual: 4 to 180 s; 0.1 to 4 GiB/s); "
        "before: image 7 s, import 40 s, download 60 s"
    )


def test_an_error_that_the_start_went_on_after_is_told_too() -> None:
    error = "(EngineCore pid=41) ERROR 11-28 12:00:41 [registry.py:9] ValueError: no light"
    message = starting(f"{gpu_log(40)}\n{stamped(41, error)}", STARTED + timedelta(seconds=42)).message
    assert message.endswith("; it logged: ValueError: no light")


def test_an_image_that_is_being_pulled() -> None:
    waiting = container_status(state={"waiting": {"reason": "ContainerCreating"}})
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": STARTED.isoformat()}
    status = {"conditions": [scheduled], "containerStatuses": [waiting]}
    pulling = event("Pulling", 'Pulling image "vllm/vllm-openai:v0.33.0"')
    now = STARTED + timedelta(seconds=95)
    (finding,) = explain(snapshot(pod(status=status), events=[pulling], at=now))
    assert "its image is pulled and its volumes are attached, for 95 s now (usual: minutes" in finding.message
    assert finding.message.endswith('; last: Pulling image "vllm/vllm-openai:v0.33.0"')


def test_an_init_container_is_told_by_its_own_last_line() -> None:
    spec = {"initContainers": [{"name": "weights"}], "containers": [{"name": "vllm"}]}
    running = {**container_status(state={"running": {"startedAt": STARTED.isoformat()}}), "name": "weights"}
    found: V1Pod = pod(spec=spec, status={"initContainerStatuses": [running]})
    log = stamped(3, "model.safetensors: 12%")
    (finding,) = explain(snapshot(found, logs={("llm-vllm-5c8-x2x", "weights"): log}))
    assert finding.message == "not ready yet: model.safetensors: 12%"


def test_a_start_that_its_probe_ended_is_told_by_its_stage() -> None:
    status = crashed(exit_code=143)
    times = {"startedAt": STARTED.isoformat(), "finishedAt": (STARTED + timedelta(seconds=115)).isoformat()}
    status["containerStatuses"][0]["lastState"]["terminated"] |= times
    log = f"{gpu_log(110)}\n{stamped(114, 'preStop: still loading: nothing to finish')}"
    (finding,) = explain(snapshot(pod(status=status), logs={("llm-vllm-5c8-x2x", "vllm"): log}))
    assert "the startup probe killed it: it loads the weights (import 40 s, download 60 s, load 15 s; usual" in (
        finding.message
    )
    assert "safetensors-load-strategy" in finding.remedy


def test_what_is_usual_is_what_recorded_starts_took() -> None:
    recorded = (DATA / "kv-cache-logs.json").read_text()
    assert json.loads(recorded)
    took = re.findall(r"Model loading took:? ([\d.]+) GiB (?:memory )?and ([\d.]+) sec", recorded)
    assert middle([float(seconds) for _, seconds in took]) == pytest.approx((4, 180), rel=0.1)
    assert middle([float(size) / float(seconds) for size, seconds in took]) == pytest.approx((0.1, 4), rel=0.3)
    captured = [int(seconds) for seconds in re.findall(r"Graph capturing finished in (\d+) secs", recorded)]
    assert 2 <= min(captured) < max(captured) <= 30


def middle(values: list[float]) -> tuple[float, float]:
    """Between which the middle four fifths lie."""
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return tenths[0], tenths[-1]


LOADED = (
    "(EngineCore pid=30) INFO [decorators.py:327] Directly load AOT compilation from path /cache/vllm/torch_compile_ca"
)
GRAPHS = (
    "INFO [backends.py:311] Directly load the compiled graph(s) for compile range (1, 8192) from the cache, took 1 s"
)
CACHED = "INFO [backends.py:402] Cache the graph of compile range (1, 8192) for later use"
SAVED = "INFO [decorators.py:753] saved AOT compiled function to /cache/vllm/torch_compile_cache/torch_aot_compile/0"

NOT_LOADED = (
    "WARNING [decorators.py:333] [backbone] Compiling model again due to a load failure from "
    "/cache/vllm/torch_compile_cache/torch_aot_compile/0/rank_0_0/model, reason: Compile cache file corrupted."
)


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (LOADED, "hit"),
        (GRAPHS, "hit"),
        (CACHED, "missed"),
        (SAVED, "missed"),
        (f"{GRAPHS}\n{CACHED}", "missed"),
        (f"{NOT_LOADED}\n{SAVED}", "found, but not loaded: Compile cache file corrupted."),
        (gpu_log(190), ""),
        ("", ""),
    ],
)
def test_the_compile_cache_is_read_from_the_log(log: str, found: str) -> None:
    assert stages.compile_cache(log) == found


def test_a_start_that_compiles_anew_says_so() -> None:
    log = f"{gpu_log(160)}\n{stamped(161, SAVED)}"
    assert "compile cache: missed" in starting(log, STARTED + timedelta(seconds=165)).message
    assert "compile cache" not in starting(gpu_log(160), STARTED + timedelta(seconds=165)).message
