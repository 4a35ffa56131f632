"""Repositories and paths beside the model: mounted, at hand offline, pinned; in every spelling."""

import pytest
from helm_python import values_from_yaml

from tests.render.verdicts import Row, hold
from vllm_chart.helm import render
from vllm_chart.vllm_args import argv, catalogue, repositories

HUB = "on the Hub, which hub.offline forbids"
MODEL = "model: {id: /models/base}"
VOLUME = "volumes: [{name: m, persistentVolumeClaim: {claimName: models}}]"
MOUNTED = f"{VOLUME}, volumeMounts: [{{name: m, mountPath: /models}}]"
CLAIM = "persistence: {enabled: true, existingClaim: models}"


def offline(args: str, more: str = "") -> str:
    return f"{{{MODEL}, {MOUNTED}, hub: {{offline: true}}, engine: {{args: {{{args}}}}}{', ' + more if more else ''}}}"


def args(text: str, more: str = "") -> str:
    return f"{{engine: {{args: {{{text}}}}}{', ' + more if more else ''}}}"


DRAFT = "speculative-config: {method: eagle3, model: org/draft, num_speculative_tokens: 3}"
CONNECTOR = "kv_role: kv_both, kv_connector_extra_config"
TIERS = "cpu_bytes_to_use: 8000000000, spec_name: TieringOffloadingSpec, secondary_tiers"

