"""A certificate of an authority of its own, as companies have one."""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Files (PEM): a certificate, its key, and the authority that signed it."""

    certificate: Path
    key: Path
    authority: Path


def make(folder: Path, host: str) -> Certificate:
    """A certificate for a host's name, good for two days."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl on PATH")
    authority, authority_key, request, certificate, key, extensions = (
        folder / name for name in ("ca.crt", "ca.key", "csr", "tls.crt", "tls.key", "extensions")
    )
    extensions.write_text(f"subjectAltName=DNS:{host}")
    new: list[str | Path] = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    signing: list[str | Path] = ["-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-days", "2"]
    commands: list[list[str | Path]] = [
        [*new, "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", authority_key, "-out", authority],
        [*new, "-subj", "/CN=server", "-keyout", key, "-out", request],
        ["openssl", "x509", "-req", "-in", request, *signing, "-extfile", extensions, "-out", certificate],
    ]
    for words in commands:
        subprocess.run(words, check=True, capture_output=True)
    return Certificate(certificate, key, authority)
