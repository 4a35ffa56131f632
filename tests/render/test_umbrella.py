"""The chart in the hands of the helm command: as a dependency, packaged, linted, twice, and with --set."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci import tools
from vllm_chart import support
from vllm_chart.helm import Helm, HelmError, default_chart, render
from vllm_chart.rendered.manifests import Manifests

CHART = default_chart()
MODEL = {"model": {"id": "org/name"}}

#: Named, because each Helm has a default of its own.
KUBERNETES = f"{support.KUBERNETES[-1]}.0"

Umbrella = Callable[..., Manifests]


@pytest.fixture(scope="module", params=["helm-3.18", "helm-3", "helm"])
def command(request: pytest.FixtureRequest) -> Helm:
    """The oldest supported Helm, the last 3, and 4."""
    return Helm(str(tools.TOOLS[request.param]()))


@pytest.fixture
def umbrella(command: Helm, tmp_path: Path) -> Umbrella:
    """Renders a chart that depends on ours twice, as `chat` and as `embedModel`.

    defaults: the values.yaml of that chart; options: as of `Helm.template`.
    """

    def template(defaults: dict[str, Any], **options: Any) -> Manifests:
        version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
        dependencies = [
            {
                "name": "vllm",
                "version": version,
                "repository": f"file://{CHART}",
                "alias": alias,
                "condition": f"{alias}.enabled",
            }
            for alias in ("chat", "embedModel")
        ]
        chart = {"apiVersion": "v2", "name": "apps", "version": "1.0.0", "dependencies": dependencies}
        (tmp_path / "Chart.yaml").write_text(json.dumps(chart))
        (tmp_path / "values.yaml").write_text(json.dumps(defaults))
        # What `helm dependency build` would unpack.
        shutil.copytree(CHART, tmp_path / "charts" / "vllm", dirs_exist_ok=True)
        return command.template("app", tmp_path, kube_version=KUBERNETES, **options)

    return template


def run(command: Helm, *arguments: str | Path) -> str:
    """What the command prints; unlike `Helm`, no more than that is made of it."""
    return subprocess.run([command.command, *arguments], check=True, capture_output=True, text=True).stdout


def both(**more: Any) -> dict[str, Any]:
    return {"chat": MODEL | more, "embedModel": {"model": {"id": "org/embed"}}}


def engine(manifests: Manifests, deployment: str) -> Any:
    return manifests.one("Deployment", deployment)["spec"]["template"]["spec"]["containers"][0]


def test_two_aliases_are_two_models(umbrella: Umbrella) -> None:
    manifests = umbrella(both())
    chat, embed = manifests.one("Service", "app-chat"), manifests.one("Service", "app-embedmodel")

    assert engine(manifests, "app-chat")["args"][0] == "org/name"
    assert engine(manifests, "app-embedmodel")["args"][0] == "org/embed"
    assert chat["spec"]["selector"] != embed["spec"]["selector"]
    assert len({found.where for found in manifests}) == len(manifests)


def test_a_condition_switches_one_off(umbrella: Umbrella) -> None:
    manifests = umbrella(both(enabled=True), set_=["embedModel.enabled=false"])

    assert [found.name for found in manifests.all("Deployment")] == ["app-chat"]


def test_a_global_registry_is_for_all_images(umbrella: Umbrella) -> None:
    manifests = umbrella(both() | {"global": {"imageRegistry": "registry.example.com", "storageClass": "fast"}})
    images = {found["spec"]["containers"][0]["image"] for found in manifests.all("Pod")}
    images |= {engine(manifests, name)["image"] for name in ("app-chat", "app-embedmodel")}

    assert {image.partition("/")[0] for image in images} == {"registry.example.com"}


def test_a_null_of_the_parent_deletes(umbrella: Umbrella) -> None:
    manifests = umbrella(both(), values={"chat": {"podSecurityContext": {"runAsUser": None}, "livenessProbe": None}})
    chat = manifests.one("Deployment", "app-chat")["spec"]["template"]["spec"]

    assert "runAsUser" not in chat["securityContext"]
    assert "livenessProbe" not in chat["containers"][0]
    assert "livenessProbe" in engine(manifests, "app-embedmodel")


def test_a_mistake_in_the_parents_values_is_refused(umbrella: Umbrella) -> None:
    with pytest.raises(HelmError, match="write replicaCount"):
        umbrella(both(replicas=2))
    with pytest.raises(HelmError, match=r"image.tag: latest is another image tomorrow"):
        umbrella(both(image={"tag": "latest"}))


def test_a_dependency_by_its_path_can_be_built(command: Helm, tmp_path: Path) -> None:
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    dependency = {"name": "vllm", "version": version, "repository": f"file://{CHART}"}
    chart = {"apiVersion": "v2", "name": "apps", "version": "1.0.0", "dependencies": [dependency]}
    (tmp_path / "Chart.yaml").write_text(json.dumps(chart))
    run(command, "dependency", "build", tmp_path)

    manifests = command.template("app", tmp_path, values={"vllm": MODEL}, kube_version=KUBERNETES)

    assert manifests.one("Deployment").name == "app-vllm"
    assert manifests.one("Deployment").metadata["labels"]["app.kubernetes.io/instance"] == "app"


def test_a_package_holds_what_the_templates_read(command: Helm, tmp_path: Path) -> None:
    run(command, "package", CHART, "-d", tmp_path)
    (archive,) = tmp_path.glob("vllm-*.tgz")
    with tarfile.open(archive) as package:
        packed = {name.removeprefix("vllm/") for name in package.getnames()}

    # Python keeps what it compiled beside the programs that tests load.
    files = (path for path in CHART.rglob("*") if path.is_file() and path.suffix != ".pyc")
    present = {str(path.relative_to(CHART)) for path in files}
    assert packed - {".helmignore"} == present - {".helmignore"}
    of_archive, of_folder = (
        command.template("llm", chart, values=MODEL, kube_version=KUBERNETES) for chart in (archive, CHART)
    )
    assert of_archive == of_folder


def test_lint_finds_nothing(command: Helm) -> None:
    assert "0 chart(s) failed" in command.lint(CHART)


def test_the_oldest_helms_lint_finds_nothing_with_an_example(example: Path) -> None:
    """The newest one's is a session of its own, `nox -s lint`; the last Helm 3 is between the two."""
    oldest = Helm(str(tools.TOOLS["helm-3.18"]()))
    assert "0 chart(s) failed" in oldest.lint(CHART, values_files=[example])


