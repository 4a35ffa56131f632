"""A stand-in for the command `vllm` in a bench's pod: `vllm bench serve` against an engine that there is not.

    python -m tests.bench_tool FOLDER       writes it there, as an executable of that name

It takes the options that the driver gives it, refuses others as argparse does, and writes a result with the fields of
vllm/benchmarks/serve.py of 0.33. The engine: 64 slots; an answer takes 2 s and more with each that runs, and the first
token waits when there are more requests than slots. With 99 at a time the tool itself dies.
"""

import stat
import sys
from pathlib import Path

SOURCE = r"""#!{python}
import argparse, json, os, sys, time
assert sys.argv[1:3] == ["bench", "serve"], sys.argv
parser = argparse.ArgumentParser(allow_abbrev=False)
for name in (
    "backend base-url endpoint model tokenizer dataset-name result-dir result-filename percentile-metrics "
    "metric-percentiles tokenizer-mode random-range-ratio"
).split():
    parser.add_argument("--" + name)
for name in "random-input-len random-output-len num-prompts seed max-concurrency".split():
    parser.add_argument("--" + name, type=int)
parser.add_argument("--request-rate", type=float, default=float("inf"))
parser.add_argument("--goodput", nargs="+")
for name in "save-result insecure trust-remote-code".split():
    parser.add_argument("--" + name, action="store_true")
args = parser.parse_args(sys.argv[3:])
if os.environ.get("BENCH_CALLS"):
    with open(os.environ["BENCH_CALLS"], "a") as calls:
        calls.write(json.dumps([sys.argv[1:], os.environ.get("OPENAI_API_KEY", "")]) + "\n")
if args.tokenizer == "org/nowhere":
    sys.exit("OSError: We couldn't connect to 'https://huggingface.co' to load the files: no tokenizer")
if args.max_concurrency == 99:
    sys.exit("Killed")
fails = args.random_input_len > 8000
SLOTS = 64
at_a_time = args.max_concurrency or args.request_rate * 4
running = min(at_a_time, SLOTS)
answer = 2 + running / 32 + max(0, at_a_time - SLOTS) / SLOTS * 4
for n in range(1, 4):
    sys.stderr.write("\r%3d%%|##   | %d/%d [00:01<00:01, 3.00it/s]" % (n * 33, n, args.num_prompts))
    sys.stderr.flush()
    time.sleep(float(os.environ.get("BENCH_PAUSE", "0")))
if fails:
    print("Failed requests during benchmark run detected (capping to 10):\nError 0: Bad Request")
completed = 0 if fails else args.num_prompts
rate = at_a_time / answer
result = {
    "date": "20261128-090000", "endpoint_type": args.backend, "backend": args.backend, "label": None,
    "model_id": args.model, "tokenizer_id": args.tokenizer, "num_prompts": args.num_prompts,
    "request_rate": "inf" if args.request_rate == float("inf") else args.request_rate, "burstiness": 1.0,
    "max_concurrency": args.max_concurrency, "duration": args.num_prompts / rate, "completed": completed,
    "failed": args.num_prompts - completed, "total_input_tokens": completed * args.random_input_len,
    "total_output_tokens": completed * args.random_output_len, "request_throughput": 0 if fails else rate,
    "request_goodput": 0 if fails else rate * (at_a_time <= SLOTS), "output_throughput": rate * args.random_output_len,
    "total_token_throughput": rate * (args.random_input_len + args.random_output_len),
    "max_output_tokens_per_s": 1000.0, "max_concurrent_requests": int(at_a_time), "rtfx": 0.0,
}
late = max(0, at_a_time - SLOTS) / SLOTS * 4
means = {"ttft": 100 + late * 1000, "tpot": 20 + running / 4, "itl": 20 + running / 4, "e2el": answer * 1000}
for metric in args.percentile_metrics.split(","):
    for name in ("mean", "median", "std"):
        result["%s_%s_ms" % (name, metric)] = means[metric]
    for percent in args.metric_percentiles.split(","):
        word = str(int(float(percent))) if int(float(percent)) == float(percent) else str(float(percent))
        result["p%s_%s_ms" % (word, metric)] = means[metric] * (1 + float(percent) / 100)
with open(os.path.join(args.result_dir, args.result_filename), "w") as file:
    json.dump(result, file)
"""


def write(folder: Path) -> Path:
    """Write it into a folder, which goes to the front of PATH. Its path."""
    file = folder / "vllm"
    file.write_text(SOURCE.replace("{python}", sys.executable))
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
