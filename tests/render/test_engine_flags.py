"""Every flag of vLLM's, from `engine.args` to what vLLM reads; what is refused, by the version of the image."""

import base64
import gzip
import json
import subprocess
from typing import Any

import pytest

from ci import tools
from ci.catalogue.rendered import flags, meant, rendered
from tests import verdicts
from vllm_chart import helm
from vllm_chart.helm import HelmError, render
from vllm_chart.vllm_args import argv, catalogue


@pytest.mark.parametrize("variant", [0, 1])
@pytest.mark.parametrize("version", catalogue.versions())
def test_every_flag_is_read_as_it_was_meant(version: str, variant: int) -> None:
    known = catalogue.load(version)
    read = argv.parse(rendered(version, variant), version)
    wrong = {}
    for argument in flags(version):
        value = meant(argument, known, variant)[1]
        if read.get(argument.dest) != value:
            wrong[argument.name] = (value, read.get(argument.dest))
    assert wrong == {}


@pytest.mark.parametrize("variant", [0, 1])
@pytest.mark.parametrize("version", catalogue.versions())
def test_vllms_own_parser_read_it_so_too(version: str, variant: int) -> None:
    words, verdict = [*verdicts.read((verdicts.FOLDER / f"{version}-rendered.jsonl.gz").read_bytes())][variant]
    asked = [word for word in words if word in rendered(version, variant)]  # others are the chart's own
    assert asked == rendered(version, variant), "record again: python -m ci.catalogue.record FOLDER rendered.json"
    assert verdict is not None
    known = catalogue.load(version)
    expected = {argument.dest: meant(argument, known, variant)[1] for argument in flags(version)}
    plain = {name for name, value in verdict.items() if value != "…"}
    assert {name: str(verdict[name]) for name in plain & expected.keys()} == {
        name: str(expected[name]) for name in plain & expected.keys()
    }


def refusal(args: dict[str, Any], **image: str) -> str:
    """What Helm says; "" if it renders."""
    try:
        render(values={"model": {"id": "org/name"}, "image": image, "engine": {"args": args}})
    except HelmError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"max-modl-len": 8}, "'max-modl-len' not allowed"),
        ({"max_model_len": 8}, "write dashes for underscores"),
        ({"maxModelLen": 8}, "write it in lower case with dashes"),
        ({"task": "embed"}, "runner: pooling"),
        ({"batch-size": 8}, "write max-num-seqs"),
        ({"ep": True}, "write enable-expert-parallel"),
        ({"port": 80}, "write containerPort"),
        ({"max-num-seqs": "many"}, "max-num-seqs"),
        ({"max-num-seqs": [1]}, "max-num-seqs"),
        ({"enforce-eager": "yes"}, "enforce-eager"),
        ({"dtype": "int4"}, "'bfloat16'"),
        ({"disable-prefix-caching": False}, "disable-prefix-caching"),
        ({"compilation-config": {"modes": 3}}, "'modes' not allowed"),
        ({"speculative-config": {"num_speculative_tokens": 0}}, "num_speculative_tokens"),
        ({"kv-transfer-config": {"kv_role": "producer"}}, "'kv_producer'"),
        ({"dtype.x": 1}, "'dtype.x' not allowed"),
    ],
)
def test_helm_alone_refuses_what_vllm_would(args: dict[str, Any], said: str) -> None:
    assert said in refusal(args)


def test_a_flag_of_another_version_is_refused() -> None:
    assert refusal({"reasoning-effort-map": {"low": "high"}}) == ""
    assert "0.33.0 has" in refusal({"reasoning-effort-map": {"low": "high"}}, tag="v0.32.0")


@pytest.mark.parametrize("image", [{"tag": "v0.99.0"}, {"tag": "nightly"}, {"digest": f"sha256:{'0' * 64}"}])
def test_another_version_may_have_any_flag_but_the_charts_own(image: dict[str, str]) -> None:
    assert refusal({"brand-new-flag": 8}, **image) == ""
    assert "write containerPort" in refusal({"port": 80}, **image)
    assert "write dashes for underscores" in refusal({"max_model_len": 8}, **image)


def test_the_schema_stays_small() -> None:
    schema = helm.default_chart() / "values.schema.json"
    assert schema.stat().st_size <= 230_000


def test_the_release_stays_far_below_what_a_secret_holds() -> None:
    """Helm keeps a release, its chart and schema with it, as compressed JSON in a Secret, whose limit is 1 MiB.

    Encoded as Helm does (pkg/storage/driver/util.go, encodeRelease), which is what the limit counts: a Secret's data as
    bytes (Kubernetes, pkg/apis/core/validation, ValidateSecret). Half of it is left for the values, manifests and files
    of whoever installs.
    """
    options = ["-f", "values/llama3.yaml", "--dry-run=client", "-o", "json"]
    command = [str(tools.helm()), "install", "llm", str(helm.default_chart()), *options]
    release = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert release["chart"]["schema"]
    plain = json.dumps(release, separators=(",", ":"), ensure_ascii=False).encode()
    assert len(base64.b64encode(gzip.compress(plain, 9))) < (1 << 20) // 2
