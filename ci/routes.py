"""Which routes a release of vLLM has, as its source declares them: for tests that hold the endpoint closed.

    python -m ci.routes FOLDER      # an unpacked wheel; writes tests/unit/data/routes/VERSION.json

vLLM's own OpenAPI lists those alone that one model on one device comes to have, and starting an engine for each kind of
model would take GPUs. So the source is read: whatever a router of FastAPI or Starlette is given, for any model.
"""

import argparse
import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ci.shell import HarnessError, main

TARGET = Path(__file__).parents[1] / "tests/unit/data/routes"
METHODS = ("get", "post", "put", "delete", "patch", "head", "options")
ANY = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
#: FastAPI's own, unless it is told otherwise: https://fastapi.tiangolo.com/tutorial/metadata/#docs-urls
FASTAPI = ("/docs", "/docs/oauth2-redirect", "/openapi.json", "/redoc")


class Route(NamedTuple):
    """A path, the methods that it takes, and the file and line that say so."""

    path: str
    methods: list[str]
    where: str


def routes(folder: Path) -> list[Route]:
    """The routes of the source in a folder, sorted. Raises HarnessError where it has none."""
    found = [Route(path, ["GET", "HEAD"], "FastAPI") for path in FASTAPI]
    entrypoints = folder / "vllm" / "entrypoints"
    for file in sorted(entrypoints.rglob("*.py")):
        tree = ast.parse(file.read_text())
        prefixes = dict(_prefixes(tree))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            where = f"{file.relative_to(folder)}:{call.lineno}"
            found += [Route(path, methods, where) for path, methods in _declared(call, prefixes)]
    if len(found) == len(FASTAPI):
        raise HarnessError(f"no routes in {entrypoints}: is this an unpacked wheel of vLLM?")
    return sorted(found)


def _prefixes(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The names of routers in a file whose paths all begin alike, each with that beginning."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for keyword in node.value.keywords:
                if keyword.arg == "prefix" and isinstance(keyword.value, ast.Constant):
                    yield from (
                        (name.id, str(keyword.value.value)) for name in node.targets if isinstance(name, ast.Name)
                    )


def _declared(call: ast.Call, prefixes: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """The path and the methods that a call declares, if it is one that does."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "path")]
    paths = [node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if not paths or not paths[0].startswith("/"):
        return
    router = call.func.value if isinstance(call.func, ast.Attribute) else None
    path = prefixes.get(router.id, "") + paths[0] if isinstance(router, ast.Name) else paths[0]
    if name in METHODS and isinstance(router, ast.Name):
        yield path, [name.upper()]
    elif name in ("api_route", "add_api_route", "route", "add_route"):
        yield path, sorted(_methods(call)) or ANY
    elif name in ("websocket", "add_api_websocket_route"):
        yield path, ["GET"]
    elif name in ("mount", "Mount"):
        yield path, ANY


def _methods(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "methods" and isinstance(keyword.value, ast.List):
            yield from (str(one.value) for one in keyword.value.elts if isinstance(one, ast.Constant))


def _write(folder: Path) -> Path:
    [about] = folder.glob("vllm*.dist-info") or [folder]
    version = about.name.removesuffix(".dist-info").partition("-")[2].partition("+")[0] or folder.name
    listed = {"vllm": version, "routes": [route._asdict() for route in routes(folder)]}
    TARGET.mkdir(parents=True, exist_ok=True)
    file = TARGET / f"{version}.json"
    file.write_text(json.dumps(listed, indent=1) + "\n")
    return file


def _command() -> None:
    parser = argparse.ArgumentParser(prog="python -m ci.routes", description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    print(_write(parser.parse_args().folder))


if __name__ == "__main__":
    main(_command)
