"""What `validate` says beyond Helm's verdict."""

from vllm_chart import checks


def test_a_split_that_the_model_does_not_allow_is_refused() -> None:
    values = {"model": {"id": "meta-llama/Llama-3.1-8B"}, "gpu": {"count": 3}}
    findings = checks.validate(values=values)
    assert findings
    assert {finding.where for finding in findings} == {"parallelism.tensorParallelSize"}
    assert all("1, 2, 4, 8, 16, 32" in finding.remedy for finding in findings)


def test_a_split_that_the_model_allows_is_taken() -> None:
    assert checks.validate(values={"model": {"id": "meta-llama/Llama-3.1-8B"}, "gpu": {"count": 4}}) == []
