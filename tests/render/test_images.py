"""Images that are not vLLM's newest own: what they are told, what they would do with it, and which tags they have."""

import shutil
from pathlib import Path

import pytest
from helm_python import values_from_yaml

from tests.render.verdicts import Row, hold
from tests.render.view import View
from vllm_chart.helm import default_chart, render
from vllm_chart.vllm_args.images import named_version

AMD = "gpu: {count: 1, resourceName: amd.com/gpu}"
SERVE = "command: [vllm, serve]"
MODULE = "command: [python, -m, vllm.entrypoints.openai.api_server]"


def image(repository: str, tag: str, more: str = "") -> str:
    return f"{{image: {{repository: {repository}, tag: {tag}}}{', ' if more else ''}{more}}}"


ROWS: list[Row] = [
    # An old vLLM is drained by the hook alone.
    ("the last for a V100", "image: {tag: v0.8.5}", ""),
    ("another old one", image("vllm/vllm-openai", "v0.9.2"), ""),
    ("an old copy", image("registry.example.com/mirror/vllm/vllm-openai", "v0.8.4"), ""),
    (
        "a queue's limit before there was one",
        "{image: {tag: v0.20.0}, traffic: {maxRequests: 64}}",
        "error: traffic.maxRequests: vLLM has --max-num-queued-reqs since 0.29.0, and image.tag names 0.20.0",
    ),
    (
        "comments on streams before there were",
        image("vllm/vllm-openai", "v0.28.0", "traffic: {streamKeepAliveSeconds: 30}"),
        "error: traffic.streamKeepAliveSeconds: vLLM has --sse-keep-alive-interval since 0.29.0",
    ),
    ("a queue's limit", "{image: {tag: v0.29.0}, traffic: {maxRequests: 64}}", ""),
    (
        "a queue's limit, by a fork's numbers",
        image("ghcr.io/llm-d/llm-d-cuda", "v0.4.0", "traffic: {maxRequests: 9}"),
        "",
    ),
    ("what was a flag then", "{image: {tag: v0.8.5}, engine: {args: {swap-space: 4, num-scheduler-steps: 8}}}", ""),
    # Images whose entrypoint is no engine.
    (
        "ROCm",
        image("rocm/vllm", "rocm7.0.0_vllm_0.10.2_20251006", AMD),
        "error: command: the entrypoint of rocm/vllm is /bin/bash, and the model's id would be run as a program",
    ),
    ("ROCm, development", image("docker.io/rocm/vllm-dev", "nightly_main_20251128", AMD), "error: [vllm, serve]"),
    ("NVIDIA's", image("nvcr.io/nvidia/vllm", "26.05-py3"), "error: command: the entrypoint of nvcr.io/nvidia/vllm"),
    ("TPU", image("vllm/vllm-tpu", "v0.20.0", "gpu: {count: 4, resourceName: google.com/tpu}"), "error: command:"),
    ("Ascend", image("quay.io/ascend/vllm-ascend", "v0.13.0"), "error: command: the entrypoint of quay.io/ascend"),
    ("Ascend, from a mirror", image("m.daocloud.io/quay.io/ascend/vllm-ascend", "v0.13.0"), "error: command:"),
    ("ROCm with a command", image("rocm/vllm", "rocm7.0.0_vllm_0.10.2_20251006", f"{AMD}, {SERVE}"), ""),
    ("NVIDIA's with a command", image("nvcr.io/nvidia/vllm", "26.05-py3", SERVE), ""),
    ("ROCm, vLLM's own", image("vllm/vllm-openai-rocm", "v0.33.0", AMD), ""),
    ("Intel's, vLLM's own", image("vllm/vllm-openai-xpu", "v0.33.0", "gpu: {resourceName: gpu.intel.com/xe}"), ""),
    ("LMCache's", image("lmcache/vllm-openai", "v0.3.9"), ""),
    ("llm-d's", image("ghcr.io/llm-d/llm-d-cuda", "v0.4.0"), ""),
    ("KServe's", image("kserve/huggingfaceserver", "v0.15.0-gpu"), "error: is python3 -m huggingfaceserver"),
    ("KServe's with a command", image("kserve/huggingfaceserver", "v0.15.0-gpu", SERVE), ""),
    (
        "NIM",
        image("nvcr.io/nim/meta/llama-3.1-8b-instruct", "1.8.4"),
        "error: write engine.passArguments: false, and httpGet: {path: /v1/health/ready, port: http}",
    ),
    ("NIM as it is", image("nvcr.io/nim/meta/llama3-8b-instruct", "1.8.4", "engine: {passArguments: false}"), ""),
    (
        "another server",
        image("lmsysorg/sglang", "v0.5.3"),
        "error: it is no vLLM [rule]\n    -> write an image of vLLM",
    ),
    ("an embedding server", image("ghcr.io/huggingface/text-embeddings-inference", "1.8"), "error: it is no vLLM"),
    ("another server, on purpose", image("lmsysorg/sglang", "v0.5.3", "engine: {passArguments: false}"), ""),
    ("the company's", image("registry.example.com/llm/vllm", "v0.33.0-2"), ""),
    ("the company's, by digest", f"image: {{repository: team/vllm, digest: 'sha256:{'0' * 64}'}}", ""),
    # Tags.
    ("latest", "image: {tag: latest}", "error: write a version, or leave it empty for 0.33.0"),
    (
        "latest of another's",
        image("docker.io/rocm/vllm", "latest", f"{AMD}, {SERVE}"),
        "error: image.tag: latest is another image tomorrow [rule]\n    -> write a version, or image.digest",
    ),
    ("latest of LMCache's", image("lmcache/vllm-openai", "latest"), "error: write a version, or image.digest"),
    ("latest of a copy", image("mirror.io/vllm/vllm-openai", "latest"), "error: or leave it empty for 0.33.0"),
    ("the chart's tag for another's", f"{{image: {{repository: rocm/vllm}}, {SERVE}}}", "error: has tags of its own"),
    ("the chart's tag for LMCache's", "image: {repository: lmcache/vllm-openai}", "error: has tags of its own"),
    ("the chart's tag for a copy", "image: {repository: registry.example.com/vllm/vllm-openai}", ""),
    # GGUF.
    ("a GGUF file", "model: {id: unsloth/Qwen3-8B-GGUF:Q4_K_M}", "error: vLLM has had no loader since 0.24.0"),
    ("a GGUF repository", "model: {id: unsloth/Qwen3-0.6B-GGUF}", "error: pip install vllm-gguf-plugin"),
    ("GGUF by a flag", "engine: {args: {quantization: gguf}}", "error: engine.args.quantization: gguf asks for GGUF"),
    ("GGUF by another", "engine: {args: {load-format: gguf}}", "error: engine.args.load-format: gguf asks for GGUF"),
    ("GGUF in an old vLLM", "{model: {id: unsloth/Qwen3-0.6B-GGUF}, image: {tag: v0.23.0}}", ""),
    (
        "GGUF with the plugin",
        "{model: {id: unsloth/Qwen3-0.6B-GGUF}, image: {repository: example.com/vllm-with-gguf, tag: v0.33.0}}",
        "",
    ),
    (
        "GGUF with the plugin installed at the start",
        "{model: {id: 'unsloth/Qwen3-0.6B-GGUF:Q4_K_M'}, "
        """command: [sh, -c, 'pip install vllm-gguf-plugin && exec vllm serve "$0" "$@"']}""",
        "",
    ),
    ("a name that only sounds so", "model: {id: org/gguf-tools-8b}", ""),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_an_image(text: str, expected: str) -> None:
    hold(text, expected)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("image: {tag: v0.8.5}", "--model=org/name"),
        ("image: {tag: v0.11.0}", "--model=org/name"),
        ("image: {tag: v0.11.1}", "org/name"),
        ("{image: {tag: v0.8.5}, command: [vllm, serve]}", "org/name"),
        (image("registry.example.com/vllm/vllm-openai", "v0.9.2"), "--model=org/name"),
        (image("lmcache/vllm-openai", "v0.3.9"), "org/name"),
        (image("rocm/vllm", "rocm7.0.0_vllm_0.10.2_20251006", SERVE), "org/name"),
        ("image: {tag: nightly}", "org/name"),
        ("image: {tag: gptoss}", "--model=org/name"),
        (image("ghcr.io/llm-d/llm-d-cuda", "v0.4.0"), "--model=org/name"),
        (image("ghcr.io/llm-d/llm-d-cuda", "v0.4.0", SERVE), "org/name"),
        (image("registry.redhat.io/rhaiis/vllm-cuda-rhel9", "3.2.1"), "--model=org/name"),
        ("command: [python3, -m, vllm.entrypoints.openai.api_server]", "--model=org/name"),
        (
            image("vllm/vllm-tpu", "nightly", "command: [python, -m, vllm.entrypoints.openai.api_server]"),
            "--model=org/name",
        ),
        ("""command: [sh, -c, 'exec python3 -m vllm.entrypoints.openai.api_server "$0" "$@"']""", "--model=org/name"),
        ("""command: [sh, -c, 'exec python3 -m vllm.entrypoints.openai.api_server --model "$0" "$@"']""", "org/name"),
        ("{}", "org/name"),
    ],
)
def test_the_module_and_entrypoints_of_old_take_the_model_by_a_flag(text: str, model: str) -> None:
    assert View(render(values={"model": {"id": "org/name"}} | values_from_yaml(text))).args[0] == model


