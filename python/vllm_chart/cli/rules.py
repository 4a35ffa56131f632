"""The command `vllm-chart rules`."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from vllm_chart.cli.options import EXIT_CODES, namespace_option, output_option, release_option, values_options
from vllm_chart.cli.output import finish, say


@click.command("rules", epilog=EXIT_CODES)
@values_options
@release_option
@namespace_option
@output_option
def command(chart: Path | None, release: str, namespace: str, output: str, **values: Any) -> None:
    """Print the recording rules and alerts of a release, as a file that Prometheus reads.

    They are those of the chart's PrometheusRule, for a Prometheus without the operator, for a ruler such as Mimir's, or
    to read them: whether prometheusRule.enabled is true doesn't matter. They find the release by the labels `namespace`
    and `job`, which has to be NAMESPACE/NAME-OF-THE-OBJECTS: docs/monitoring.md has a scrape configuration that makes
    it so. Thresholds are in prometheusRule.alerts, what is promised to callers in slo; docs/alerts.md explains both.

    What is wrong with the values is told on standard error, so that a rule file never has it.

    \b
    Examples:
      vllm-chart rules -f prod.yaml -n models > llm.rules.yml
      vllm-chart rules -f prod.yaml -n models | promtool check rules
      vllm-chart rules -f prod.yaml --set prometheusRule.alerts.VLLMQueueing.for=15m
      vllm-chart rules --chart vllm-endpoint -f endpoint.yaml --release llm-endpoint -n models
      vllm-chart rules -f prod.yaml --output json | jq -r '.groups[].rules[].alert | values'
    """
    from vllm_chart.findings import to_human
    from vllm_chart.observe.rule_file import rule_file

    found = rule_file(chart, release=release, namespace=namespace, **values)
    if found.findings and output == "human":
        say(to_human(found.findings))
    told = [dataclasses.asdict(finding) for finding in found.findings]
    document = {"ok": True, "groups": found.groups, "findings": told}
    finish(
        found.findings,
        output,
        human=lambda: found.text.rstrip("\n") if found.groups else "",
        machine=(lambda: json.dumps(document, indent=2, ensure_ascii=False)) if found.groups else None,
        is_file=bool(found.groups),
    )
