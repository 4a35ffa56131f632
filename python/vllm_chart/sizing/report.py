"""Hold the plan against real start-up logs of vLLM: `python -m vllm_chart.sizing.report LOGS.json`.

Before any comparison, `missing` says which inputs a case would need: a case that lacks one is not predicted. Where the
version isn't in the log, it is the newest release of the day; where an argument isn't, vLLM's default holds.
"""

import argparse
import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vllm_chart.sizing import architecture, plan, sources
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.engine import Engine
from vllm_chart.sizing.gpus import Gpu, UnknownGpuError, find, of_memory
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.releases import Release
from vllm_chart.sizing.weights import Split

TOLERANCE = 0.1
"""How far available memory and tokens may be off."""

RELEASED = {
    "2025-01-27": (0, 7, 0), "2025-03-18": (0, 8, 0), "2025-05-28": (0, 9, 0), "2025-07-25": (0, 10, 0),
    "2025-10-04": (0, 11, 0), "2025-12-03": (0, 12, 0), "2025-12-19": (0, 13, 0), "2026-01-20": (0, 14, 0),
    "2026-01-29": (0, 15, 0), "2026-02-26": (0, 16, 0), "2026-03-07": (0, 17, 0), "2026-03-20": (0, 18, 0),
    "2026-04-03": (0, 19, 0), "2026-04-27": (0, 20, 0), "2026-05-15": (0, 21, 0), "2026-05-29": (0, 22, 0),
    "2026-06-15": (0, 23, 0), "2026-06-30": (0, 24, 0), "2026-07-11": (0, 25, 0), "2026-07-25": (0, 26, 0),
    "2026-08-10": (0, 27, 0), "2026-08-26": (0, 28, 0), "2026-09-09": (0, 29, 0), "2026-09-22": (0, 30, 0),
    "2026-10-05": (0, 31, 0), "2026-10-18": (0, 32, 0), "2026-11-02": (0, 33, 0),
}  # fmt: skip
"""Days of vLLM's minor releases on PyPI."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One start-up log: its facts as collected (`raw`), and the plan for it where the inputs suffice."""

    raw: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its name in the collection."""
        return str(self.raw["id"])

    def logged(self, key: str) -> float | None:
        """A number that the log shows."""
        return (self.raw.get("parsed") or {}).get(key)

    def flag(self, key: str) -> Any:
        """An argument that the log shows."""
        return (self.raw.get("flags") or {}).get(key)

    @property
    def release(self) -> Release | None:
        """The release of the log, or of its day."""
        version = str(self.raw.get("vllm_version") or "")
        found = Release.parse(version) if re.match(r"v?0\.\d+", version) else None
        if found:
            return found
        day = str(self.raw.get("date") or "")[:10]
        before = [number for released, number in RELEASED.items() if len(day) >= 7 and released <= f"{day}-01"[:10]]
        return Release(before[-1]) if before else None

    @property
    def source(self) -> sources.Source | None:
        """The model's config, where it is among the known ones."""
        name = re.sub(r" \(.*(not given|says).*", "", str(self.raw.get("model") or ""))
        known = sources.shipped()
        return known.get(name) or next((known[k] for k in sorted(known) if k.rpartition("/")[2] == name), None)

    @property
    def gpu(self) -> Gpu | None:
        """The GPU: its memory as logged, else as the table has it."""
        named = re.sub(r"[ (]*\(.*", "", str(self.raw.get("gpu_model") or ""))
        memory = self.raw.get("gpu_memory_gib")
        stated = re.match(r"(\d+) ?Gi?B", str(self.raw.get("gpu_memory_stated") or ""))
        for name in (f"{named} {stated[1]}GB" if stated else "", named):
            try:
                gpu = find(name)
            except UnknownGpuError:
                continue
            # nvidia-smi counts what CUDA doesn't; the table has CUDA's figure.
            if memory and "nvidia-smi" not in str(self.raw.get("gpu_memory_stated")):
                return dataclasses.replace(gpu, memory=round(memory * GIB))
            return gpu
        return of_memory(round(memory * GIB)) if memory else None

    @property
    def engine(self) -> Engine:
        """The engine's arguments."""
        other = str(self.flag("other") or "")
        context = re.search(r"decode-context-parallel-size (\d+)", other)
        return Engine(
            model=str(self.raw.get("model") or ""),
            release=self.release or Release((0, 11, 0)),
            split=Split(
                self.raw.get("tensor_parallel") or 1,
                self.raw.get("pipeline_parallel") or 1,
                self.raw.get("data_parallel") or 1,
                bool(self.flag("enable_expert_parallel")),
            ),
            context=int(context[1]) if context else 1,
            dtype={"half": "float16"}.get(str(self.raw.get("dtype")), self.raw.get("dtype") or "auto"),
            kv_dtype=self.raw.get("kv_cache_dtype") or "auto",
            block_size=self.flag("block_size"),
            max_length=self.flag("max_model_len"),
            requests=self.flag("max_num_seqs"),
            batch_tokens=self.flag("max_num_batched_tokens"),
            utilization=self.flag("gpu_memory_utilization"),
            eager=bool(self.flag("enforce_eager")),
            offload=self.flag("cpu_offload_gb") or 0.0,
            prefix_caching=self.flag("enable_prefix_caching"),
            speculative={"method": "eagle"} if "EAGLE" in other else {},
            encoder_tokens=self.raw.get("encoder_tokens"),
        )

    def missing(self) -> list[str]:
        """The inputs of the memory prediction that the log lacks; none: it is complete."""
        source, gpus = self.source, str(self.raw.get("gpu_model") or "")
        other = str(self.flag("other") or "")
        config = source.config.get("quantization_config", {}) if source else {}
        guessed = source is not None and source.confidence == "derived" and not config.get("config_groups")
        lacks = {
            "the model": source is None,
            "the GPU": self.gpu is None,
            "GPUs of one kind": " + " in gpus,
            "memory of its own (the host shares it)": "unified" in gpus or "Spark" in gpus,
            "a single node": (self.raw.get("num_gpus") or 1) > 8,
            "vLLM's release": self.release is None,
            "the checkpoint's quantization": guessed and config.get("quant_method", "awq") not in ("awq", "fp8"),
            "LoRA's or a draft's sizes": "LoRA" in other or "speculative" in other or "EAGLE" in other,
            "the GPU's other users": bool(re.search("other processes", str(self.raw.get("note")))),
            **dict.fromkeys(self.raw.get("unknown") or (), True),
        }  # fmt: skip
        return [name for name, lacking in lacks.items() if lacking]

    def plan(self) -> Plan | None:
        """The plan for this case, whether or not its memory can be predicted; None without model."""
        if self.source is None:
            return None
        model = architecture.read(self.source.config)
        return plan.make(self.engine, model, self.source, self.gpu or of_memory(0))


