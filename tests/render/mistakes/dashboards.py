"""Dashboards: mistakes that somebody made."""

import json
import re

from ci.dashboards import lint, reading
from tests.render.mistakes.catches import Mended
from tests.render.mistakes.rows import Mistake, mistake
from tests.render.view import View

ENABLED = "dashboards: {enabled: true}"


def boards(view: View) -> list[reading.Board]:
    """The dashboards that are rendered."""
    found = (one for one in view.manifests if "-dashboard-" in one.name)
    return [json.loads(text) for one in found for text in one["data"].values()]


def texts(view: View) -> str:
    assert len(boards(view)) == 2
    return json.dumps(boards(view))


ROWS: list[Mistake] = [
    mistake(
        "dashboard-with-the-charts-uid",
        "a dashboard whose uid is the chart's: of two releases Grafana takes neither",
        "fluent/helm-charts#465",
        Mended(
            "the uid is a release's own, and so is the file's name",
            lambda v: (
                {board["uid"] for board in boards(v)}
                == {"vllm-service-f2f5b8bcc9ad478d", "vllm-replica-f2f5b8bcc9ad478d"}
            ),
            ENABLED,
        ),
    ),
    mistake(
        "dashboard-with-one-grafanas-datasource",
        "a dashboard that names the data source of the Grafana it was made in",
        "vllm-project/production-stack#948",
        Mended(
            "the data source is a variable",
            lambda v: {*re.findall(r'"type": "prometheus", "uid": "([^"]*)"', texts(v))} == {"${datasource}"},
            ENABLED,
        ),
    ),
    mistake(
        "dashboard-of-everybodys-model-name",
        "panels that choose by model_name alone, which other exporters have too",
        "vllm-project/vllm#9311",
        Mended(
            "every query is of the release's job",
            lambda v: (
                [fault for board in boards(v) for fault in lint.faults(board) if "no matcher" in fault] == []
                and texts(v).count("$namespace/$release") > 50
            ),
            ENABLED,
        ),
    ),
]