@pytest.mark.parametrize(
    ("tag", "knows"),
    [
        ("v0.8.5", False),
        ("v0.17.1", False),
        ("v0.18.0", True),
        ("v0.33.0", True),
        ("", True),
        ("nightly-a5bbd81e2e872eba255da9b9f8b86063c0d0cef0", True),
        ("0.13.0-neuronx-py312-sdk2.28.0-ubuntu24.04", False),
        ("rocm7.0.0_vllm_0.10.2_20251006", False),
        ("26.05-py3", True),
    ],
)
def test_no_image_gets_a_flag_that_it_lacks(tag: str, knows: bool) -> None:
    view = View(render(values={"model": {"id": "a/b"}, "image": {"tag": tag, "repository": "registry.example.com/v"}}))
    assert any(word.startswith("--shutdown-timeout") for word in view.args) == knows
    assert ("the preStop hook alone does" in view.manifests.notes) != knows


@pytest.mark.parametrize(
    ("repository", "tag", "knows", "said"),
    [
        ("ghcr.io/llm-d/llm-d-cuda", "v0.4.0", False, "Which vLLM this image has is not known"),
        ("nvcr.io/nvidia/vllm", "25.09-py3", False, "Which vLLM this image has is not known"),
        ("registry.redhat.io/rhaiis/vllm-cuda-rhel9", "3.2.1", False, "Which vLLM this image has is not known"),
        ("lmcache/vllm-openai", "v0.5.4", False, "Which vLLM this image has is not known"),
        ("rocm/vllm-dev", "nightly_main_20250911", False, "Which vLLM this image has is not known"),
        ("rocm/vllm", "rocm7.0.0_vllm_0.10.2_20251006", False, "vLLM 0.10.2 (image.tag) does not wait"),
        (
            "public.ecr.aws/deep-learning-containers/vllm",
            "0.11-gpu-py312",
            False,
            "vLLM 0.11 (image.tag) does not wait",
        ),
        ("rocm/vllm", "rocm7.2_vllm_0.20.0_20260601", True, ""),
        ("registry.example.com/llm/vllm", "2026-05", True, ""),
    ],
)
def test_an_image_that_counts_itself_gets_no_flag_of_a_release(
    repository: str, tag: str, knows: bool, said: str
) -> None:
    values = {"model": {"id": "a/b"}, "image": {"repository": repository, "tag": tag}, "command": ["vllm", "serve"]}
    view = View(render(values=values))
    assert any(word.startswith("--shutdown-timeout") for word in view.args) == knows
    assert said in view.manifests.notes
    assert ("the preStop hook alone does" in view.manifests.notes) != knows


