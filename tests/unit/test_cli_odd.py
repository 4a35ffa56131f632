"""Odd calls, as people and pipelines make them: each ends in the code of its kind and in words, in no traceback."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import program, run
from vllm_chart import helm
from vllm_chart.findings import Exit
from vllm_chart.sizing import sources

GOOD = "model: {id: org/name}\n"
LLAMA = "meta-llama/Llama-3.1-8B"
MODEL = f"--set=model.id={LLAMA}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty directory that has good values, and without a cluster."""
    monkeypatch.chdir(tmp_path)
    nowhere = str(tmp_path / "no-kubeconfig")
    monkeypatch.setenv("KUBECONFIG", nowhere)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", nowhere)  # read at import
    Path("good.yaml").write_text(GOOD)


# Values files


def billion_laughs() -> str:
    levels = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 10)]
    return "\n".join([GOOD + "a0: &a0 [x, x]", *levels])


FILES: list[tuple[str, str | bytes, Exit, str]] = [
    # what it is, content, exit code, words
    ("a date that there is none of", GOOD + "podAnnotations: {a: 2024-13-45}", Exit.OK, "fine"),
    ("a tag that does not fit", GOOD + "podAnnotations: {a: !!int foo}", Exit.REFUSED, "foo"),
    ("a tag of Python's", "model: {id: !!python/object/apply:os.system [id]}", Exit.REFUSED, "model.id"),
    ("an alias to itself", GOOD + "x: &a [*a]", Exit.REFUSED, "contains itself"),
    ("a billion aliases", billion_laughs(), Exit.REFUSED, "excessive aliasing"),
    ("deep lists", GOOD + "x: " + "[" * 5000 + "]" * 5000, Exit.REFUSED, "nested deeper"),
    ("deep maps", GOOD + "x: " + "{a: " * 5000 + "}" * 5000, Exit.REFUSED, "nested deeper"),
    ("five megabytes", "#" * (5 << 20), Exit.REFUSED, "larger than 4 MiB"),
    ("broken syntax", "model: [", Exit.REFUSED, "not YAML"),
    ("tabs", "model:\n\tid: org/name\n", Exit.REFUSED, "not YAML"),
    ("a byte-order mark", b"\xef\xbb\xbf" + GOOD.encode(), Exit.OK, "fine"),
    ("UTF-16", GOOD.encode("utf-16"), Exit.REFUSED, "not UTF-8"),
    ("bytes", b"\xff\xfe\x00\x80", Exit.REFUSED, "not UTF-8"),
    ("a NUL", "model: {id: 'a\0b'}", Exit.REFUSED, "not YAML"),
    ("two documents", GOOD + "---\nreplicaCount: 2\n", Exit.REFUSED, "second document"),
    ("an empty document first", "---\n---\n" + GOOD, Exit.REFUSED, "second document"),
    ("an empty document last", GOOD + "---\n", Exit.OK, "fine"),
    ("a list", "- a", Exit.REFUSED, "not a mapping"),
    ("a word", "word", Exit.REFUSED, "not a mapping"),
    ("nothing", "", Exit.REFUSED, "model.id: no model is named"),
    ("letters beside ASCII", "model: {id: örg/näme}", Exit.OK, "fine"),
    ("a list as a key", "? [a]\n: b", Exit.REFUSED, "odd.yaml"),
    ("keys that are no text", GOOD + "1: 2\ntrue: 3", Exit.REFUSED, "no such key"),
    ("a huge number", GOOD + "replicaCount: 99999999999999999999", Exit.REFUSED, "replicaCount"),
    ("an image of no known version", GOOD + "image: {tag: v99.0.0}", Exit.OK, "fine"),
]