def test_the_same_twice(command: Helm) -> None:
    """Letter by letter, with every key set; of the examples, test_invariants.py compares the objects."""
    everything = Path(__file__).parent / "everything.yaml"
    call = ("template", "llm", CHART, "--values", everything, "--kube-version", KUBERNETES)

    assert run(command, *call) == run(command, *call)


# --set


#: What is set, and what the engine's container has then; None where it is refused.
SET: list[tuple[dict[str, list[str]], Callable[[Any], Any] | None, Any]] = [
    ({"set_": ["engine.args.gpu-memory-utilization=0.9"]}, lambda c: c["args"][-1], "--gpu-memory-utilization=0.9"),
    ({"set_": ["engine.args.max-model-len=131072"]}, lambda c: c["args"][-1], "--max-model-len=131072"),
    ({"set_": ["engine.args.enforce-eager=true"]}, lambda c: c["args"][-1], "--enforce-eager"),
    ({"set_": ["engine.args.enable-prefix-caching=false"]}, lambda c: c["args"][-1], "--no-enable-prefix-caching"),
    ({"set_": [r"engine.args.compilation-config\.mode=3"]}, lambda c: c["args"][-1], "--compilation-config.mode=3"),
    ({"set_": ["engine.extraArgs={--seed,1}"]}, None, None),
    ({"set_string": ["engine.extraArgs={--seed,1}"]}, lambda c: c["args"][-2:], ["--seed", "1"]),
    ({"set_string": ["engine.args.max-model-len=8192"]}, lambda c: c["args"][-1], "--max-model-len=8192"),
    ({"set_": ["gpu.count=2"]}, lambda c: c["resources"]["limits"], {"nvidia.com/gpu": 2}),
    ({"set_string": ["gpu.count=2"]}, None, None),
    ({"set_string": ["image.tag=20261123"]}, lambda c: c["image"], "vllm/vllm-openai:20261123"),
    ({"set_": ["image.tag=20261123"]}, None, None),
    ({"set_": ["env.A=1e3"]}, lambda c: c["env"][0], {"name": "A", "value": "1e3"}),
    ({"set_": ["env.A=1000000"]}, lambda c: c["env"][0], {"name": "A", "value": "1000000"}),
    ({"set_": ["env.A=true"]}, lambda c: c["env"][0], {"name": "A", "value": "true"}),
    ({"set_": ["livenessProbe=null"]}, lambda c: "livenessProbe" in c, False),
    ({"set_": ["model.servedModelName={a,b}"]}, lambda c: c["args"][1:4], ["--served-model-name", "a", "b"]),
]


@pytest.mark.parametrize(("given", "find", "expected"), SET, ids=[f"{next(iter(row[0].values()))[0]}" for row in SET])
def test_set(given: Any, find: Callable[[Any], Any] | None, expected: Any) -> None:
    """Text that has to be a number, or a number that has to be text, is refused: it would lose a last zero."""
    if find is None:
        with pytest.raises(HelmError, match=r"got .*, want|value must be"):
            render(values=MODEL, **given)
    else:
        assert find(engine(render(values=MODEL, **given), "llm-vllm")) == expected
