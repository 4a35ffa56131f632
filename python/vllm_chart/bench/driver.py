"""The program of a bench's pod: `vllm bench serve` once for each step of a plan, and what came of it.

It has nothing but the standard library, because its source travels in the pod's command line, and runs in whatever
image the engine has. Each line that it prints is a JSON document:

    {"began": {"concurrency": 8}}           a step begins
    {"progress": "57/200"}                  requests of it that have ended
    {"step": {…, "missed": [], "result": …}}  what the tool wrote, and the objectives that were missed
    {"done": true}                          all steps were run
    {"error": "…"}                          none could be, or no more

Options and fields are those of vllm/benchmarks/serve.py of vLLM 0.32 and 0.33.
"""

import codecs
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]
Say = Callable[[Json], None]

#: Fewer would leave nothing to read a percentile from.
LEAST_REQUESTS = 20
#: Each client is to ask so often at least: the first of its requests comes with those of all others.
LEAST_ROUNDS = 3
#: Between a concurrency that keeps the objectives and one that does not: nearer together than so, the search ends.
CLOSE_ENOUGH = 1.15
WARM_UP = {"concurrency": 2}
WARM_UP_REQUESTS = 4
PROGRESS_SECONDS = 5.0
PERCENTILES = (50.0, 95.0, 99.0)


# -- which steps --------------------------------------------------------------------------------------------


def search(most: int) -> Generator[int, bool, None]:
    """Concurrencies to try, one after the other: doubled until the objectives are missed, then halved between.

    A generator that is sent whether the one before kept the objectives. most: the largest that is tried.
    """
    good, bad, now = 0, 0, 1
    while True:
        kept = yield now
        if kept:
            good = now
        else:
            bad = now
        if good >= most or bad == 1 or (bad and bad <= max(good * CLOSE_ENOUGH, good + 1)):
            return
        now = min(2 * good, most) if not bad else (good + bad) // 2


def missed(result: Json, slo: Json) -> list[str]:
    """The objectives that a result does not keep: of "errors", "ttft" and "itl".

    A share of 95 % is within a limit exactly if the 95th percentile is. Without an answer all are missed.
    slo: {"errors": share, "ttft": [seconds, share], "itl": [seconds, share]}.
    """
    asked = result["completed"] + result["failed"]
    if not result["completed"]:
        return ["errors", "ttft", "itl"]
    late = [name for name in ("ttft", "itl") if result[percentile(name, slo[name][1])] > slo[name][0] * 1000]
    failing = result["completed"] / asked < slo["errors"]
    return [*(["errors"] if failing else []), *late]


def percentile(name: str, share: float) -> str:
    """What the tool calls a percentile: p95_ttft_ms, p99.5_itl_ms (serve.py:1430 of 0.33)."""
    return f"p{_number(share * 100)}_{name}_ms"


def _number(percent: float) -> str:
    percent = round(percent, 6)
    return str(int(percent)) if int(percent) == percent else str(percent)


def requests_for(step: Json, plan: Json, answer_seconds: float) -> int:
    """How many requests a step has, so that it takes about as long as it is to.

    answer_seconds: how long an answer took in the step before.
    """
    if plan["requests"]:
        return int(plan["requests"])
    if "rate" in step:
        return max(LEAST_REQUESTS, int(step["rate"] * plan["step_seconds"]))
    rounds = max(LEAST_ROUNDS, plan["step_seconds"] / max(answer_seconds, 0.001))
    return max(LEAST_REQUESTS, int(step["concurrency"] * rounds))


# -- the tool -----------------------------------------------------------------------------------------------


def command(step: Json, plan: Json, *, requests: int, answer_seconds: float, seed: int, folder: str) -> list[str]:
    """The call of the tool for a step.

    seed: another for each step: the same prompts would be found in the prefix cache. With a concurrency the clients
    begin within half an answer's time, not all at once: a burst at the start would be most of what is measured.
    """
    slo = plan["slo"]
    percentiles = sorted({*PERCENTILES, *(round(slo[name][1] * 100, 6) for name in ("ttft", "itl"))})
    options: dict[str, object] = {
        "backend": "openai",
        "base-url": plan["url"],
        "endpoint": "/v1/completions",
        "model": plan["model"],
        "tokenizer": plan["tokenizer"],
        "dataset-name": "random",
        "random-input-len": plan["input_tokens"],
        "random-output-len": plan["output_tokens"],
        "random-range-ratio": plan["spread"],
        "num-prompts": requests,
        "seed": seed,
        "percentile-metrics": "ttft,tpot,itl,e2el",
        "metric-percentiles": ",".join(map(_number, percentiles)),
        "result-dir": folder,
        "result-filename": "result.json",
    }
    if "rate" in step:
        options["request-rate"] = step["rate"]
    else:
        options["max-concurrency"] = step["concurrency"]
        if answer_seconds:
            options["request-rate"] = round(2 * step["concurrency"] / answer_seconds, 3)
    words = ["vllm", "bench", "serve", *(f"--{name}={value}" for name, value in options.items())]
    words += ["--save-result", *plan["flags"]]
    # The tool knows no objective of single tokens: it takes a request's mean time per token.
    return [*words, "--goodput", f"ttft:{slo['ttft'][0] * 1000:g}", f"tpot:{slo['itl'][0] * 1000:g}"]


