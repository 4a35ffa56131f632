"""The dashboards of a release for Grafana, written into the chart: `python -m ci.dashboards`.

`service` and `replica` have the panels, `queries` their PromQL, `parts` Grafana's side of them. `draw` draws the panels
with what a Prometheus answers to their queries. Grafana's own library for dashboards (grafana-foundation-sdk) is needed
to write the files and for nothing else: the chart has them, and their tests read them.
"""