@pytest.mark.parametrize(("content", "code", "words"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_values_file(content: str | bytes, code: Exit, words: str) -> None:
    Path("odd.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())

    human = run("check", "-f", "odd.yaml", "--kube-versions", "1.37")
    machine = run("validate", "-f", "odd.yaml", "-o", "json")

    assert (human.exit_code, machine.exit_code) == (code, code), human.output
    assert words in human.stdout
    assert json.loads(machine.stdout)["ok"] == (code == Exit.OK)


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        ("absent.yaml", Exit.USAGE, "does not exist"),
        ("", Exit.USAGE, "does not exist"),
        (".", Exit.USAGE, "is a directory"),
        ("/dev/null", Exit.REFUSED, "no model is named"),
        ("/dev/zero", Exit.REFUSED, "/dev/zero: is larger than 4 MiB"),
        ("https://example.com/values.yaml", Exit.USAGE, "curl"),
    ],
)
def test_what_is_no_values_file(file: str, code: Exit, words: str) -> None:
    result = run("check", "-f", file)

    assert result.exit_code == code
    assert words in result.output


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied", "good.yaml")

    monkeypatch.setattr("vllm_chart.helm.values._content", denied)
    result = run("check", "-f", "good.yaml")

    assert result.exit_code == Exit.REFUSED
    assert "good.yaml: can't be read: Permission denied" in result.stdout


# Options


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["check", "-f", "good.yaml", "--set", "tolerations[99999999].key=a"], Exit.REFUSED, "above 65536"),
        (["check", "-f", "good.yaml", "--set", "replicaCount=1000000000000"], Exit.REFUSED, "replicaCount"),
        (["check", "-f", "good.yaml", "--set", "a" + "[0]" * 3000 + "=1"], Exit.REFUSED, "nested too deep"),
        (["check", "-f", "good.yaml", "--kube-versions", "1.99"], Exit.USAGE, "1.99"),
        (["check", "-f", "good.yaml", "--kube-versions", "-"], Exit.USAGE, "is not among the versions"),
        (["check", "-f", "good.yaml", "--release", "x" * 54], Exit.USAGE, "write at most 53 lower-case"),
        (["check", "-f", "good.yaml", "--namespace", "x" * 64], Exit.USAGE, "write at most 63 lower-case"),
        (["check", MODEL, "--set-json", 'engine.extraArgs=["--max-model-len", "-1"]'], Exit.OK, "fine"),
        (["plan", MODEL, "--offline", "--gpu-memory", "1e400GiB"], Exit.USAGE, "write 80GiB"),
        (["plan", MODEL, "--offline", "--gpu-memory=-5GiB"], Exit.USAGE, "write 80GiB"),
        (["plan", MODEL, "--offline", "--gpu", "voodoo2"], Exit.USAGE, "no GPU 'voodoo2'"),
        (["plan", MODEL, "--offline", "--svg", "x.svg"], Exit.USAGE, "name the GPU"),
        (["plan", MODEL, "--offline", "--gpu", "l4", "--set=engine.device=cpu"], Exit.USAGE, "leave out --gpu"),
        (["plan", MODEL, "--offline", "--gpu", "l4", "--cluster"], Exit.USAGE, "leave one of them out"),
        (["plan", MODEL, "--offline", "--gpu", "l4", "--svg", "absent/x.svg"], Exit.USAGE, "absent/x.svg: No such"),
        (["check", MODEL, "--set-string", "replicaCount=2"], Exit.REFUSED, "write a number, without a unit or quotes"),
        (["check", MODEL, "--set-string", "hostIPC=true"], Exit.REFUSED, "write true or false, without quotes"),
        (["check", MODEL, "--set", "model.revision=1234567"], Exit.REFUSED, "write it in quotes"),
        (["check", MODEL, "--set", "lora.maxRank=24"], Exit.REFUSED, "write one of them, a number without quotes"),
        (
            ["check", MODEL, "--set", "lora.maxRank=24"],
            Exit.REFUSED,
            "must be one of 1, 8, 16, 32, 64, 128, 256, 320, 512 [",
        ),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_an_option(arguments: list[str], code: Exit, words: str) -> None:
    result = run(*arguments)

    assert result.exit_code == code, result.output
    assert words in result.output


def test_the_memory_that_was_read_on_a_gpu_stands_beside_its_name() -> None:
    result = run("plan", MODEL, "--offline", "--gpu", "l40s", "--gpu-memory", "40GiB", "-o", "json")

    assert json.loads(result.stdout)["gpu"] == {"name": "l40s", "memory": 40 << 30}


# URLs