@dataclasses.dataclass(frozen=True)
class Row:
    """What was predicted and what was logged for one case; a ratio is predicted over logged."""

    id: str
    release: str
    missing: tuple[str, ...]
    exact: bool | None
    """Whether bytes per token are the log's own: given the logged memory, the tokens come out within its rounding."""
    weights: float | None
    available: float | None
    tokens: float | None
    started: bool | None
    """Whether the plan expects it to start; None where it can't say."""
    outcome: str
    borderline: bool = False
    """Whether the plan's own spread includes both outcomes."""

    @property
    def complete(self) -> bool:
        """Whether all required inputs are there."""
        return not self.missing

    @property
    def right(self) -> bool | None:
        """Whether started or refused was predicted rightly."""
        return None if self.started is None else self.started == (self.outcome == "started")


def row(case: Case) -> Row:
    """Predict one case and compare."""
    made = case.plan()
    missing = tuple(case.missing())
    outcome = str(case.raw["outcome"])
    release = (
        f"{case.release}{'' if re.match(r'0[.]', str(case.raw.get('vllm_version'))) else ' (by date)'}"
        if case.release
        else "?"
    )
    if made is None:
        return Row(case.id, release, missing, None, None, None, None, None, outcome)
    logged_weights = case.logged("weights_gib_per_gpu")
    ratio = max(stage.weights for stage in made.stages) / GIB / logged_weights if logged_weights else None
    if missing:
        return Row(case.id, release, missing, exact(case, made), ratio, None, None, None, outcome)
    available, tokens = case.logged("available_kv_gib_per_gpu"), case.logged("kv_cache_tokens")
    verdicts = {_starts(made, "worst"), _starts(made, "best")}
    return Row(
        case.id, release, missing, exact(case, made), ratio,
        made.available / GIB / available if available and available > 0 else None,
        made.tokens / tokens if tokens else None,
        _starts(made, "expected"), outcome, len(verdicts) == 2,
    )  # fmt: skip


