"""The images that the cluster needs: pulled where a registry answers, built from packages where none does.

Both ways end in the same references in the local engine, so nothing after this knows the difference.
"""

from collections.abc import Sequence

from ci import engine as engines
from ci.engine import Engine, registry_reachable
from ci.images import build, derived, programs
from ci.images.build import IMAGES, Image
from ci.images.derived import Derived
from ci.images.programs import Program
from ci.shell import only_one, step


def ensure(images: Sequence[Image | Program | Derived] = IMAGES) -> None:
    """Have images in the engine; does nothing for those that are there. Raises HarnessError."""
    engine = engines.ensure()
    bases = [image.base for image in images if isinstance(image, Derived)]
    with only_one("images"):
        for image in (*bases, *images):
            if not is_current(engine, image):
                _provide(engine, image)


def is_current(engine: Engine, image: Image | Program | Derived) -> bool:
    """Whether the engine has the image: pulled, or built from what its folder holds now. Raises HarnessError."""
    if engine.image_id(image.reference) is None:
        return False
    return build.built_from(engine, image.reference) in ("", image.fingerprint())


def _provide(engine: Engine, image: Image | Program | Derived) -> None:
    if isinstance(image, Derived):
        derived.build(engine, image)
    elif registry_reachable():
        with step(f"Pull {image.reference}", remedy="VLLM_CHART_IMAGES=build builds it instead."):
            engine.run("pull", image.reference)
    elif isinstance(image, Program):
        programs.build(engine, image)
    else:
        remedy = "It needs root on Debian or Ubuntu, Debian's mirror, PyPI, and 10 GB of disk."
        with step(f"Build {image.reference}", remedy):
            build.build(engine, image)