class ToolError(Exception):
    """The tool did not do what it was to; the text is what it said last."""


def run(words: Sequence[str], say: Say) -> Json:
    """Run the tool, tell of its progress, and give what it wrote. Raises ToolError."""
    folder = next(word.partition("=")[2] for word in words if word.startswith("--result-dir="))
    file = Path(folder) / "result.json"
    file.unlink(missing_ok=True)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        said = _follow(process.stdout.fileno(), say)
    if process.returncode or not file.exists():
        raise ToolError(f"`vllm bench serve` ended with {process.returncode}: {_reason(said)}")
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if not result["completed"]:
        raise ToolError(f"no request was answered: {_reason(said, 'Error 0:')}")
    return result


def _follow(pipe: int, say: Say) -> str:
    """The last of what is written into a pipe, until it ends."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text, told = "", time.monotonic()
    while chunk := os.read(pipe, 65536):
        text = (text + decoder.decode(chunk))[-20000:]
        if time.monotonic() >= told + PROGRESS_SECONDS:
            told = time.monotonic()
            # The bar of tqdm: " 28%|██▊       | 57/200 [00:21<…".
            if bars := re.findall(r"\| *(\d+/\d+) \[", text):
                say({"progress": bars[-1]})
    return text


def _reason(said: str, beginning: str = "") -> str:
    """The line that begins so, else the last one that says something."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", said) if line.strip()]
    named = [line for line in lines if beginning and line.startswith(beginning)]
    return (named or lines or ["it said nothing"])[-1][:500]


# -- all of it ----------------------------------------------------------------------------------------------


def main(plan: Json, say: Say) -> None:
    """Run all steps of a plan."""
    if not shutil.which("vllm"):
        say({"error": "the image has no command vllm: name one that has with --image"})
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            _steps(_with_revision(plan), say, folder)
        except Exception as error:  # whoever reads this sees no traceback
            say({"error": f"{error}"})
        else:
            say({"done": True})


def _with_revision(plan: Json) -> Json:
    """The plan with the folder of the tokenizer's revision, which the tool has no option for."""
    if not plan["revision"] or Path(plan["tokenizer"]).is_dir():
        return plan
    from huggingface_hub import snapshot_download

    files = ["*.json", "*.model", "*.txt", "*.tiktoken", "*.jinja", "*.py"]
    folder = snapshot_download(plan["tokenizer"], revision=plan["revision"], allow_patterns=files)
    return {**plan, "tokenizer": folder}


def _steps(plan: Json, say: Say, folder: str) -> None:
    def measure(step: Json, seed: int, requests: int, answer_seconds: float) -> Json:
        call = command(
            step, plan, requests=requests, answer_seconds=answer_seconds, seed=plan["seed"] + seed, folder=folder
        )
        return run(call, say)

    say({"began": {"warm-up": WARM_UP_REQUESTS}})
    answer_seconds = measure(WARM_UP, 0, WARM_UP_REQUESTS, 0)["mean_e2el_ms"] / 1000
    finding = None if plan["steps"] else search(plan["most"])
    following = iter(plan["steps"])
    step: Json | None = {"concurrency": next(finding)} if finding else next(following, None)
    seed = 1
    while step:
        requests = requests_for(step, plan, answer_seconds)
        say({"began": step, "requests": requests})
        result = measure(step, seed, requests, answer_seconds)
        late = missed(result, plan["slo"])
        say({"step": {**step, "missed": late, "result": result}})
        answer_seconds, seed = result["mean_e2el_ms"] / 1000, seed + 1
        if finding:
            try:
                step = {"concurrency": finding.send(not late)}
            except StopIteration:
                step = None
        else:
            step = next(following, None)


def print_line(document: Json) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), print_line)