def _starts(made: Plan, scenario: plan.Scenario) -> bool:
    stage = made.stage
    return not any(f.check == "weights" for f in made.findings) and stage.cache.fits(
        stage.available(scenario), made.length
    )


def exact(case: Case, made: Plan) -> bool | None:
    """Whether the cache's layout is the log's: its tokens from the logged memory, else the memory it says it needs."""
    cache, length = made.stage.cache, made.length
    available, tokens = case.logged("available_kv_gib_per_gpu"), case.logged("kv_cache_tokens")
    if available and tokens and available > 0:
        low, high = (round((available + side * 0.005) * GIB) for side in (-1, 1))
        return cache.tokens(low, length) <= tokens <= cache.tokens(high, length)
    needed, at = case.logged("kv_needed_gib"), case.logged("kv_needed_for_tokens")
    if needed and at:
        return abs(cache.request_bytes(int(at)) / GIB - needed) <= 0.006
    return None


def report(cases: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Compare every case."""
    return [row(Case(raw)) for raw in cases]


def summary(rows: Sequence[Row]) -> dict[str, tuple[int, int]]:
    """How many of how many hold, by measure."""

    def count(test: Callable[[Row], bool | None], of: Iterable[Row]) -> tuple[int, int]:
        results = [result for each in of if (result := test(each)) is not None]
        return sum(results), len(results)

    complete = [each for each in rows if each.complete]
    memory = [each for each in complete if each.available is not None or each.tokens is not None]
    return {
        "bytes per token exact": count(lambda each: each.exact, rows),
        "available memory within a tenth": count(lambda each: _near(each.available), memory),
        "tokens within a tenth": count(lambda each: _near(each.tokens), memory),
        "started or refused, right": count(lambda each: each.right, complete),
        "started or refused, right or within the spread": count(
            lambda each: each.right is None or each.right or each.borderline, complete
        ),
        "inputs complete": (len(complete), len(rows)),
    }


def _near(ratio: float | None) -> bool | None:
    return None if ratio is None else abs(ratio - 1) <= TOLERANCE


def table(rows: Sequence[Row]) -> str:
    """The comparison as Markdown."""

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    lines = [
        "| case | vLLM | bytes per token | weights | KV memory | KV tokens | outcome | predicted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in rows:
        exactness = "" if each.exact is None else "exact" if each.exact else "differs"
        verdict = {None: "", True: "starts", False: "refused"}[each.started] + (
            " (borderline)" if each.borderline else ""
        )
        if each.missing:
            verdict = f"not predicted, lacks {', '.join(each.missing)}"
        cells = [
            each.id,
            each.release,
            exactness,
            number(each.weights),
            number(each.available),
            number(each.tokens),
            each.outcome,
            verdict,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(f"- {name}: {hits} of {total}" for name, (hits, total) in summary(rows).items())]
    return "\n".join(lines)


def main() -> None:
    """Print the comparison with a file of logs, or write it into a document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path)
    parser.add_argument(
        "--write", type=Path, metavar="DOCUMENT", help="between its markers <!-- logs --> and <!-- /logs -->"
    )
    arguments = parser.parse_args()
    text = table(report(json.loads(arguments.logs.read_text())))
    if arguments.write:
        document = arguments.write.read_text()
        marked = re.sub(
            r"(<!-- logs -->\n).*?(\n<!-- /logs -->)", lambda m: m[1] + text + m[2], document, flags=re.DOTALL
        )
        arguments.write.write_text(marked)
    else:
        print(text)


if __name__ == "__main__":
    main()
