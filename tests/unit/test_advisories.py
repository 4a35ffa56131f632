"""Which published advisories concern a release, and that none of them refuses it."""

from typing import Any

import pytest

from vllm_chart import checks
from vllm_chart.vllm_args import advisories

KEY = {"auth": {"apiKeySecretRef": {"name": "keys", "key": "one"}}}
TRUST = {"model": {"trustRemoteCode": True}}


@pytest.mark.parametrize(
    ("tag", "values", "names"),
    [
        ("v0.8.5", {}, []),
        ("v0.8.5", KEY, ["CVE-2026-48746"]),
        ("v0.13.0", {}, ["CVE-2026-27893", "CVE-2026-22807"]),
        ("v0.13.0", TRUST, []),
        ("v0.17.1", {}, ["CVE-2026-27893"]),
        ("rocm7.0.0_vllm_0.10.2_20251006", {}, ["CVE-2026-27893", "CVE-2026-22807"]),
        ("v0.21.9", KEY, ["CVE-2026-48746"]),
        ("v0.22.0", KEY, []),
        ("0.33.0", KEY, []),
        ("nightly", KEY, []),
        ("2026-01-0.5", KEY, []),
        ("v0.3.5", {"image": {"repository": "lmcache/vllm-openai"}, **KEY}, []),
        ("v0.17.1", {"image": {"repository": "mirror.example/vllm/vllm-openai"}, **KEY}, ["CVE-2026-48746", "27893"]),
    ],
)
def test_advisories_of_a_release(tag: str, values: dict[str, Any], names: list[str]) -> None:
    found = list(advisories.check(values, tag))
    assert [name for name in names if any(name in finding.message for finding in found)] == names
    assert len(found) == len(names)
    assert {finding.severity for finding in found} <= {"warning"}


def test_check_says_them() -> None:
    values = {"model": {"id": "org/name"}, "image": {"tag": "v0.17.1"}, **KEY}
    report = checks.check(values=values)
    said = [finding for finding in report if finding.check == advisories.NAME]
    assert {finding.where for finding in said} == {"image.tag"}
    assert len(said) == 2
