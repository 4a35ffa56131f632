"""The Hub's answers: asked over the network, with the caller's token only where that belongs, and kept in a cache."""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vllm_chart.findings import UnavailableError

if TYPE_CHECKING:
    import requests

HUB = "https://huggingface.co"
TIMEOUT_SECONDS = 10.0
"""How long the Hub may be silent, and how long one file may take."""
LARGEST_BYTES = 64 << 20
"""More than any config.json or index of weights has: a hundred bytes a tensor, of some hundred thousand tensors."""
FRESH_SECONDS = 24 * 3600
"""How long the answer for a branch or a tag is taken for its state: either may move, a commit doesn't."""

CONFIG = "config.json"
FILES = (CONFIG, "model.safetensors.index.json")
"""What is asked of the Hub: the second only where there is one."""


class UnknownModelError(Exception):
    """The Hub has no such model; the text says so."""


def endpoint_of(given: str) -> str:
    """The Hub to ask: the one given, the environment's HF_ENDPOINT, or huggingface.co."""
    return (given or os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def token_for(endpoint: str) -> str:
    """The caller's HF_TOKEN where it may go to this Hub, else "".

    Values name a Hub too, and may be another person's: the token goes to huggingface.co and to the Hub that the
    caller's own HF_ENDPOINT names, and to neither without TLS.
    """
    own = {_origin(HUB), _origin(os.environ.get("HF_ENDPOINT", ""))} - {None}
    return os.environ.get("HF_TOKEN", "") if _origin(endpoint) in own else ""


def _origin(url: str) -> tuple[str, int] | None:
    """Host and port of an https URL, None for any other and for an odd one, whose parts parsers disagree about:
    of `https://other.example\\@huggingface.co` one takes what stands before the backslash for the host."""
    match = re.fullmatch(r"https://([a-z0-9.-]+)(?::(\d{1,5}))?(?:/[\w./~-]*)?", url.lower())
    return (match[1], int(match[2] or 443)) if match else None


def download(model: str, revision: str, endpoint: str) -> dict[str, bytes]:
    """The config.json of a model at the Hub, and the index of its weights where there is one, by file name.

    Raises UnknownModelError where the Hub has no such model, UnavailableError where it keeps it from this token or
    doesn't answer.
    """
    import requests  # a tenth of a second, which only this needs

    token = token_for(endpoint)
    found = {}
    with requests.Session() as session:
        # Set even without a token: requests would otherwise send what ~/.netrc has for any host.
        session.auth = lambda request: _with_token(request, token)
        for name in FILES:
            url = f"{endpoint}/{quote(model)}/resolve/{quote(revision, safe='')}/{name}"
            try:
                with session.get(url, timeout=TIMEOUT_SECONDS, stream=True) as answer:
                    _judge(answer, name, model, revision, endpoint, token)
                    if answer.ok:
                        found[name] = _body(answer, url)
            except (requests.RequestException, ValueError) as error:  # ValueError: a URL that is none
                raise UnavailableError(f"{endpoint} does not answer ({type(error).__name__}): give --config") from error
    return found


def adapter_config(adapter: str, revision: str, endpoint: str) -> Mapping[str, Any] | None:
    """The adapter_config.json of an adapter at the Hub; None where that does not give one."""
    import requests  # as above

    token = token_for(endpoint)
    url = f"{endpoint}/{quote(adapter)}/resolve/{quote(revision, safe='')}/adapter_config.json"
    with requests.Session() as session:
        session.auth = lambda request: _with_token(request, token)
        try:
            with session.get(url, timeout=TIMEOUT_SECONDS, stream=True) as answer:
                config = json.loads(_body(answer, url)) if answer.ok else None
        except (requests.RequestException, ValueError, UnavailableError):
            return None
    return config if isinstance(config, dict) else None


def _with_token(request: "requests.PreparedRequest", token: str) -> "requests.PreparedRequest":
    if token:
        request.headers["Authorization"] = f"Bearer {token}"
    return request


def _judge(answer: "requests.Response", name: str, model: str, revision: str, endpoint: str, token: str) -> None:
    """Raise for what the Hub refuses; a missing index is no refusal."""
    if answer.status_code in (401, 403):
        raise UnavailableError(f"{model} is gated or private: {_remedy(endpoint, token)}, or give --config")
    if name == CONFIG and answer.status_code == 404:
        raise UnknownModelError(f"{endpoint} has no {model} at revision {revision}: is model.id spelt right?")
    if name == CONFIG and not answer.ok:
        raise UnavailableError(f"{endpoint} answers {answer.status_code}: try again, or give --config")


def _remedy(endpoint: str, token: str) -> str:
    if token:
        return f"its token may not read it: accept its terms at the Hub ({endpoint})"
    if os.environ.get("HF_TOKEN"):
        return f"HF_TOKEN is kept from {endpoint}, which is not your own: set HF_ENDPOINT to it, with https"
    return "set HF_TOKEN"


def _body(answer: "requests.Response", url: str) -> bytes:
    """What an answer holds, up to the largest that such a file has, within the time that one may take."""
    end = time.monotonic() + TIMEOUT_SECONDS
    body = b""
    for piece in answer.iter_content(1 << 16):
        body += piece
        if len(body) > LARGEST_BYTES or time.monotonic() > end:
            raise UnavailableError(f"{url} is too large or too slow: give --config")
    return body


# The cache


def cached(model: str, revision: str, endpoint: str) -> Path | None:
    """The folder in which the answers for a model at a Hub are kept; None where there is no place for one.

    A Hub's answers are apart from any other's, because values may name a Hub that says what it likes.
    """
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a UID without a home directory, as OpenShift gives
        return None
    return root / "vllm-chart" / "hub" / quote(endpoint, safe="") / quote(f"{model}@{revision}", safe="")


def is_kept(folder: Path) -> bool:
    """Whether there are answers in a folder of the cache."""
    try:
        return (folder / CONFIG).is_file()
    except OSError:  # a name that is too long for a file, a folder that may not be read
        return False


def is_fresh(folder: Path, revision: str) -> bool:
    """Whether the answers in a folder still stand: for ever for a commit, a day for a branch or a tag."""
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return True
    return time.time() - (folder / CONFIG).stat().st_mtime < FRESH_SECONDS


def keep(files: Mapping[str, bytes], folder: Path | None) -> None:
    """Keep answers; where that can't be, they are asked for again the next time."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _config_last(files):
            part = folder / f".{name}.{os.getpid()}"
            part.write_bytes(files[name])
            part.replace(folder / name)
        for name in set(FILES) - files.keys():  # of an earlier state, or it would stand for this one's
            (folder / name).unlink(missing_ok=True)
    except OSError:
        return


def _config_last(files: Mapping[str, bytes]) -> Iterator[str]:
    """Its presence means that all is there."""
    yield from sorted(files, key=lambda name: name == CONFIG)
