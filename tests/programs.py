"""The programs of the engine's pod, as modules."""

import importlib.util
from types import ModuleType

from vllm_chart.helm import default_chart

PROGRAMS = default_chart() / "files" / "programs"


def program(name: str) -> ModuleType:
    """A program, read anew, so that a test may change what stands in it."""
    spec = importlib.util.spec_from_file_location(name, PROGRAMS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
