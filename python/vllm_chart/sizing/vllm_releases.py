"""What differs between releases of vLLM in how memory is budgeted, so that older logs can be held against it."""

import dataclasses
import re

NEWEST = (0, 33, 0)

SECOND_RUNNER_SINCE = {
    "Qwen3ForCausalLM": (0, 22, 0), "LlamaForCausalLM": (0, 23, 0), "MistralForCausalLM": (0, 23, 0),
    "DeepseekV2ForCausalLM": (0, 24, 0), "Qwen2MoeForCausalLM": (0, 24, 0), "GraniteMoeForCausalLM": (0, 24, 0),
}  # fmt: skip
"""Architectures by the release that first ran them on Model Runner V2 (`DEFAULT_V2_MODEL_RUNNER_ARCHITECTURES`,
config/vllm.py:68 of 0.22 to 0.28)."""


@dataclasses.dataclass(frozen=True, order=True)
class Release:
    """A release of vLLM; development builds count as the release that they lead to."""

    number: tuple[int, int, int]

    @classmethod
    def parse(cls, text: str) -> "Release | None":
        """The release in a version or an image tag ("v0.32.0-x86_64", "0.17.1rc1.dev88"), None where there is none."""
        match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
        if not match or match[0].startswith("0.1.dev"):
            return None
        return cls((int(match[1]), int(match[2]), int(match[3] or 0)))

    def __str__(self) -> str:
        return ".".join(str(part) for part in self.number)

    @property
    def utilization(self) -> float:
        """Default of `--gpu-memory-utilization`: 0.92 (config/cache.py:102), before 0.20 it was 0.9."""
        return 0.92 if self.number >= (0, 20, 0) else 0.9

    @property
    def oldest_capability(self) -> float:
        """What vLLM's published image has kernels for: 7.5 since PyTorch 2.7 for CUDA 12.8 left out Volta
        (vllm-project/vllm#18818), with CUDA 13 the toolkit itself (vllm-project/vllm#39878)."""
        return 7.5 if self.number >= (0, 9, 0) else 7.0

    def counts_graphs(self, *, second_runner: bool) -> bool:
        """Whether the CUDA graphs' estimate is taken from the cache's share: "default since v0.21.0"
        (v1/worker/gpu_worker.py:756), but Model Runner V2 made none before 0.29
        (`profile_cudagraph_memory`: "return 0" in v1/worker/gpu/model_runner.py:843 of 0.28)."""
        return self.number >= ((0, 29, 0) if second_runner else (0, 21, 0))

    @property
    def captures_decoding(self) -> bool:
        """Whether whole graphs are captured for decoding beside the pieces (`FULL_AND_PIECEWISE` in
        config/__init__.py:366 of 0.11)."""
        return self.number >= (0, 11, 0)

    @property
    def captures_adapters(self) -> bool:
        """Whether graphs with LoRA adapters are apart from those without (`cudagraph_specialize_lora`,
        v1/cudagraph_dispatcher.py:73 of 0.11.1)."""
        return self.number >= (0, 11, 1)

    def runs_second(self, architecture: str, *, simple: bool, quantized: bool) -> bool:
        """Whether Model Runner V2 runs an architecture by default (`_is_default_v2_model_runner_model`,
        config/vllm.py): a few by name, since 0.25 all that are `simple` (neither hybrid nor a mixture of experts;
        config/vllm.py:557 of 0.25, :691 of 0.28), since 0.29 every one. Before 0.24, none that is quantized."""
        since = SECOND_RUNNER_SINCE.get(architecture, (0, 29, 0))
        if simple:
            since = min(since, (0, 25, 0))
        return self.number >= (max(since, (0, 24, 0)) if quantized else since)

    @property
    def counts_whole_device(self) -> bool:
        """Whether all that is in use on the device counts against vLLM's share, the driver's context and other
        processes too: `total - free` less PyTorch's (v1/worker/gpu_worker.py:202 of 0.8.5), until 0.9.1 took what was
        there before it as given (`MemorySnapshot`, utils/mem_utils.py)."""
        return self.number < (0, 9, 1)

    @property
    def counts_kept_blocks(self) -> bool:
        """Whether a block that PyTorch keeps is counted a second time, on top of the peak that it was part of: since
        0.27.1 all that was consumed on the device counts (`total_consumed`, utils/mem_utils.py:317), and until 0.31 a
        small allocation could keep a large one that was free (v1/worker/gpu_worker.py:616 of 0.31, which prevents
        it)."""
        return (0, 27, 0) <= self.number < (0, 31, 0)

    @property
    def sorts_logits(self) -> bool:
        """Whether the sampler sorts all logits while memory is profiled: V1's top-k and top-p in plain PyTorch, until
        Triton's took its place (vllm-project/vllm#33538 of February 2026; v1/sample/ops/topk_topp_sampler.py:460)."""
        return self.number < (0, 17, 0)

    @property
    def extends_vocabulary(self) -> bool:
        """Whether LoRA adapters may bring tokens of their own (`lora_extra_vocab_size`, config/lora.py of 0.11.2)."""
        return self.number < (0, 12, 0)

    @property
    def adapts_experts(self) -> bool:
        """Whether LoRA's buffers are made for experts too (lora/layers/fused_moe.py, since 0.11.1)."""
        return self.number >= (0, 11, 1)

    @property
    def pads_videos(self) -> bool:
        """Whether Qwen3-VL's videos counted their timestamps' tokens, 12.5 for each: from its first release until 0.13,
        whose models/qwen3_vl.py:710 has it no more (vllm-project/vllm#25903)."""
        return self.number < (0, 13, 0)

    @property
    def brings_triton_kernels(self) -> bool:
        """Whether Triton's MXFP4 kernels are part of vLLM (third_party/triton_kernels)."""
        return self.number >= (0, 11, 1)

    @property
    def benchmarks_kernels(self) -> bool:
        """Whether the compiler tries combined kernels on inputs of their real size, with torch 2.9 and later
        (config/compilation.py:984-1002, `benchmark_combo_kernel`; torch 2.9 came with 0.11.1)."""
        return self.number >= (0, 11, 1)

    @property
    def counts_tokens_by_request(self) -> bool:
        """Whether the logged tokens are concurrency x length (v1/core/kv_cache_utils.py:2300) instead of blocks per
        group x block size: since 0.21.0, where Gemma 4's count rose tenfold (vllm-project/vllm#43308)."""
        return self.number >= (0, 21, 0)

    @property
    def reserves_null_block(self) -> bool:
        """Whether one block is left out when a request of full length is checked (v1/core/kv_cache_utils.py:2608)."""
        return self.number >= (0, 30, 0)

    @property
    def counts_batches_in_flight(self) -> bool:
        """Whether sliding windows reserve for every batch in flight: one per pipeline stage, and one more that is
        scheduled meanwhile (config/vllm.py:577-590, `max_in_flight_tokens`)."""
        return self.number >= (0, 28, 0)

    @property
    def caches_state_prefixes(self) -> bool:
        """Whether prefix caching is on for hybrid models unless it is told otherwise, so that they hold two states a
        request instead of one (model_executor/models/config.py:685): in 0.27 "and not model_config.is_hybrid" still
        kept it off (engine/arg_utils.py:2604), which 0.28 no longer has (:2650)."""
        return self.number >= (0, 28, 0)

    @property
    def can_cache_state_prefixes(self) -> bool:
        """Whether a hybrid model caches prefixes if told to, for which it keeps two states a request
        (`mamba_cache_mode` "align", v1/kv_cache_interface.py:297 of 0.16; 0.14 has no such mode)."""
        return self.number >= (0, 16, 0)

    @property
    def checkpoints_states(self) -> bool:
        """Whether Mamba 2 also keeps a state from inside a prompt for the prefix cache, which makes three a request
        (layers/mamba/mamba_mixer2.py:1107 of 0.32; vllm-project/vllm#57329, opened on 2026-09-17)."""
        return self.number >= (0, 32, 0)


DEFAULT = Release(NEWEST)
"""The chart's own; an image that names no release is taken for it."""