URLS = [
    ("http://localhost:99999", "Port out of range 0-65535: write http://localhost:8000"),
    ("http://[::1", "Invalid IPv6 URL: write http://localhost:8000, or http://[::1]:8000"),
    ("http://", "names no host"),
    ("http://a..b", "names no host"),
    (f"http://{'a' * 64}", "names no host"),
    ("http://a b", "has white space in it: write http://ab"),
    ("http://x\r\nHost: y", "has white space in it"),
    ("http://localhost:0", "port 0"),
    ("http://localhost:many", "is no URL"),
    ("ftp://localhost", "write http://localhost"),
    ("localhost:8000", "write http://localhost:8000"),
    ("", "is no URL"),
]


@pytest.mark.parametrize(("url", "words"), URLS, ids=[url[:30] for url, _ in URLS])
@pytest.mark.parametrize("command", ["smoke", "load"])
def test_a_url_that_cannot_be_asked(command: str, url: str, words: str) -> None:
    result = run(command, url)

    assert result.exit_code == Exit.USAGE
    assert words in result.stderr


@pytest.mark.parametrize("command", ["smoke", "load"])
def test_a_url_that_nobody_answers(command: str) -> None:
    for url in ("http://127.0.0.1:9", "HTTP://[::1]:9/pä th".replace(" ", "%20"), "http://vllm-chart.invalid"):
        result = run(command, url)

        assert result.exit_code == Exit.ENVIRONMENT, result.output
        assert "does not answer" in result.stderr


# Charts


@pytest.fixture
def other() -> Path:
    """A chart that is not of this project."""
    folder = Path("other")
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: other\nversion: 0.1.0\n")
    return folder


@pytest.mark.parametrize(
    ("command", "code"),
    [("validate", Exit.OK), ("check", Exit.OK), ("plan", Exit.USAGE), ("preflight", Exit.USAGE)],
)
def test_another_chart(other: Path, command: str, code: Exit) -> None:
    result = run(command, "--chart", other)

    assert result.exit_code == code, result.output
    assert "other is not " in result.output


@pytest.mark.parametrize("path", ["good.yaml", "/dev/null", "."])
def test_what_is_no_chart(path: str) -> None:
    result = run("check", "--chart", path, "-f", "good.yaml")

    assert result.exit_code == Exit.USAGE
    assert path in result.stderr


@pytest.mark.parametrize(
    ("link", "target"), [(".#values.yaml", "someone@host.1:2"), ("templates/loop", "../templates")], ids=str
)
def test_a_link_in_a_chart(link: str, target: str) -> None:
    shutil.copytree(helm.default_chart(), "mine")
    Path("mine", link).symlink_to(target)

    result = run("check", "--chart", "mine", "-f", "good.yaml")

    assert result.exit_code == Exit.USAGE
    assert link in result.stderr


# Models


def broken_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"abc")


def broken_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"metadata":')


def broken_config(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"\xff{")


def no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


@pytest.mark.parametrize("spoil", [broken_weights, broken_index, broken_config, no_config])
def test_a_models_directory(spoil: Callable[[Path], None]) -> None:
    folder = Path("model")
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(dict(sources.shipped()[LLAMA].config)))
    spoil(folder)

    result = run("plan", MODEL, "--gpu", "h100", "--config", folder)

    assert result.exit_code == Exit.USAGE, result.output
    assert "model/" in result.stderr or "model " in result.stderr


def test_a_draft_is_counted_or_said_to_be_left_out_however_it_is_written() -> None:
    speculative = {"method": "draft_model", "model": "org/draft", "num_speculative_tokens": 2}
    spellings = [
        {"speculative-config": speculative},
        {f"speculative-config.{key}": value for key, value in speculative.items()},
    ]
    for number, arguments in enumerate(spellings):
        Path(f"{number}.yaml").write_text(json.dumps({"model": {"id": LLAMA}, "engine": {"args": arguments}}))

        result = run("plan", "--offline", "--gpu", "h100", "-f", f"{number}.yaml")

        assert "the weights of org/draft are not counted" in result.stdout


def test_a_gpu_that_is_in_no_table_is_told_before_the_model_is_asked_for() -> None:
    result = run("plan", "--set=model.id=org/unknown", "--offline", "--gpu", "h1000")

    assert result.exit_code == Exit.USAGE
    assert "h1000" in result.stderr


