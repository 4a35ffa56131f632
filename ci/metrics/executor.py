"""Stands where vLLM's GPUs would be: knows no model, and answers every request with the same token.

    python -m ci.metrics.executor serve MODEL … --distributed-executor-backend ci.metrics.executor.NoModel

It runs where a vLLM is importable that has no build for CPUs. All else of that vLLM runs as it is.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import torch
from vllm.v1.executor.abstract import Executor
from vllm.v1.kv_cache_interface import FullAttentionSpec
from vllm.v1.outputs import ModelRunnerOutput
from vllm.v1.worker.worker_base import CompilationTimes

STEP_SECONDS = 0.02
TOKEN = 5
MEMORY = 1 << 28  # bytes
LAYOUT = "LBNHC"  # vllm/v1/kv_cache_interface.py, KVCacheLayout


class NoModel(Executor):  # type: ignore[misc]  # where vLLM is not installed, mypy knows nothing of it
    """An executor without workers: what vLLM asks of them is answered here."""

    def _init_executor(self) -> None:
        self._output: ModelRunnerOutput | None = None

    def collective_rpc(
        self,
        method: str | Callable[..., Any],
        timeout: float | None = None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        non_block: bool = False,
    ) -> Any:
        """What the one worker would answer; nothing to what it need not do."""
        answer = getattr(self, f"_{method}", None) if isinstance(method, str) else None
        answers = [answer(*args, **(kwargs or {})) if answer else None]
        if not non_block:
            return answers
        future: Future[list[Any]] = Future()
        future.set_result(answers)
        return future

    def execute_model(self, scheduler_output: Any, non_block: bool = False) -> Any:
        """The next token of each request whose prompt is read to its end."""
        time.sleep(STEP_SECONDS)
        scheduled = scheduler_output.num_scheduled_tokens
        read = {
            new.req_id: (new.num_computed_tokens, len(new.prompt_token_ids))
            for new in scheduler_output.scheduled_new_reqs
        }
        names = list(scheduled)
        tokens = [[] if name in read and read[name][0] + scheduled[name] < read[name][1] else [TOKEN] for name in names]
        output = ModelRunnerOutput(
            req_ids=names, req_id_to_index={name: index for index, name in enumerate(names)}, sampled_token_ids=tokens
        )
        if not non_block:
            return output
        future: Future[ModelRunnerOutput] = Future()
        future.set_result(output)
        return future

    def check_health(self) -> None:
        """It is always well."""

    def _get_kv_cache_spec(self) -> dict[str, FullAttentionSpec]:
        model = self.model_config
        spec = FullAttentionSpec(
            block_size=self.cache_config.block_size,
            num_kv_heads=model.get_num_kv_heads(self.parallel_config),
            head_size=model.get_head_size(),
            dtype=torch.bfloat16,
        )
        return {"layer": spec}

    def _get_supported_kv_cache_layouts(self) -> list[str]:
        return [LAYOUT]

    def _determine_available_memory(self) -> int:
        return MEMORY

    def _compile_or_warm_up_model(self) -> CompilationTimes:
        return CompilationTimes(0, 0)

    def _get_supported_tasks(self) -> tuple[str, ...]:
        return ("generate",)

    def _add_lora(self, _: object) -> bool:
        return True


if __name__ == "__main__":
    from vllm.entrypoints.cli.main import main

    main()
