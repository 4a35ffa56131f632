"""Every message that a vLLM raises on the way to a server that is ready, out of its source.

python -m ci.catalogue.raised FOLDER    # in the environment of that vLLM; writes FOLDER/<version>.jsonl.gz

One line a message: {"at": "config/model.py:1466", "class": "ValueError", "text": "Unknown quantization: \\u2026"}.
What is filled in when it is raised is an ellipsis. Nothing of vLLM is imported: its files are read.
"""

import ast
import gzip
import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path

#: What runs before a server is ready. Servers themselves refuse requests, which is no start that fails.
START = (
    "envs.py",
    "compilation",
    "config",
    "distributed",
    "engine",
    "entrypoints/cli",
    "entrypoints/common",
    "entrypoints/launchers",
    "lora",
    "model_executor/model_loader",
    "model_executor/models/utils.py",
    "platforms",
    "plugins",
    "tokenizers",
    "transformers_utils",
    "v1/attention",
    "v1/core",
    "v1/engine",
    "v1/executor",
    "v1/kv_offload",
    "v1/worker",
)
FILLED_IN = "…"


def messages(package: Path) -> Iterator[dict[str, str]]:
    """The messages of the files of a vLLM, by file and line; package: its folder."""
    for part in START:
        for file in sorted(package.joinpath(part).rglob("*.py")) or [package / part]:
            if not file.is_file():
                continue
            for line, name, text in sorted(_of_file(ast.parse(file.read_text()))):
                yield {"at": f"{file.relative_to(package)}:{line}", "class": name, "text": text}


def _of_file(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            given = [*node.exc.args, *(keyword.value for keyword in node.exc.keywords)]
            name, text = ast.unparse(node.exc.func), _text(given[0]) if given else ""
        elif isinstance(node, ast.Assert) and node.msg is not None:
            name, text = "AssertionError", _text(node.msg)
        else:
            continue
        if text.strip(f"{FILLED_IN} \n:"):
            yield node.lineno, name, text


def _text(node: ast.AST) -> str:
    """A literal as it is raised; an ellipsis for all that is not in it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value) for value in values)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _text(left) + _text(right)
        case ast.Call(func=ast.Attribute(attr="format" | "strip" | "lstrip", value=value)):
            return _text(value)
    return FILLED_IN


def main() -> int:
    """Write those of the vLLM that is installed."""
    found = importlib.metadata.distribution("vllm")
    lines = [json.dumps(message, ensure_ascii=False) for message in messages(Path(str(found.locate_file("vllm"))))]
    path = Path(sys.argv[1]) / f"{found.version}.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode(), mtime=0))
    print(f"wrote {path}: {len(lines)} messages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
