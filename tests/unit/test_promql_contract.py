"""What is wrong with an expression is said, and nothing of one that is right."""

import pytest

from tests.promql import contract, sources
from tests.promql.contract import ProblemError
from tests.promql.series import COUNTER, GAUGE, HISTOGRAM, TARGET, Series

TARGETS = frozenset(TARGET)
LE = {"le": frozenset({"0.5", "1.0", "2.5", "+Inf"})}
WORLD = {
    "up": Series(GAUGE, TARGETS),
    "running": Series(GAUGE, TARGETS | {"engine"}),
    "waiting": Series(GAUGE, TARGETS | {"engine", "reason"}, {"reason": frozenset({"capacity", "deferred"})}),
    "done_total": Series(COUNTER, TARGETS | {"engine", "status"}, {"status": frozenset({"2xx", "5xx"})}),
    "wait_bucket": Series(HISTOGRAM, TARGETS | {"engine", "le"}, LE),
    "wait_count": Series(HISTOGRAM, TARGETS | {"engine"}),
    "wait_sum": Series(HISTOGRAM, TARGETS | {"engine"}),
}


@pytest.mark.parametrize(
    "text",
    [
        "up == 0",
        "sum(running) / 2",
        'waiting{reason="capacity"}',
        'waiting{reason=~"capacity|deferred"}',
        'waiting{reason=~"cap.*"}',
        'waiting{reason!="deferred"}',
        'running{engine="17",pod=~"$pod"}',
        'waiting{reason="$reason"}',
        '{__name__="running"}',
        "rate(done_total[$__rate_interval])",
        "max_over_time(running[5m])",
        "min_over_time(sum by (job) (running)[5m:30s])",
        "rate(wait_sum[5m]) / rate(wait_count[5m])",
        "histogram_quantile(0.9, sum by (le) (rate(wait_bucket[5m])))",
        "histogram_quantile(0.9, rate(wait_bucket[5m]))",
        'sum(rate(wait_bucket{le="2.5"}[5m]))',
        r'sum(rate(wait_bucket{le=~"1(\\.0)?"}[5m]))',
        "sum by (le, pod) (rate(wait_bucket[5m]))",
        "sum by (pod, engine) (running) > 0 and on (pod) up",
        "sum by (pod) (running) * on (pod) group_left (instance) up",
        "running + ignoring (reason) waiting",
        "sum without (engine) (running)",
        "sum(running) or vector(0)",
        "absent(running)",
        "absent(done_total)",
        'absent_over_time(up{job="a"}[5m]) and on (job) up',
        "topk(3, running) and running",
        'count_values("v", up) and on (v) count_values("v", up)',
        'label_replace(up, "x", "$1", "pod", "(.*)") and on (x) label_replace(up, "x", "$1", "pod", "(.*)")',
        "time() - max(max_over_time(up[5m] offset 1h))",
        "scalar(sum(running)) * 2",
        "-running",
        "resets(wait_count[1h]) >= 2",
        "increase(done_total[10m:1m])",
        "count by (pod) (done_total)",
    ],
)
def test_what_is_right_is_taken(text: str) -> None:
    contract.check(text, WORLD)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sum(", "no PromQL"),
        ("runnning", "no series runnning"),
        ('{job="a"}', "without its name"),
        ('running{model="a"}', "no label model"),
        ('waiting{reason="capacty"}', "reason is never capacty"),
        ('waiting{reason!="capacty"}', "reason is never capacty"),
        ('waiting{reason=~"capacity|gone"}', "reason is never capacity|gone"),
        ('waiting{reason=~"x.*"}', "reason is never x"),
        ('sum(rate(wait_bucket{le="1"}[5m]))', "le is never 1"),
        ('sum(rate(wait_bucket{le="2.6"}[5m]))', "le is never 2.6"),
        ("rate(running[5m])", "rate of running, which is a gauge"),
        ("sum(increase(waiting[5m]))", "increase of waiting"),
        ("avg_over_time(done_total[5m])", "avg_over_time of done_total, which is a counter"),
        ("rate(sum(done_total)[5m:1m])", "rate of a sum"),
        ("done_total > 5", "done_total as it is, which is a counter"),
        ("rate(done_total[5m]) / done_total", "done_total as it is, which is a counter"),
        ("sum(wait_sum) / sum(wait_count)", "as it is, which is a histogram"),
        ("histogram_quantile(0.9, sum by (le) (rate(done_total[5m])))", "there are only"),
        ("histogram_quantile(0.9, rate(done_total[5m]))", "histogram_quantile of done_total"),
        ("histogram_quantile(0.9, rate(wait_count[5m]))", "histogram_quantile of wait_count"),
        ("histogram_quantile(0.9, sum by (pod) (rate(wait_bucket[5m])))", "adds up buckets"),
        ('histogram_quantile(0.9, sum(rate(wait_bucket{le="1.0"}[5m])))', "without the label le"),
        ("sum(rate(wait_bucket[5m]))", "adds up buckets"),
        ('sum(rate(wait_bucket{le=~"1.0|2.5"}[5m]))', "adds up buckets"),
        ('sum(rate(wait_bucket{le!="1.0"}[5m]))', "adds up buckets"),
        ("sum by (reason) (running)", "sum by reason"),
        ("sum without (reason) (running)", "sum by reason"),
        ("sum by (pod) (running) / sum(running)", "one side has pod"),
        ("running + waiting", "one side has reason"),
        ("running and up", "one side has engine"),
        ("sum by (pod) (running) or sum by (job) (running)", "one side has job, pod"),
        ("running * on (reason) waiting", "* on reason"),
        ("up * on (pod) group_left (reason) running", "group_left or group_right reason"),
        ("running - ignoring (engine) waiting", "reason differ still"),
        ("sum by (job) (sum by (pod) (running))", "sum by job"),
        ('absent(up{job="a"}) and on (pod) up', "and on pod"),
        ("up and on (job) vector(1)", "and on job"),
        ("sum by (pod) (running * on (job) up)", "sum by pod"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(ProblemError, match=r".*".join(map(_escaped, said.split("|")))):
        contract.check(text, WORLD)


def _escaped(text: str) -> str:
    return text.replace("*", r"\*").replace(".", r"\.")


def test_a_series_that_is_only_named_may_be_a_counter() -> None:
    contract.check('done_total{status="5xx"}', WORLD, mention=True)
    with pytest.raises(ProblemError, match="status is never 3xx"):
        contract.check('done_total{status="3xx"}', WORLD, mention=True)


def test_a_dashboards_expressions_are_found() -> None:
    document = {
        "templating": {
            "list": [
                {"name": "pod", "type": "query", "query": {"query": "label_values(up, pod)"}},
                {"name": "slo", "type": "textbox", "query": "2.5", "current": {"value": "1.5"}},
                {"name": "old", "type": "query", "query": "query_result(up > 0)"},
            ]
        },
        "panels": [
            {"title": "A", "targets": [{"expr": "a > $slo and b < ${slo} and $slow"}]},
            {"title": "Row", "panels": [{"title": "B", "targets": [{"expr": "b"}, {"other": 1}]}]},
        ],
        "annotations": {"list": [{"name": "Restarts", "expr": "c"}, {"name": "built in"}]},
    }
    found = {each.where: each.text for each in sources.dashboard(document, "x.json")}
    assert found == {
        "x.json: variable pod": "group by (pod) (up)",
        "x.json: variable old": "up > 0",
        "x.json: A": "a > 1.5 and b < 1.5 and $slow",
        "x.json: B": "b",
        "x.json: annotation Restarts": "c",
    }


def test_a_pages_expressions_are_found() -> None:
    text = """
Prose about `vllm:a{x="1"}`, `vllm:*`, `sum(vllm_release:b)` and `values`.

```promql
# what it is for
sum(vllm:c)
  / 2

vllm:d
```

```yaml
spec: {rules: [{expr: "vllm:e > 0"}], other: "vllm:not"}
```

```console
$ curl localhost:8000/metrics | grep vllm:f
```
"""
    assert [" ".join(each.text.split()) for each in sources.of_page(text, "x.md")] == [
        *("sum(vllm:c) / 2", "vllm:d", "vllm:e > 0", 'vllm:a{x="1"}', "sum(vllm_release:b)")
    ]
