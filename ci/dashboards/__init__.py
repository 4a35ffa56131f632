"""The dashboards of a release for Grafana, written into its chart: `python -m ci.dashboards`.

`service` and `replica` have the panels of charts/vllm, `endpoint` those of charts/vllm-endpoint; `queries` has their
PromQL, `parts` Grafana's side of them. `draw` draws the panels with what a Prometheus answers to their queries.
Grafana's own library for dashboards (grafana-foundation-sdk) is needed to write the files and for nothing else: the
charts have them, and their tests read them.
"""