# Clusters

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: me, user: {}}]
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["diagnose", "--release=llm"],
        ["smoke", "--release=llm"],
        ["load", "--release=llm"],
        ["load", "--release=llm", "--in-cluster"],
        ["bench", "--release=llm", "--find-target"],
        ["preflight", "-f", "good.yaml"],
        ["plan", MODEL, "--offline", "--cluster"],
    ],
    ids=" ".join,
)
def test_no_cluster(arguments: list[str]) -> None:
    Path("config").write_text(KUBECONFIG)
    without = run(*arguments)
    silent = run(*arguments, "--kubeconfig", "config", "-o", "json")
    astray = run(*arguments, "--kubeconfig", "config", "--context", "elsewhere")

    assert [without.exit_code, silent.exit_code, astray.exit_code] == [Exit.ENVIRONMENT] * 3, silent.output
    assert "no cluster to talk to" in without.stderr
    assert "Connection refused" in json.loads(silent.stdout)["error"]["message"]
    assert "elsewhere" in astray.stderr


# Surroundings


def ended(*arguments: str, cwd: str | None = None, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("HOME", "NO_COLOR", "COLUMNS")}
    with program(*arguments, env=inherited | environment, cwd=cwd, encoding="utf-8", errors="replace") as process:
        out, said = process.communicate()
    return process.returncode, out, said


SURROUNDINGS: dict[str, dict[str, str]] = {
    "no home": {},
    "a home that isn't there": {"HOME": "/nonexistent"},
    "a home that can't be written": {"HOME": "/proc"},
    "no helm, no kubectl": {"PATH": "/nonexistent"},
    "no colours, no width": {"NO_COLOR": "1", "COLUMNS": "0"},
    "a narrow terminal": {"COLUMNS": "20"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "another directory": {"cwd": "/proc"},
}


@pytest.mark.parametrize("surroundings", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_surroundings(surroundings: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "ünicode.yaml"
    file.write_text("model: {id: örg/näme}\nreplicaCount: 99999999999999999999\n")

    code, out, said = ended("check", "-f", str(file), "--output", "json", **surroundings)

    assert (code, said) == (Exit.REFUSED, "")
    assert "10²⁰" in json.loads(out)["findings"][0]["message"]


def test_a_person_reads_what_the_terminal_can_show(tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(GOOD + "replicaCount: 99999999999999999999\n")

    code, out, said = ended("check", "-f", str(file), PYTHONIOENCODING="latin-1")

    assert (code, said) == (Exit.REFUSED, "")
    assert out.startswith("error: replicaCount: maximum: got 1")


LOCALES = (
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "latin-1"},
)


@pytest.mark.parametrize("locale", LOCALES, ids=["C", "Latin-1"])
def test_a_file_is_utf_8_in_every_locale(locale: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "engine.yaml"
    args = "{containers: [{name: a, image: 'vllm/vllm-openai:v0.33.0', args: [a/b, --served-model-name, 日本]}]}"
    file.write_text(f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {args}\n", encoding="utf-8")
    printed, out, said = ended("import", str(file), **locale)
    written, _, refused = ended("import", str(file), f"--output-dir={tmp_path / 'out'}", **locale)
    drawn, *_ = ended("plan", MODEL, "--offline", "--gpu=h100", f"--svg={tmp_path / 'plan.svg'}", **locale)

    assert (printed, written, drawn) == (Exit.OK, Exit.OK, Exit.OK), said + refused
    assert "servedModelName:\n  - 日本\n" in out
    assert (tmp_path / "out/a.yaml").read_bytes().decode().strip() == out.strip()
    assert (tmp_path / "plan.svg").read_bytes().decode().startswith("<svg")


@pytest.mark.parametrize("locale", LOCALES, ids=["C", "Latin-1"])
def test_a_rule_file_is_utf_8_in_every_locale(locale: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("model: {id: a/b}\nprometheusRule: {dashboardUrl: 'https://a/日本'}\n", encoding="utf-8")

    assert "dashboard_url: https://a/日本\n" in ended("rules", "-f", str(file), **locale)[1]


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names that are no text")
def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    file = os.fsencode(tmp_path) + b"/\xff.yaml"
    with open(file, "w") as opened:
        opened.write("- a")
    command = [sys.executable.encode(), b"-m", b"vllm_chart", b"check", b"-o", b"json", b"-f", file]
    done = subprocess.run(command, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (Exit.REFUSED, b"")
    assert json.loads(done.stdout)["findings"][0]["message"] == "not a mapping"
