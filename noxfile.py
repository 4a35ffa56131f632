"""The project's sessions. `nox` runs what CI does; `nox -l` lists the rest."""

import os
import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "generated", "typecheck", "unit", "render_tests", "rules", "demo", "e2e"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.stop_on_first_error = True
nox.needs_version = ">=2026.10"

PYTHON_FILES = ("python", "ci", "tests", "noxfile.py")
CONSTRAINTS = "ci/constraints.txt"
PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
UV = "uv==0.13.9"
ALL_CORES = ("--numprocesses", "auto")
#: Helm's library in process makes garbage at each render: collected more seldom, a render costs a quarter less.
RENDERS = {"GOGC": "400"}


# What pyenv has installed, though only one of them is the shell's.
PYENV = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, PYENV.glob("versions/3.*/bin"))])


def install(session: nox.Session, *extras: str) -> None:
    """The package itself, editable, with its extras, in the versions that everybody tests with.

    And pip, which ci/ fetches pinned wheels with, and which uv leaves out of its environments.
    """
    session.install("--constraint", CONSTRAINTS, "pip", "-e", f".[{','.join(extras)}]" if extras else ".")


def free_cluster(session: nox.Session, *parts: str) -> str:
    """Have the local cluster with these parts, and nothing in it that holds its GPUs: the kubeconfig's path."""
    session.run("python", "-m", "ci.kind", "up", *(f"--{part}" for part in parts))
    session.run("python", "-m", "ci.kind", "clear")
    session.run("python", "-m", "ci.demo", "remove")
    return str(session.run("python", "-m", "ci.kind", "kubeconfig", silent=True)).strip()


@nox.session
def lint(session: nox.Session) -> None:
    """Style, generated files up to date, `helm lint --strict` on the chart and every example."""
    install(session, "lint", "dashboards")
    session.run("ruff", "check", *PYTHON_FILES, "charts")
    session.run("ruff", "format", "--check", *PYTHON_FILES, "charts")
    session.run("python", "-m", "ci.generate", "--check")
    session.run("python", "-m", "ci.dashboards", "--check")
    session.run("python", "-m", "tests.render.mistakes", "--check")
    session.run("python", "-m", "ci.lint")


@nox.session
def typecheck(session: nox.Session) -> None:
    """mypy, strict, over everything."""
    install(session, "lint", "test", "dashboards")
    session.install("--constraint", CONSTRAINTS, "nox")
    session.run("mypy", *PYTHON_FILES)


@nox.session
def unit(session: nox.Session) -> None:
    """Tests of the package that need neither Helm nor a cluster."""
    install(session, "test", "dashboards")
    session.run("pytest", "tests/unit", *ALL_CORES, *session.posargs)


@nox.session(python=PYTHONS)
def generated(session: nox.Session) -> None:
    """Whether every supported Python that is installed writes the same generated files."""
    install(session)
    session.run("python", "-m", "ci.generate", "--check")


