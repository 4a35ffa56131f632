"""Weights that vLLM streams by runai-model-streamer: the variables it reads, and the memory it takes.

vLLM 0.33 (transformers_utils/runai_utils.py, model_executor/model_loader/runai_streamer_loader.py; 0.32 is the same);
runai-model-streamer 0.17.0 (of which there is an Azure part; 0.17.1 does the same at S3), whose Python files are named
below. What it does was tried with versitygw 1.8, Azurite 3.37 and fake-gcs-server 1.56 (tests/store).
"""

from collections.abc import Mapping
from typing import Any

Json = Any

SCHEMES = ("s3", "gs", "az")
"""SUPPORTED_SCHEMES of vLLM."""

BUFFER_BYTES = 40_000_000_000
"""Of each process that streams, and of the pod where workers share the work (`distributed`): the most that it keeps of
weights on the way; of a smaller model as much as that is (file_streamer/requests_iterator.py:22, :439;
distributed_streamer/distributed_streamer.py:487)."""

LEAST_BUFFER_BYTES = 3 * 2**30
"""Below it the chart asks for 0: a buffer smaller than the largest tensor is refused (requests_iterator.py:430), and
that of a large vocabulary (262,208 tokens of 5,376 numbers in Gemma 3 27B) has 2.6 GiB."""

LIMIT = "RUNAI_STREAMER_MEMORY_LIMIT"
"""The same in bytes. 0 keeps the largest tensor, -1 all that a process reads."""

ENDPOINT = ("AWS_ENDPOINT_URL", "RUNAI_STREAMER_S3_ENDPOINT")
"""vLLM copies the first to the second only beside an extra config; releases of the streamer read one or the other."""

REGION = ("AWS_REGION", "AWS_DEFAULT_REGION")
"""The first is the AWS SDK's for C++, which reads the weights; the second boto3's, which lists and reads the rest."""

#: Keys of the Secret, which are variables.
REQUIRED = {"s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "gs": (), "az": ()}
OPTIONAL = {
    "s3": ("AWS_SESSION_TOKEN",),
    "gs": (),
    # runai_model_streamer_azure/credentials/credentials.py:37, and Azure's DefaultAzureCredential. No connection
    # string: the Python part lists by it, and what reads the weights asks for an account's name all the same.
    "az": (
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
    ),
}
KEY_FILE = ("GOOGLE_APPLICATION_CREDENTIALS", "RUNAI_STREAMER_GCS_CREDENTIAL_FILE")
"""The first is Google's own; the second runai_model_streamer_gcs/credentials/credentials.py:70."""


def buffers(arguments: Mapping[str, Json], env: Mapping[str, Any]) -> tuple[str, int, bool] | None:
    """Where the size of the buffers stands, their bytes, and whether all workers share one; None where nothing is
    streamed, or no size is written.

    arguments: as `argv.parse` returns them. env: plain values only.
    """
    model = str(arguments.get("model_tag") or arguments.get("model") or "").lower()
    streams = model.startswith(tuple(f"{scheme}://" for scheme in SCHEMES))
    if not streams and not str(arguments.get("load_format") or "").startswith("runai_streamer"):
        return None
    given = arguments.get("model_loader_extra_config")
    extra = given if isinstance(given, dict) else {}
    where = "--model-loader-extra-config" if "memory_limit" in extra else f"env.{LIMIT}"
    try:
        size = int(extra.get("memory_limit", env.get(LIMIT, 0)))
    except (TypeError, ValueError):
        return None
    return (where, size, extra.get("distributed") is True) if size > 0 else None


def facts() -> dict[str, Any]:
    """The tables for the chart's templates."""
    return {
        "bufferBytes": BUFFER_BYTES,
        "leastBufferBytes": LEAST_BUFFER_BYTES,
        "limit": LIMIT,
        "endpoint": ENDPOINT,
        "region": REGION,
        "required": REQUIRED,
        "optional": OPTIONAL,
        "keyFile": KEY_FILE,
    }
