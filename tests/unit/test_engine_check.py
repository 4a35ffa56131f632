"""What is said of wrong arguments and variables: where, what, and what to write instead."""

import re

import pytest

from vllm_chart.findings import Finding
from vllm_chart.vllm_args import advice, catalogue
from vllm_chart.vllm_args.check import check_argv, check_environment

NEWEST = catalogue.versions()[-1]


def only(findings: list[Finding]) -> Finding:
    [finding] = findings
    return finding


@pytest.mark.parametrize(
    ("words", "where", "said", "remedy"),
    [
        (["--max-modl-len=8"], "--max-modl-len", "no such argument", "--max-model-len"),
        (["--maxModelLen=8"], "--maxModelLen", "no such argument", "--max-model-len"),
        (["--task=embed"], "--task", "no such argument", "runner: pooling"),
        (["--max-num-seqs=many"], "--max-num-seqs", "invalid int value: 'many'", ""),
        (["--dtype=int4"], "--dtype", "choose from", ""),
        (["--dtype auto"], "--dtype auto", "one word", "two words"),
        (["--max-num-seqs", "1", "2"], "2", "belongs to no argument", "--flag=value"),
        (['--kv-transfer-config={"kv_connector": "NixlConnector"}'], "--kv-transfer-config", "kv_role", ""),
        (['--compilation-config={"modes": 3}'], "--compilation-config", "modes: Extra inputs", "did you mean mode?"),
        (["--limit-mm-per-prompt=image=2"], "--limit-mm-per-prompt", "not JSON", "or a map in engine.args"),
        (["--hf-overrides='{}'", "--limit-mm-per-prompt='{}'"], "--limit-mm-per-prompt", "not JSON", ""),
        (['--speculative-config={"metod": "ngram"}'], "--speculative-config", "metod: Extra inputs", "mean method?"),
        (["--speculative-config=true"], "--speculative-config", "", ""),
        (["--cudagraph-capture-sizes=[1,2,4]"], "--cudagraph-capture-sizes", "invalid int", "a word of its own"),
        (
            ["--enable-chunked-prefill=True"],
            "--enable-chunked-prefill",
            "ignored explicit",
            "--no-enable-chunked-prefill",
        ),
        (["--enforce-eager=1"], "--enforce-eager", "ignored explicit", "--enforce-eager alone"),
        (["--gpu-memory-utilization=90%"], "--gpu-memory-utilization", "invalid float", "such as 0.9"),
        (["--max-model-len=8192tokens"], "--max-model-len", "8192tokens", "32k"),
        (["--max-num-seqs"], "--max-num-seqs", "expected one argument", "after it"),
        (["--help"], "-h", "print its help", ""),
    ],
)
def test_a_wrong_argument_is_named_with_its_remedy(words: list[str], where: str, said: str, remedy: str) -> None:
    finding = only(check_argv(["m", *words], NEWEST))
    assert finding.severity == "error"
    assert (finding.where, said in finding.message, remedy in finding.remedy) == (where, True, True), finding


def test_right_arguments_have_no_findings() -> None:
    words = ["--max-model-len=auto", "--max_num_seqs", "64", "-cc.mode=3", '--speculative-config={"method": "ngram"}']
    assert check_argv(["m", *words], NEWEST) == []


def test_a_deprecated_argument_is_a_warning() -> None:
    finding = only(check_argv(["m", "--mamba-cache-mode=align"], "0.33.0"))
    assert finding.severity == "warning"
    assert (finding.message, "follows enable-prefix-caching" in finding.remedy) == ("deprecated since 0.33", True)
    assert check_argv(["m", "--mamba-cache-mode=align"], "0.32.0") == []


def test_every_unknown_argument_is_told() -> None:
    findings = check_argv(["m", "--max-modl-len=8", "--enforce-eagr"], NEWEST)
    assert [finding.where for finding in findings] == ["--max-modl-len", "--enforce-eagr"]


@pytest.mark.parametrize("version", catalogue.versions())
def test_advice_is_for_what_vllm_does_not_have(version: str) -> None:
    known = catalogue.load(version)
    assert [flag for flag in advice.FLAGS if f"--{flag}" in known.by_flag] == []
    assert [name for name in advice.VARIABLES if name in known.environment] == []