@nox.session(python=PYTHONS)
def python(session: nox.Session) -> None:
    """Unit tests on a certain Python, `nox -s python-3.13`, or with `nox -s python` on each that is installed."""
    install(session, "test")
    session.run("pytest", "tests/unit", *ALL_CORES, *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """Unit tests with the lowest versions of what the package needs, those that pyproject.toml promises."""
    session.install(UV)
    versions = f"{session.create_tmp()}/lowest.txt"
    options = ("--extra", "test", "--resolution", "lowest-direct", "--only-binary", ":all:", "--quiet")
    session.run("uv", "pip", "compile", "pyproject.toml", *options, "--output-file", versions)
    session.install("--requirement", versions)
    session.install("--no-deps", "--editable", ".")
    session.run("pytest", "tests/unit", *ALL_CORES, *session.posargs)


@nox.session
def constraints(session: nox.Session) -> None:
    """Write ci/constraints.txt: the newest versions within pyproject.toml's ranges. Run all tests with them."""
    session.install(UV)
    extras = ("--extra", "lint", "--extra", "test", "--extra", "dashboards")
    options = (*extras, "--universal", "--python-version", PYTHONS[0], "--no-annotate")
    named = ("--custom-compile-command", "nox -s constraints", "--output-file", CONSTRAINTS)
    session.run("uv", "pip", "compile", "pyproject.toml", "--upgrade", "--quiet", *options, *named)


@nox.session
def render_tests(session: nox.Session) -> None:
    """Tests of what the chart renders and refuses."""
    install(session, "test")
    session.run("pytest", "tests/render", *ALL_CORES, *session.posargs, env=RENDERS)


@nox.session
def rules(session: nox.Session) -> None:
    """Tests of the alerts and recorded series: promtool, each alert when it fires and when it is silent; pint."""
    install(session, "test")
    session.run("python", "-m", "ci.tools", "promtool")
    session.run("python", "-m", "tests.rules.pint")
    session.run("pytest", "tests/rules", *ALL_CORES, *session.posargs)


@nox.session
def rules_mutants(session: nox.Session) -> None:
    """Whether those tests notice each rule with one thing wrong; 3,470 changes. `nox -s rules_mutants -- VLLMDown`."""
    install(session, "test")
    session.run("python", "-m", "ci.tools", "promtool")
    session.run("python", "-m", "tests.rules.mutate", *session.posargs)


@nox.session
def pint(session: nox.Session) -> None:
    """A second opinion on the rules, by Cloudflare's pint; `-- --prometheus URL` asks a live Prometheus too."""
    install(session, "test")
    session.run("python", "-m", "tests.rules.pint", *session.posargs)


@nox.session
def limits(session: nox.Session) -> None:
    """Limits over all replicas of the endpoint, with Envoy's rate-limit service; redis-server has to be on PATH."""
    install(session, "test")
    session.run("python", "-m", "ci.tools", "rate-limit-service")
    session.run("pytest", "tests/limits", *session.posargs)


@nox.session
def store(session: nox.Session) -> None:
    """A model in stores of three kinds, read by vLLM's streamer as the chart tells it; it brings torch: 4 GB of disk.

    Azure's needs npm and unshare on PATH, and is left out without them.
    """
    install(session, "test")
    session.install("runai-model-streamer[s3,gcs,azure]==0.17.0")
    for tool in ("versitygw", "fake-gcs-server", *(["azurite"] if shutil.which("npm") else [])):
        session.run("python", "-m", "ci.tools", tool)
    session.run("pytest", "tests/store", *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """Live tests, with real vLLM on the local kind cluster, which is brought up if need be.

    `nox -s e2e -- --alerts`, `--autoscaling`, `--autoscaling-zero`, `--autoscaling-hpa`, `--tracing`, `--network`,
    `--endpoint`, `--prefixes`, `--gateway`, `--tls`, `--adapters`, `--download`, `--image-volume`, `--warm-start`,
    `--object-storage` or `--faults` adds what takes long or breaks things.
    """
    install(session, "test")
    parts = ("autoscaling", "autoscaling-zero", "autoscaling-hpa", "tracing", "network", "gateway", "object-storage")
    asked = [part for part in parts if f"--{part}" in session.posargs]
    asked += ["registry"] if "--image-volume" in session.posargs else []
    kubeconfig = free_cluster(session, "monitoring", *asked)
    session.run("pytest", "tests/e2e", "--kubeconfig", kubeconfig, "--drain-nodes", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """The main job: a cluster, the chart installed, a completion answered."""
    install(session)
    session.run("python", "-m", "ci.demo", *session.posargs)


@nox.session
def cluster(session: nox.Session) -> None:
    """The local kind cluster: `nox -s cluster -- up`, `up --monitoring`, `down`, `clear` or `status`."""
    install(session)
    session.run("python", "-m", "ci.kind", *(session.posargs or ["--help"]))


@nox.session
def generate(session: nox.Session) -> None:
    """Write values.yaml, values.schema.json and the chart's README out of the values model, and the dashboards."""
    install(session, "dashboards")
    session.run("python", "-m", "ci.generate")
    session.run("python", "-m", "ci.dashboards")


@nox.session
def crds(session: nox.Session) -> None:
    """Follow releases of prometheus-operator, KEDA and the Gateway API: write the schemas of their objects."""
    install(session)
    session.run("python", "-m", "ci.crds")


@nox.session
def catalogue(session: nox.Session) -> None:
    """Follow a release of vLLM: `nox -s catalogue -- 0.33.0` writes all that its own parser says of its arguments."""
    install(session, "test")
    session.run("python", "-m", "ci.catalogue", *session.posargs)


@nox.session
def metrics(session: nox.Session) -> None:
    """What a release of vLLM says of itself under load: `nox -s metrics -- 0.33.0` takes its pages for the tests."""
    install(session)
    session.run("python", "-m", "ci.metrics", *session.posargs)


@nox.session
def endpoint_names(session: nox.Session) -> None:
    """Any values of the endpoint's chart, each tried by Envoy itself, which is then asked for each name in them:
    `nox -s endpoint_names -- 10000`, half an hour."""
    install(session, "test")
    count = session.posargs[0] if session.posargs else "1000"
    env = RENDERS | {"ENDPOINT_EXAMPLES": count}
    session.run("pytest", "tests/render/test_endpoint_names.py", "-rP", *ALL_CORES, *session.posargs[1:], env=env)


@nox.session
def endpoint_silence(session: nox.Session) -> None:
    """A stream through the endpoint that says nothing for half an hour: `nox -s endpoint_silence -- 1800`."""
    install(session, "test")
    env = {"ENDPOINT_SILENT_SECONDS": session.posargs[0] if session.posargs else "1800"}
    test = "tests/unit/test_endpoint_silence.py"
    session.run("pytest", test, "-rP", "--numprocesses", "2", *session.posargs[1:], env=env)


@nox.session
def routes(session: nox.Session) -> None:
    """The routes of a release of vLLM: `nox -s routes -- FOLDER` reads them in an unpacked wheel, for the tests."""
    install(session)
    session.run("python", "-m", "ci.routes", *session.posargs)


@nox.session
def bench_render(session: nox.Session) -> None:
    """Renders per second, in process and by the helm command, side by side."""
    install(session, "test")
    session.run("python", "-m", "tests.bench.bench_render", *session.posargs)


@nox.session
def bench_lifecycle(session: nox.Session) -> None:
    """Starts, rollouts and what they lose, beside the article's manifests, on the local kind cluster; an hour."""
    install(session, "test")
    kubeconfig = free_cluster(session)
    session.run("python", "-m", "tests.bench.bench_lifecycle", "--kubeconfig", kubeconfig, *session.posargs)


@nox.session
def bench_start(session: nox.Session) -> None:
    """From `helm install` to the first token, by how the model comes into the pod, and the bytes that takes; 15 min."""
    install(session, "test")
    kubeconfig = free_cluster(session, "registry", "object-storage")
    session.run("python", "-m", "tests.bench.bench_start", "--kubeconfig", kubeconfig, *session.posargs)


@nox.session
def bench_autoscaling(session: nox.Session) -> None:
    """The chart's autoscaling beside one by CPU, under the same load, on the local kind cluster; half an hour."""
    install(session, "test")
    kubeconfig = free_cluster(session, "autoscaling")
    session.run("python", "-m", "tests.bench.bench_autoscaling", "--kubeconfig", kubeconfig, *session.posargs)


@nox.session
def bench_overhead(session: nox.Session) -> None:
    """What `vllm-chart bench` adds to vLLM's own tool, side by side on the local kind cluster; a quarter of an hour."""
    install(session, "test")
    kubeconfig = free_cluster(session)
    session.run("python", "-m", "tests.bench.bench_overhead", "--kubeconfig", kubeconfig, *session.posargs)


@nox.session
def bench_check(session: nox.Session) -> None:
    """What `vllm-chart check` costs beyond Helm's renders; argument lists parsed per second."""
    install(session)
    session.run("python", "-m", "tests.bench.bench_check", *session.posargs)


@nox.session
def bench_scaling(session: nox.Session) -> None:
    """A day of 200 releases that scale, simulated, by this chart's policy and others; what Prometheus has to bear."""
    install(session, "test", "dashboards")
    session.run("python", "-m", "tests.bench.bench_scaling", *session.posargs)


@nox.session
def bench_endpoint(session: nox.Session) -> None:
    """What the endpoint costs: configuration at scale, a request, an open stream."""
    install(session, "test")
    session.run("python", "-m", "tests.bench.bench_endpoint", *session.posargs)


@nox.session
def bench_prefixes(session: nox.Session) -> None:
    """Prefix hits through the endpoint beside those of a replica at random, with Envoy and engines that count them."""
    install(session, "test")
    session.run("python", "-m", "tests.bench.bench_prefixes", *session.posargs)
