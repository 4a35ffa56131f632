"""The program that draws the dashboards: what it asks a Prometheus, and what it says of the answers."""

import importlib.util
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ci.dashboards import asking, reading
from ci.dashboards.asking import Prometheus, Shown, Span

SPAN = Span(end=1_800_000_000, seconds=900)
LABELS = {"pod": "llm-1", "engine": "0", "le": "2.5", "reason": "capacity", "source": "local", "status": "2xx"}
Answers = Callable[[str, dict[str, str]], Any]


def points(value: str) -> Answers:
    """The same value at every time that is asked for, of one series."""

    def answer(what: str, asked: dict[str, str]) -> Any:
        if what == "query":
            return {"metric": LABELS, "value": [float(asked["time"]), value]}
        times = range(int(float(asked["start"])), int(float(asked["end"])) + 1, int(asked["step"]))
        return {"metric": LABELS, "values": [[when, value] for when in times]}

    return answer


@contextmanager
def prometheus(answer: Answers) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """The address of a Prometheus that answers so; None is no series, a text an error. And what it was asked."""
    asked: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            what, form = self.path.rpartition("/")[2], dict(urllib.parse.parse_qsl(body))
            asked.append((what, form))
            found = answer(what, form)
            document = {"status": "success", "data": {"result": [found] if found else []}}
            if isinstance(found, str):
                document = {"status": "error", "error": found}
            self.send_response(400 if isinstance(found, str) else 200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def shown(answer: Answers, name: str = "service") -> list[Shown]:
    with prometheus(answer) as (address, _):
        return asking.show(Prometheus(address), reading.boards()[name], SPAN, "models", "llm")


@pytest.mark.parametrize("name", sorted(reading.boards()))
def test_every_query_is_asked_as_grafana_does(name: str) -> None:
    board = reading.boards()[name]
    targets = [target for panel in reading.panels(board) for target in panel["targets"]]
    with prometheus(points("1")) as (address, asked):
        asking.show(Prometheus(address), board, SPAN, "models", "llm")

    assert [what for what, _ in asked] == ["query" if one.get("instant") else "query_range" for one in targets]
    assert all("$" not in form["query"] for _, form in asked)
    assert all('namespace="models"' in form["query"] or "vector(" in form["query"] for _, form in asked)
    assert {form["end"] for what, form in asked if what == "query_range"} == {"1800000000"}


@pytest.mark.parametrize(
    ("seconds", "scrape", "interval"),
    [(900, 10, "40s"), (900, 5, "20s"), (86400, 10, "370s")],
)
def test_an_interval_holds_four_scrapes_or_more(seconds: int, scrape: int, interval: str) -> None:
    assert Span(0, seconds, scrape).interval == interval


def test_a_series_is_called_what_the_legend_says() -> None:
    (waiting,) = [one for one in shown(points("3"))[6].series if one.name.startswith("waiting")]

    assert waiting.name == "waiting: capacity"
    assert waiting.points[0] == (SPAN.start, 3.0)


def test_nothing_is_missed_where_everything_answers() -> None:
    assert asking.empty("service", shown(points("1"))) == []


@pytest.mark.parametrize("answer", [lambda *_: None, points("NaN"), points("+Inf")], ids=["none", "NaN", "Inf"])
def test_what_says_nothing_is_told_but_for_what_others_know(answer: Answers) -> None:
    told = asking.empty("service", shown(answer))

    assert any(line.startswith("service: Tokens: prompt: sum (rate(vllm:prompt_tokens_total") for line in told)
    assert not any("desired" in line for line in told)


def test_what_may_be_empty_is_there() -> None:
    queries = {
        (name, panel["title"], target["legendFormat"])
        for name, board in reading.boards().items()
        for panel in reading.panels(board)
        for target in panel["targets"]
    }
    assert asking.MAY_BE_EMPTY.keys() <= queries


# -- the pictures ------------------------------------------------------------------------------------------

drawn = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib: pip install -e '.[dashboards]'"
)


def draw(address: str, out: Path) -> int:
    from ci.dashboards import draw as program

    release = ["--namespace", "models", "--release", "llm", "--end", str(SPAN.end)]
    return program.main(["--prometheus", address, *release, "--out", str(out)])


@drawn
def test_each_dashboard_is_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with prometheus(points("1")) as (address, _):
        assert draw(address, tmp_path / "images") == 0

    for name in reading.boards("vllm"):
        picture = (tmp_path / "images" / f"dashboard-{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert 10_000 < len(picture) < 300_000
    assert "29 panels" in capsys.readouterr().out


@drawn
def test_an_empty_panel_fails_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(what: str, asked: dict[str, str]) -> Any:
        return None if "num_preemptions" in asked["query"] else points("1")(what, asked)

    with prometheus(answer) as (address, _):
        assert draw(address, tmp_path) == 1

    said = capsys.readouterr().err
    assert [line.split(":")[1:3] for line in said.splitlines()] == [
        [" replica", " Preemptions"],
        [" service", " Preemptions"],
    ]


@drawn
def test_no_answer_is_told_from_an_empty_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert draw("http://127.0.0.1:1", tmp_path) == 2
    with prometheus(lambda *_: "query timed out") as (address, _):
        assert draw(address, tmp_path) == 2

    assert "query timed out" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


@drawn
@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0.25, "s", "250 ms"),
        (2.5, "s", "2.5 s"),
        (0.123, "percentunit", "12.3%"),
        (-779, "percentunit", "-77,900%"),
        (1234567, "short", "1.23 M"),
        (0, "reqps", "0 req/s"),
        (6 * 1024**3, "bytes", "6 GiB"),
        (1_800_000_000_000, "dateTimeAsIso", "2027-01-15 08:00:00"),
    ],
)
def test_numbers_are_told_in_their_unit(number: float, unit: str, text: str) -> None:
    from ci.dashboards import drawing

    assert drawing.text(number, unit) == text
