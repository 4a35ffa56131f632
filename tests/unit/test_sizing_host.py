"""Host memory in a plan: what settings pin or keep in /dev/shm, beside the container's limit."""

from typing import Any

import pytest

from vllm_chart import checks, helm
from vllm_chart.findings import Finding, has_errors
from vllm_chart.sizing import advice, checkpoint, host, plan, refusals, settings, sources
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.plan import Plan

LLAMA = "meta-llama/Llama-3.1-8B"


def planned(limit: str = "", **values: Any) -> Plan:
    resources = {"resources": {"limits": {"memory": limit}}} if limit else {}
    given = {"model": {"id": LLAMA}, **resources, **values}
    merged = helm.merged_values(values=given)
    engine = settings.from_release(helm.render(values=given), merged, "0.33.0")
    read = checkpoint.read(engine, sources.shipped()[engine.model])
    return plan.make(engine, read, gpus.find("h100-80gb"))


def connector(name: str, **extra: Any) -> dict[str, Any]:
    config = {"kv_connector": name, "kv_role": "kv_both", "kv_connector_extra_config": extra}
    return {"engine": {"args": {"kv-transfer-config": config}}}


def parts(made: Plan) -> dict[str, float]:
    return {part.name: part.bytes / GIB for part in host.needed(made)}


def told(made: Plan) -> list[Finding]:
    return [finding for finding in refusals.check(made) if finding.check == "host-memory"]


PLAIN = {"1 worker and the server": 5.0, "/dev/shm": 2.0}


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ({}, {}),
        (connector("OffloadingConnector", cpu_bytes_to_use=64 * GIB), {"/dev/shm": 66.0}),
        (
            connector("OffloadingConnector", spec_name="TieringOffloadingSpec", cpu_bytes_to_use=64 * GIB),
            {"/dev/shm": 66.0},
        ),
        ({"engine": {"args": {"kv-offloading-size": 16}}}, {"/dev/shm": 18.0}),
        (connector("SimpleCPUOffloadConnector"), {"--kv-transfer-config": 8.0}),
        (connector("LMCacheConnectorV1", **{"lmcache.max_local_cpu_size": 20}), {"--kv-transfer-config": 20.0}),
        ({"engine": {"args": {"mm-processor-cache-type": "shm"}}}, {"/dev/shm": 6.0}),
        (connector("NixlConnector"), {}),
    ],
)
def test_what_settings_keep_on_the_host_is_counted(values: dict[str, Any], more: dict[str, float]) -> None:
    assert parts(planned(**values)) == pytest.approx({**PLAIN, **more})


def test_weights_are_pinned_as_powers_of_two() -> None:
    made = planned(engine={"args": {"cpu-offload-gb": 1, "max-model-len": 8192}})
    # Parameters of 48, 32, 224 and 112 MiB beside the norms: two layers, and all but the last of the third.
    layer = 16 / 1024 + 64 + 32 + 256 + 128
    assert parts(made)["offloaded weights (each pinned as a power of two)"] * 1024 == pytest.approx(
        3 * layer - 128, abs=1
    )
    assert made.stage.offloaded * 1024 / GIB == pytest.approx(2 * 416 + 304, abs=1)


def test_of_every_worker_what_each_takes() -> None:
    made = planned(gpu={"count": 4}, engine={"args": {"cpu-offload-gb": 1, "max-model-len": 8192}})
    one = planned(engine={"args": {"cpu-offload-gb": 0.25, "max-model-len": 8192}})
    name = "offloaded weights (each pinned as a power of two)"
    assert parts(made)[name] >= 4 > 4 * parts(one)[name] / 2


def test_only_layers_leave_the_gpu() -> None:
    made = planned(engine={"args": {"cpu-offload-gb": 100, "max-model-len": 8192}})
    assert made.stage.offloaded * 1024 / GIB == pytest.approx(32 * 416, abs=1)


@pytest.mark.parametrize(
    ("args", "moved", "buffers"),
    [
        ({"offload-group-size": 8}, 4, 1),
        ({"offload-group-size": 8, "offload-num-in-group": 2, "offload-prefetch-step": 2}, 8, 2),
        ({"offload-group-size": 8, "cpu-offload-gb": 10}, 4, 1),
        ({"offload-group-size": 5}, 6, 1),
    ],
)
def test_the_last_layers_of_each_group_leave_the_gpu(args: dict[str, Any], moved: int, buffers: int) -> None:
    made = planned(engine={"args": {"max-model-len": 8192, **args}})
    assert made.stage.offloaded * 1024 / GIB == pytest.approx((moved - buffers) * 416, abs=1)
    assert host.pinned_weights(made) * 1024 / GIB == pytest.approx(moved * 480, abs=1)


