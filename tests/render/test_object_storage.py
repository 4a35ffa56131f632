"""`objectStorage`: what the streamer is told of a store, and how much memory it may take."""

from typing import Any

import pytest

from tests.render.view import View
from vllm_chart import checks
from vllm_chart.helm import render
from vllm_chart.live.preflight.needs import needs
from vllm_chart.vllm_args import argv, host_memory, streaming

GIB = 2**30


def view(model: str = "s3://models/llama", **values: Any) -> View:
    return View(render(values={"model": {"id": model, "servedModelName": ["llama"]}, **values}))


def told(v: View) -> dict[str, Any]:
    """What the streamer alone reads."""
    prefixes = ("AWS_", "AZURE_", "GOOGLE_", "RUNAI_")
    return {name: value for name, value in v.env.items() if name.startswith(prefixes)}


def test_a_model_elsewhere_has_nothing_of_it() -> None:
    assert told(view("org/name")) == {}


def test_amazon_and_an_identity_need_nothing_but_the_address() -> None:
    assert told(view()) == {"RUNAI_STREAMER_LOG_TO_STDERR": "1"}


def test_a_region_is_told_to_both_readers() -> None:
    told_ = told(view(objectStorage={"region": "eu-central-1"}))
    assert {told_[name] for name in streaming.REGION} == {"eu-central-1"}
    assert "AWS_EC2_METADATA_DISABLED" not in told_


def test_a_store_that_speaks_s3() -> None:
    assert told(view(objectStorage={"endpoint": "http://minio:9000/"})) == {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://minio:9000",
        "AWS_REGION": "us-east-1",
        "RUNAI_STREAMER_LOG_TO_STDERR": "1",
        "RUNAI_STREAMER_S3_ENDPOINT": "http://minio:9000",
        "RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING": "0",
    }


@pytest.mark.parametrize("model", ["s3://models/llama", "az://models/llama"])
def test_keys_come_out_of_the_secret_by_their_names(model: str) -> None:
    scheme = model[:2]
    account = {"account": "companymodels"} if scheme == "az" else {}
    v = view(model, objectStorage={"credentialsSecretRef": {"name": "store"}, **account})
    references = {name: v.env[name]["secretKeyRef"] for name in streaming.REQUIRED[scheme] + streaming.OPTIONAL[scheme]}
    assert all(reference["name"] == "store" and reference["key"] == name for name, reference in references.items())
    assert {name for name, each in references.items() if each.get("optional")} == {*streaming.OPTIONAL[scheme]}


def test_preflight_looks_for_what_the_secret_has_to_have() -> None:
    manifests = view(objectStorage={"credentialsSecretRef": {"name": "store"}}).manifests
    found = {(need.name, need.key, need.value) for need in needs(manifests) if need.kind == "Secret"}
    assert found == {("store", name, "objectStorage.credentialsSecretRef") for name in streaming.REQUIRED["s3"]}


def test_googles_key_is_a_file() -> None:
    v = view("gs://models/llama", objectStorage={"credentialsSecretRef": {"name": "store"}})
    [mount] = [mount for mount in v.engine["volumeMounts"] if mount["name"] == "object-storage"]
    items = [{"key": "credentials.json", "path": "credentials.json"}]
    assert v.volumes["object-storage"]["secret"] == {"secretName": "store", "items": items}
    assert {v.env[name] for name in streaming.KEY_FILE} == {f"{mount['mountPath']}/credentials.json"}
    assert mount["readOnly"]
    [need] = [need for need in needs(v.manifests) if need.kind == "Secret"]
    assert (need.key, need.value) == ("credentials.json", "objectStorage.credentialsSecretRef")


def test_variables_of_the_users_own_go_before() -> None:
    v = view(objectStorage={"endpoint": "http://minio:9000"}, env={"AWS_EC2_METADATA_DISABLED": "false"})
    assert v.env["AWS_EC2_METADATA_DISABLED"] == "false"


BUFFERS: list[tuple[str, dict[str, Any], int | None]] = [
    ("no limit", {}, None),
    ("half of what is left", {"resources": {"limits": {"memory": "32Gi"}}}, 15 * GIB),
    ("as much as it would take", {"resources": {"limits": {"memory": "128Gi"}}}, None),
    ("for each worker", {"resources": {"limits": {"memory": "67Gi"}}, "gpu": {"count": 2}}, 16 * GIB),
    (
        "for all workers together",
        {
            "resources": {"limits": {"memory": "67Gi"}},
            "gpu": {"count": 2},
            "engine": {"args": {"model-loader-extra-config": {"distributed": True}}},
        },
        32 * GIB,
    ),
    (
        "beside what is offloaded",
        {"resources": {"limits": {"memory": "32Gi"}}, "engine": {"args": {"cpu-offload-gb": 10}}},
        10 * GIB,
    ),
    (
        "beside the KV cache of a CPU",
        {"resources": {"limits": {"memory": "16Gi"}}, "engine": {"device": "cpu"}, "image": {"tag": "v0.33.0-own"}},
        5 * GIB,
    ),
    ("the largest tensor, which may be more", {"resources": {"limits": {"memory": "6Gi"}}}, 0),
    (
        "the largest tensor of each worker",
        {"resources": {"limits": {"memory": "32Gi"}}, "gpu": {"count": 8}},
        0,
    ),
    (
        "as the user says",
        {"resources": {"limits": {"memory": "32Gi"}}, "env": {"RUNAI_STREAMER_MEMORY_LIMIT": str(2 * GIB)}},
        2 * GIB,
    ),
    (
        "as the user says in the extra config",
        {
            "resources": {"limits": {"memory": "32Gi"}},
            "engine": {"args": {"model-loader-extra-config": {"memory_limit": 2 * GIB}}},
        },
        None,
    ),
]


@pytest.mark.parametrize(("values", "size"), [row[1:] for row in BUFFERS], ids=[row[0] for row in BUFFERS])
def test_the_buffer_fits_in_the_limit(values: dict[str, Any], size: int | None) -> None:
    v = view(**values)
    written = v.env.get("RUNAI_STREAMER_MEMORY_LIMIT")
    assert (None if written is None else int(written)) == size
    assert [found for found in checks.inspect(v.manifests, "1.37") if found.severity == "error"] == []


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({"env": {"RUNAI_STREAMER_MEMORY_LIMIT": "1000"}}, 2000),
        ({"env": {"RUNAI_STREAMER_MEMORY_LIMIT": "-1"}}, 0),
        ({"engine": {"args": {"model-loader-extra-config": {"memory_limit": 1000, "distributed": True}}}}, 1000),
        ({"resources": {"limits": {"memory": "67Gi"}}}, 32 * GIB),
        ({}, 0),
    ],
    ids=["a variable", "unlimited", "shared", "the chart's", "nothing"],
)
def test_the_package_counts_it_for_each_worker(values: dict[str, Any], size: int) -> None:
    v = view(**values, gpu={"count": 2})
    arguments = argv.parse(v.args, "0.33.0")
    taken = host_memory.taken(arguments, v.env, host_memory.Pod(workers=2))
    assert host_memory.total(taken) == size