ROWS: list[Row] = [
    ("draft offline", offline(DRAFT), f"error: engine.args.speculative-config.model: org/draft is {HUB}"),
    ("draft offline, with a claim", offline(DRAFT, CLAIM), ""),
    ("draft offline, in the volume", offline(DRAFT.replace("org/draft", "/models/draft")), ""),
    ("draft nowhere", offline(DRAFT.replace("org/draft", "/drafts/a")), "error: nothing is mounted at /drafts/a"),
    (
        "draft dotted",
        offline(
            "speculative-config.method: eagle3, speculative-config.model: org/draft, "
            "speculative-config.num_speculative_tokens: 3"
        ),
        f"error: {HUB}",
    ),
    (
        "draft as JSON",
        offline('speculative-config: \'{"method": "eagle3", "model": "org/draft", "num_speculative_tokens": 3}\''),
        f"error: {HUB}",
    ),
    (
        "draft in extraArgs",
        f"{{{MODEL}, {MOUNTED}, hub: {{offline: true}}, engine: {{extraArgs: [--spec-model=org/draft, "
        "--spec-method=eagle3, --spec-tokens=3]}}",
        f"error: engine.args.spec-model: org/draft is {HUB}",
    ),
    (
        "no draft at all",
        offline("speculative-config: {method: ngram, num_speculative_tokens: 3, prompt_lookup_max: 4}"),
        "",
    ),
    (
        "n-grams by name",
        offline("speculative-config: {model: ngram, num_speculative_tokens: 3, prompt_lookup_max: 4}"),
        "",
    ),
    ("layers of the model's own", offline("speculative-config: {method: mtp, num_speculative_tokens: 1}"), ""),
    ("tokenizer offline", offline("tokenizer: org/tokenizer"), f"error: engine.args.tokenizer: org/tokenizer is {HUB}"),
    ("config offline", offline("hf-config-path: org/config"), "error: engine.args.hf-config-path"),
    ("generation config", offline("generation-config: vllm"), ""),
    ("adapter offline", offline("enable-lora: true, lora-modules: [a=org/adapter]"), "error: engine.args.lora-modules"),
    ("adapter in the volume", offline("enable-lora: true, lora-modules: [{name: a, path: /models/a}]"), ""),
    ("a cache in a volume of one's own", offline(DRAFT, "env: {HF_HOME: /models/hf}"), ""),
    (
        "a cache at one repository",
        f"{{{MODEL}, hub: {{offline: true}}, {VOLUME}, volumeMounts: [{{name: m, mountPath: "
        f"/models}}, {{name: m, mountPath: /cache/huggingface/hub/models--org--draft}}], engine: {{args: "
        f"{{{DRAFT}}}}}}}",
        "",
    ),
    ("an image of one's own", offline(DRAFT, "image: {repository: mine/vllm, tag: v0.33.0}"), ""),
    ("somebody fetches it", offline(DRAFT, "initContainers: [{name: a, image: b}]"), ""),
    ("online", f"{{{MODEL}, {MOUNTED}, engine: {{args: {{{DRAFT}}}}}}}", ""),
    (
        "offline by a variable",
        f"{{{MODEL}, {MOUNTED}, env: {{TRANSFORMERS_OFFLINE: 1}}, engine: {{args: {{{DRAFT}}}}}}}",
        f"error: {HUB}",
    ),
    ("in a bucket", offline("tokenizer: 's3://a/b'"), ""),
    (
        "draft in an emptyDir",
        f"{{{MODEL}, {MOUNTED[:-1]}, {{name: e, mountPath: /e}}], volumes: [{{name: m, "
        "persistentVolumeClaim: {claimName: models}}, {name: e, emptyDir: {}}], engine: {args: {tokenizer: "
        "/e/tokenizer}}}",
        "error: /e/tokenizer is in an emptyDir",
    ),
    (
        "tier nowhere",
        args(
            f"kv-transfer-config: {{kv_connector: OffloadingConnector, {CONNECTOR}: {{{TIERS}: "
            "[{type: fs, root_dir: /kvcache}]}}"
        ),
        "error: nothing is mounted at /kvcache",
    ),
    (
        "tier of root",
        args(
            f"kv-transfer-config: {{kv_connector: OffloadingConnector, {CONNECTOR}: {{{TIERS}: [{{type: fs, "
            "root_dir: /kvcache}]}}",
            "securityContext: {runAsUser: 0, runAsNonRoot: false}",
        ),
        "",
    ),
    (
        "files of a connector",
        args(f"kv-transfer-config: {{kv_connector: ExampleConnector, {CONNECTOR}: {{shared_storage_path: /shared}}}}"),
        "error: nothing is mounted at /shared",
    ),
    (
        "files in /tmp",
        args(f"kv-transfer-config: {{kv_connector: ExampleConnector, {CONNECTOR}: {{shared_storage_path: /tmp/kv}}}}"),
        "",
    ),
    ("scales", args("mm-encoder-fp8-scale-path: /scales.json"), "error: engine.args.mm-encoder-fp8-scale-path"),
    (
        "profiles",
        args("profiler-config: {profiler: torch, torch_profiler_dir: /profiles}"),
        "error: mounted at /profiles",
    ),
    ("a cache of compilations", args("compilation-config: {cache_dir: /compiled}"), "error: mounted at /compiled"),
    ("media", args("allowed-local-media-path: /media"), "error: engine.args.allowed-local-media-path"),
    (
        "parser in a JSON flag",
        args("structured-outputs-config: {reasoning_parser_plugin: /plugins/a.py}"),
        "error: engine.args.structured-outputs-config.reasoning_parser_plugin",
    ),
    ("template in line", args('chat-template: "{{ messages }}"'), ""),
    (
        "file of LMCache",
        "env: {LMCACHE_CONFIG_FILE: /etc/lmcache/a.yaml}",
        "error: env.LMCACHE_CONFIG_FILE: nothing is",
    ),
    (
        "file of Mooncake, mounted",
        "{env: {MOONCAKE_CONFIG_PATH: /config/a.json}, volumes: [{name: a, configMap: {name: b}}], "
        "volumeMounts: [{name: a, mountPath: /config}]}",
        "",
    ),
    ("cache nowhere", "env: {HF_HOME: /data/hf}", "error: env.HF_HOME: nothing is mounted at /data/hf"),
    (
        "pinned model, draft not",
        args(DRAFT, "model: {id: org/name, revision: abc}"),
        "warning: engine.args.speculative-config.model: org/draft is not pinned",
    ),
    ("both pinned", args(DRAFT[:-1] + ", revision: def}", "model: {id: org/name, revision: abc}"), ""),
    (
        "tokenizer not pinned",
        args("tokenizer: org/tokenizer", "model: {id: org/name, revision: abc}"),
        "warning: write engine.args.tokenizer-revision",
    ),
    ("neither pinned", args(DRAFT), ""),
    (
        "a gpt-oss without its vocabulary",
        f"{{model: {{id: openai/gpt-oss-20b}}, hub: {{offline: true}}, {CLAIM}}}",
        "warning: hub.offline: the vocabulary of gpt-oss is in no repository",
    ),
    (
        "a gpt-oss with its vocabulary",
        f"{{model: {{id: openai/gpt-oss-20b}}, hub: {{offline: true}}, {CLAIM}, "
        "env: {TIKTOKEN_ENCODINGS_BASE: /vocabulary}, volumes: [{name: a, configMap: {name: b}}], "
        "volumeMounts: [{name: a, mountPath: /vocabulary}]}",
        "",
    ),
    ("a gpt-oss with a way to it", "model: {id: openai/gpt-oss-20b}", ""),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_is_named_is_there(text: str, expected: str) -> None:
    hold(text, expected)


def test_the_package_reads_every_place() -> None:
    values = values_from_yaml(offline(f"{DRAFT}, tokenizer: org/t, enable-lora: true, lora-modules: [a=org/a], "
                                      "default-mm-loras: {image: org/b}", CLAIM))  # fmt: skip
    [container] = render(values=values).one("Deployment")["spec"]["template"]["spec"]["containers"]
    named = repositories.named(argv.parse(container["args"], "0.33.0"), {"HF_HOME": "/models/hf"})
    assert {found.text: found.is_repository for found in named} == {
        "org/draft": True, "org/t": True, "org/a": True, "org/b": True, "/models/hf": False,
    }  # fmt: skip


def test_every_place_is_an_argument_of_vllms() -> None:
    known = catalogue.load("0.33.0").by_flag
    assert [place.flag for place in repositories.PLACES if place.flag and f"--{place.flag}" not in known] == []
