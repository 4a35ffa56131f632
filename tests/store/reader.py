"""Reads a model out of object storage in the steps that vLLM takes: `python reader.py s3://bucket/folder`.

config/model.py:1220, model_executor/model_loader/runai_streamer_loader.py:205 and weight_utils.py:1288 of 0.33.
"""

import re
import sys
import tempfile
from pathlib import Path

from runai_model_streamer import SafetensorsStreamer, list_safetensors, pull_files


def main(address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pull_files(f"{address.rstrip('/')}/", folder, ["*.model", "*.py", "*.json"])
        print("copied", *sorted(path.name for path in Path(folder).rglob("*") if path.is_file()))
    files = list_safetensors(address)
    if not files:
        raise RuntimeError(f"Cannot find any safetensors model weights with `{address}`")
    with SafetensorsStreamer() as streamer:
        streamer.stream_files(files, device="cpu", is_distributed=False)
        for name, tensor in streamer.get_tensors():
            print("read", name, tensor.sum().item())
    # Of this program alone: what rusage tells begins with the process that started it.
    status = Path("/proc/self/status").read_text()
    print("peak", 1024 * int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]), file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
