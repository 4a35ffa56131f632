"""Helm, twice: the command, and its own library in process."""

from vllm_chart.helm.command import Helm
from vllm_chart.helm.loading import AnyChart, LoadedChart, chart_folder, default_chart, load
from vllm_chart.helm.native import app_version, merged_values, render, values_schema
from vllm_chart.helm.options import HelmError, StrPath, ValuesOptions
from vllm_chart.helm.values import file_name, read_file, user_values

__all__ = [
    "AnyChart",
    "Helm",
    "HelmError",
    "LoadedChart",
    "StrPath",
    "ValuesOptions",
    "app_version",
    "chart_folder",
    "default_chart",
    "file_name",
    "load",
    "merged_values",
    "read_file",
    "render",
    "user_values",
    "values_schema",
]
