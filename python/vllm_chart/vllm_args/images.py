"""What images do with the arguments of a container, and what vLLM can since which release."""

import dataclasses
import re
from typing import Any


@dataclasses.dataclass(frozen=True)
class Image:
    """Images whose repositories match `pattern` do not begin with `vllm serve`.

    entrypoint: what they begin with. outcome: what it does with the chart's arguments. remedy: what to write.
    """

    pattern: str
    entrypoint: str
    source: str
    outcome: str = "the model's id would be run as a program"
    remedy: str = "write command: [vllm, serve]"


#: Images whose entrypoint is no engine, or not vLLM's. Looked up one by one; what is not here is taken to begin with
#: `vllm serve`, or to be the user's own affair.
WITHOUT_AN_ENGINE = (
    Image(
        r"(^|/)rocm/(vllm|vllm-dev|pytorch|pytorch-training|megatron-lm)(-[a-z0-9-]+)?$",
        "/bin/bash",
        "https://rocm.docs.amd.com/en/latest/how-to/rocm-for-ai/inference/benchmark-docker/vllm.html",
    ),
    Image(
        r"^nvcr\.io/nvidia/(vllm|pytorch|tritonserver)$",
        "/opt/nvidia/nvidia_entrypoint.sh, which runs what it is given",
        "https://docs.nvidia.com/deeplearning/frameworks/vllm-release-notes/running.html",
    ),
    Image(
        r"(^|/)vllm/vllm-tpu$",
        "/bin/bash",
        "https://github.com/vllm-project/vllm/blob/v0.10.2/docker/Dockerfile.tpu",
    ),
    Image(
        r"(^|/)ascend/vllm-ascend$",
        "/bin/bash",
        "https://docs.vllm.ai/projects/ascend/en/v0.13.0/quick_start.html",
    ),
    Image(
        r"(^|/)intelanalytics/(ipex-llm-serving-(vllm-)?xpu|multi-arc-serving)$",
        "/bin/bash",
        "https://github.com/intel/ipex-llm/blob/main/docs/mddocs/DockerGuides/vllm_docker_quickstart.md",
    ),
    Image(
        r"^vault\.habana\.ai/gaudi-docker/.*/pytorch-installer-[0-9.]+$",
        "/bin/bash",
        "https://docs.habana.ai/en/latest/Installation_Guide/Additional_Installation/Docker_Installation.html",
    ),
    Image(
        r"^(docker\.io/)?(library/)?(python|ubuntu|debian)$|(^|/)(nvidia/cuda|pytorch/pytorch)$",
        "a shell or Python",
        "https://hub.docker.com/r/nvidia/cuda",
    ),
    Image(
        r"^nvcr\.io/nim/",
        "NIM's own server",
        "https://docs.nvidia.com/nim/large-language-models/latest/reference/architecture.html",
        "it takes none of vLLM's arguments",
        "write engine.passArguments: false, and httpGet: {path: /v1/health/ready, port: http} in the three probes; or "
        "image.repository: nvcr.io/nvidia/vllm and command: [vllm, serve]",
    ),
    Image(
        r"(^|/)kserve/huggingfaceserver$",
        "python3 -m huggingfaceserver",
        "https://github.com/kserve/kserve/blob/master/python/huggingface_server.Dockerfile",
        "it takes none of vLLM's arguments",
    ),
    *(
        Image(pattern, server, source, "it is no vLLM", "write an image of vLLM, or engine.passArguments: false")
        for pattern, server, source in (
            (
                r"(^|/)huggingface/text-generation-inference$",
                "text-generation-launcher",
                "https://github.com/huggingface/text-generation-inference/blob/main/Dockerfile",
            ),
            (
                r"(^|/)huggingface/text-embeddings-inference$",
                "text-embeddings-router",
                "https://github.com/huggingface/text-embeddings-inference/blob/main/Dockerfile",
            ),
            (
                r"(^|/)lmsysorg/sglang(-[a-z]+)?$",
                "NVIDIA's, which runs what it is given",
                "https://docs.sglang.ai/get_started/install.html",
            ),
            (r"(^|/)ollama/ollama$", "ollama", "https://github.com/ollama/ollama/blob/main/Dockerfile"),
            (
                r"(^|/)(ggml-org|ggerganov)/llama\.cpp$",
                "llama-server",
                "https://github.com/ggml-org/llama.cpp/blob/master/docs/docker.md",
            ),
        )
    ),
)

#: Repositories that begin with `python -m vllm.entrypoints.openai.api_server` and take the model by `--model` alone.
#: `vllm serve` of a later tag takes that too (vllm/utils/argparse_utils.py:325-346 of 0.33).
MODEL_BY_FLAG = "|".join(
    (
        # https://github.com/llm-d/llm-d/blob/main/docker/Dockerfile.cuda, Dockerfile.xpu
        r"(^|/)llm-d/llm-d-(cuda|aws|gke|gb200|xpu)(-dev)?$",
        # https://docs.redhat.com/en/documentation/red_hat_ai_inference_server, and Open Data Hub's of the same build
        r"^registry\.redhat\.io/(rhaiis|rhaii)/vllm-",
        r"^quay\.io/(modh|opendatahub)/vllm$",
    )
)

