"""The facts that the chart's templates share with the package."""

import json
import re
from pathlib import Path

import pytest

from vllm_chart import facts

CHART = Path(__file__).parents[2] / "charts/vllm"
TEMPLATES = sorted((CHART / "templates").rglob("*.tpl"))


def test_every_fact_is_read_by_a_template() -> None:
    text = "".join(path.read_text() for path in TEMPLATES)
    assert [name for name in facts.facts() if f".Facts.{name}" not in text] == []


def test_every_table_of_connectors_is_read_by_a_template() -> None:
    text = "".join(path.read_text() for path in TEMPLATES)
    tables = facts.facts()["peers"]
    assert isinstance(tables, dict)
    assert [name for name in tables if not re.search(rf'\.{name}\b|"{name}"', text)] == []


def test_no_template_says_a_number_that_is_a_fact() -> None:
    numbers = {str(fact) for fact in facts.facts().values() if isinstance(fact, int) and fact > 9}
    assert TEMPLATES
    said = re.compile(rf"(?<![\w.])({'|'.join(numbers)})(?![\w.])")
    lines = [
        f"{path.name}: {line.strip()}"
        for path in TEMPLATES
        for line in path.read_text().splitlines()
        if said.search(line)
    ]
    assert not lines


def test_the_chart_has_them() -> None:
    written = (CHART / "files/generated/facts.json").read_text()
    assert json.loads(written) == json.loads(json.dumps(facts.facts()))


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("OPENAI_API_KEY", "sk-abc", True),
        ("DB_PASSWD", "abc", True),
        ("AWS_SECRET_ACCESS_KEY", "abc", True),
        ("S3_KEY_PREFIX", "models", False),
        ("AWS_SECRET_NAME", "prod/llm", False),
        ("OPENAI_API_KEY", "not-needed", False),
        ("API_TOKEN", "/run/secrets/token", False),
        ("MAX_TOKEN", "100", False),
    ],
)
def test_what_a_secret_is(name: str, value: str, secret: bool) -> None:
    assert (bool(re.search(facts.SECRET_NAME, name)) and not re.search(facts.NO_SECRET, value)) == secret