def test_which_parameters_a_list_names_is_not_counted_and_refuses_nothing() -> None:
    args = {"cpu-offload-gb": 80, "cpu-offload-params": ["mlp"], "max-model-len": 8192}
    made = planned(model={"id": "Qwen/Qwen3-32B"}, engine={"args": args})
    on_a_small_gpu = plan.make(made.engine, made.checkpoint, gpus.find("l4"))

    assert (made.stage.offloaded, host.certain(made)) == (0, 0)
    assert not has_errors(list(refusals.check(on_a_small_gpu)))


def test_more_than_the_limit_is_told_of() -> None:
    [finding] = told(planned("68Gi", **connector("OffloadingConnector", cpu_bytes_to_use=64 * GIB)))
    assert (finding.where, finding.severity) == ("resources.limits.memory", "warning")
    assert "about 71.00 GiB of host memory are needed, and the limit is 68.00 GiB" in finding.message
    assert finding.remedy == "write 71Gi or more"
    assert told(planned("72Gi", **connector("OffloadingConnector", cpu_bytes_to_use=64 * GIB))) == []


def test_check_says_it_too_where_settings_take_it() -> None:
    def said(**values: Any) -> list[str]:
        given = {"model": {"id": LLAMA}, "resources": {"limits": {"memory": "68Gi"}}, **values}
        return [finding.check for finding in checks.validate(values=given)]

    assert said(**connector("OffloadingConnector", cpu_bytes_to_use=64 * GIB)) == ["host-memory"]
    assert said() == []


def test_adapters_are_named_by_the_block_that_lists_them() -> None:
    [finding] = told(planned(lora={"adapters": [{"name": "sql", "source": "acme/sql"}]}))
    assert (finding.where, finding.severity) == ("lora", "info")
    assert "pins the adapters" in finding.message


def test_what_has_no_size_is_named() -> None:
    [finding] = told(planned(engine={"args": {"enable-sleep-mode": True}}))
    assert (finding.where, finding.severity) == ("engine.args.enable-sleep-mode", "info")
    assert "pins a copy of all weights" in finding.message
    assert ".py" not in finding.message


def test_weights_of_an_engine_that_sleeps_have_to_fit() -> None:
    sleeping = {"args": {"enable-sleep-mode": True, "max-model-len": 8192}}
    [small] = told(planned("16Gi", engine=sleeping))
    [large] = told(planned("32Gi", engine=sleeping))

    assert (small.severity, large.severity) == ("warning", "info")
    assert "asleep at level 1, the engine keeps 14.99 GiB of weights in host memory besides 7.00 GiB" in small.message
    assert small.remedy == "write 22Gi or more, or sleep at level 2 only"


def test_what_else_is_downloaded_is_said() -> None:
    args = {"tokenizer": "org/words", "enable-lora": True, "lora-modules": ["sql=org/sql", "own=/adapters/own"]}

    def said(**values: Any) -> list[str]:
        mounted: dict[str, Any] = {
            "volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "a"}}],
            "volumeMounts": [{"name": "a", "mountPath": "/adapters"}],
        }
        made = planned(engine={"args": args}, **mounted, **values)
        return [f"{found.where} {found.message}" for found in refusals.check(made) if "downloaded" in found.message]

    assert [line.partition(" is ")[0] for line in said()] == [
        "engine.args.tokenizer org/words", "engine.args.lora-modules org/sql",
    ]  # fmt: skip
    assert said(hub={"offline": True}, persistence={"enabled": True, "existingClaim": "cache"}) == []


def test_gpus_of_a_claim_are_advised_as_a_split() -> None:
    claims = {"resourceClaims": [{"name": "gpus", "resourceClaimName": "two"}]}
    made = planned(gpu={"count": 2}, engine={"args": {"max-model-len": 8192}})
    keys = [each.key for each in advice.advise(made, helm.merged_values(values=claims))]
    assert "parallelism.tensorParallelSize" in keys
    assert "gpu.count" not in keys


def test_advice_counts_it() -> None:
    made = planned(**connector("OffloadingConnector", cpu_bytes_to_use=64 * GIB))
    values = {each.key: each.value for each in advice.advise(made, helm.merged_values(values={}))}
    assert (values["resources.requests.memory"], values["shm.sizeLimit"]) == ("71Gi", "66Gi")