def test_what_to_write_instead_is_a_flag_of_vllms() -> None:
    remedies = [*advice.FLAGS.values(), *(remedy for _, remedy in advice.DEPRECATED.values())]
    named = {word for remedy in remedies for word in re.findall(r"(?:write|and|or) ([a-z]+(?:-[a-z]+)+)", remedy)}
    assert len(named) > 20
    assert {word for word in named if f"--{word}" not in catalogue.load(NEWEST).by_flag} == set()


@pytest.mark.parametrize("version", catalogue.versions())
def test_what_is_deprecated_says_since_when(version: str) -> None:
    deprecated = {argument.name for argument in catalogue.load(version).arguments if argument.deprecated}
    assert deprecated <= advice.DEPRECATED.keys()


def test_an_unknown_variable_is_named_with_its_remedy() -> None:
    names = ["VLLM_LOGING_LEVEL", "VLLM_ATTENTION_BACKEND", "VLLM_LOGGING_LEVEL", "HF_HOME"]
    findings = {finding.where: finding.remedy for finding in check_environment(names, NEWEST)}
    assert findings == {
        "env.VLLM_LOGING_LEVEL": "did you mean VLLM_LOGGING_LEVEL?",
        "env.VLLM_ATTENTION_BACKEND": "gone: write engine.args.attention-backend",
    }


def test_a_variable_that_nothing_reads_is_named_with_what_to_write() -> None:
    names = ["MAX_MODEL_LEN", "VLLM_TENSOR_PARALLEL_SIZE", "VLLM_MAX_NUM_SEQS", "HF_HUB_ENABLE_HF_TRANSFER", "SEED"]
    findings = {finding.where: finding.remedy for finding in check_environment(names, NEWEST)}
    assert findings == {
        "env.MAX_MODEL_LEN": "write engine.args.max-model-len",
        "env.VLLM_TENSOR_PARALLEL_SIZE": "write gpu.count, or parallelism.tensorParallelSize",
        "env.VLLM_MAX_NUM_SEQS": "write engine.args.max-num-seqs",
        "env.HF_HUB_ENABLE_HF_TRANSFER": "gone: write HF_XET_HIGH_PERFORMANCE",
    }
    assert check_environment(["MAX_MODEL_LEN"], NEWEST, referring='["--max-model-len=$(MAX_MODEL_LEN)"]') == []


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v0.33.0", "0.33.0"),
        ("0.33.0", "0.33.0"),
        ("v0.32.0-x86_64", "0.32.0"),
        ("v0.33.0-cu129-ubuntu2404", "0.33.0"),
        ("v0.33.1", None),
        ("v0.33.0rc1", None),
        ("nightly", None),
        ("", None),
    ],
)
def test_the_version_is_the_tags(tag: str, version: str | None) -> None:
    assert catalogue.version_of_tag(tag) == version


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["--tool-call-parser=hermess"], "did you mean hermes?"),
        (["--reasoning-parser=deepseek-r1"], "did you mean deepseek_r1?"),
        (["--quantization=awq-marlinn"], "did you mean awq_marlin?"),
        (["--attention-backend=FLASH_ATTENTION"], "FLASH_ATTN"),
        (["--tool-call-parser=llama"], "there are "),
    ],
)
def test_a_name_that_vllm_will_not_find_is_an_error(words: list[str], near: str) -> None:
    finding = only(check_argv(["m", *words], NEWEST))
    assert finding.severity == "error"
    assert near in finding.remedy
    # In an image of somebody's own, such a name may be registered.
    assert only(check_argv(["m", *words], NEWEST, stock=False)).severity == "warning"


def test_a_plugin_brings_names_of_its_own() -> None:
    assert check_argv(["m", "--tool-call-parser=mine", "--tool-parser-plugin=/plugins/mine.py"], NEWEST) == []
    assert check_argv(["m", "--attention-backend=flash_attn", "--quantization=awq"], NEWEST) == []
    assert only(check_argv(["m", "--quantization=bitsandbytes"], NEWEST)).severity == "warning"