TAGS = [
    ("vllm/vllm-openai", "v0.33.0", "0.33.0"),
    ("vllm/vllm-openai", "v0.8.5.post1", "0.8.5"),
    ("vllm/vllm-openai", "latest-x86_64", None),
    ("vllm/vllm-openai", "gptoss", "0.10.1"),
    ("rocm/vllm", "rocm6.4.1_vllm_0.9.1_20250715", "0.9.1"),
    ("rocm/vllm-dev", "nightly_0610", None),
    ("nvcr.io/nvidia/vllm", "25.09-py3", None),
    ("lmcache/vllm-openai", "v0.5.4", None),
    ("ghcr.io/llm-d/llm-d-cuda", "v0.4.0", None),
    ("763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm", "0.11-gpu-py312", "0.11"),
    ("registry.example.com/team/engine", "prod-7", None),
    ("registry.example.com/team/engine", "cuda12-vllm-v0.31.2-r3", "0.31.2"),
]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart, with nothing to render but the release that it reads in the tag."""
    chart: Path = shutil.copytree(default_chart(), tmp_path_factory.mktemp("said") / "vllm")
    for template in chart.glob("templates/**/*.yaml"):
        template.unlink()
    data = '{it: "{{ include "vllm.namedVersion" . }}"}'
    config_map = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: said}}, data: {data}}}"
    (chart / "templates" / "said.yaml").write_text(config_map, encoding="utf-8")
    return chart


@pytest.mark.parametrize(("repository", "tag", "version"), TAGS, ids=[tag for _, tag, _ in TAGS])
def test_chart_and_package_read_the_same_release_in_a_tag(
    said: Path, repository: str, tag: str, version: str | None
) -> None:
    values = {"model": {"id": "a/b"}, "image": {"repository": repository, "tag": tag}}
    [rendered] = render(chart=said, values=values)

    assert rendered["data"]["it"] == (version or "")
    assert named_version(repository, tag) == version