#: Repositories that number their tags themselves, so that the tag of a release of vLLM is none of theirs.
OTHER_TAGS = "|".join(
    (
        r"(^|/)rocm/vllm(-[a-z0-9-]+)?$",  # https://hub.docker.com/r/rocm/vllm/tags
        r"^nvcr\.io/nvidia/",  # by year and month
        r"(^|/)lmcache/vllm-openai$",  # LMCache's own version: https://docs.lmcache.ai/getting_started/installation.html
        r"(^|/)llm-d/llm-d-(cuda|aws|xpu|cpu|gb200|hpu)$",  # https://github.com/llm-d/llm-d/releases
        r"^registry\.redhat\.io/(rhaiis|rhaii|rhoai)/",  # https://catalog.redhat.com/search?searchType=containers
        r"^public\.ecr\.aws/(neuron|deep-learning-containers)/",  # https://github.com/aws-neuron/deep-learning-containers
        r"^ghcr\.io/huggingface/",
        r"(^|/)intel/(vllm|llm-scaler-vllm)$",
    )
)

#: Repositories whose tags count their own releases, and say nothing of the vLLM in them unless they name it
#: (rocm7.0.0_vllm_0.10.2_20251006). What is known to be of some release only is not rendered for the others.
OWN_NUMBERS = "|".join(
    (
        r"(^|/)rocm/vllm(-[a-z0-9-]+)?$",  # https://hub.docker.com/r/rocm/vllm/tags
        r"^nvcr\.io/nvidia/",  # 25.09 has 0.10.1: https://docs.nvidia.com/deeplearning/frameworks/vllm-release-notes/
        r"(^|/)lmcache/vllm-openai$",  # v0.5.4 has 0.27.1: https://docs.lmcache.ai/getting_started/installation.html
        r"(^|/)llm-d/llm-d-[a-z0-9-]+$",  # https://github.com/llm-d/llm-d/releases
        # 3.2.5 has 0.11.2: https://huggingface.co/RedHatAI/Apertus-8B-Instruct-2509-FP8-dynamic
        r"^registry\.redhat\.io/(rhaiis|rhaii|rhoai)/",
        r"^quay\.io/(modh|opendatahub)/vllm$",
        r"(^|/)kserve/huggingfaceserver$",  # https://github.com/kserve/kserve/releases
        r"(^|/)intel/llm-scaler-vllm$",  # https://github.com/intel/llm-scaler/releases
    )
)

#: Tags of vLLM's own images that name a model, and the release that was made for it:
#: https://docs.vllm.ai/projects/recipes/en/latest/OpenAI/GPT-OSS.html (0.10.1+gptoss).
NAMED_TAGS = {"gptoss": "0.10.1"}

#: The first release in which each is found, in the source distributions of vLLM on PyPI.
SINCE = {
    # docker/Dockerfile: ENTRYPOINT ["vllm", "serve"]; before, python3 -m vllm.entrypoints.openai.api_server, which
    # does not take the model by its place.
    "entrypoint": "0.11.1",
    # vllm/config/vllm.py
    "shutdown-timeout": "0.18.0",
    # vllm/entrypoints/openai/cli_args.py, later entrypoints/common/cli_args.py
    # The same file; vllm-project/vllm#30011.
    "disable-access-log-for-endpoints": "0.16.0",
    "max-num-queued-reqs": "0.29.0",
    "sse-keep-alive-interval": "0.29.0",
}

#: The release without a loader for GGUF: https://docs.vllm.ai/en/v0.24.0/features/quantization/gguf/
WITHOUT_GGUF = "0.24.0"


def without_an_engine(repository: str) -> Image | None:
    """The image of a repository whose entrypoint is no `vllm serve`, or None."""
    return next((image for image in WITHOUT_AN_ENGINE if re.search(image.pattern, repository)), None)


def named_version(repository: str, tag: str) -> str | None:
    """The release of vLLM that a tag names ("0.10.2"), also one that a vendor's tag has in it; None where it names
    none, or a release of somebody else's. As the chart's `vllm.namedVersion`."""
    found = re.search(r"vllm[-_]?v?(\d+\.\d+\.\d+)", tag)
    if not found and not re.search(OWN_NUMBERS, repository):
        found = re.match(r"v?(\d+\.\d+\.\d+|0\.[1-9]\d*)", tag)
    return found[1] if found else NAMED_TAGS.get(tag)


def facts() -> dict[str, Any]:
    """The same for the chart's templates."""
    images = [dataclasses.asdict(image) for image in WITHOUT_AN_ENGINE]
    return {
        "withoutAnEngine": images,
        "modelByFlag": MODEL_BY_FLAG,
        "otherTags": OTHER_TAGS,
        "ownNumbers": OWN_NUMBERS,
        "namedTags": NAMED_TAGS,
        "since": SINCE,
        "withoutGguf": WITHOUT_GGUF,
    }
