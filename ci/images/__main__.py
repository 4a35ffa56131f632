"""The cluster's images and models, for a person: `python -m ci.images ensure` or `list`."""

import argparse

from ci import engine as engines
from ci import images
from ci.images import build, models
from ci.shell import main


def _ensure() -> None:
    images.ensure()
    for name in models.MODELS:
        print(models.ensure(name))


def _list() -> None:
    engine = engines.ensure()
    for image in build.IMAGES:
        if not images.is_current(engine, image):
            print(f"{image.reference:40} not there")
            continue
        origin = "built" if build.built_from(engine, image.reference) else "pulled"
        size = int(engine.output("image", "inspect", "--format", "{{.Size}}", image.reference))
        print(f"{image.reference:40} {origin}, {size / 1e9:.2f} GB")
    for name in models.MODELS:
        path = models.path(name)
        print(f"{name:40} {path if path.exists() else 'not trained'}")


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ci.images",
        description="The container images and the tiny models that the local cluster runs.",
        epilog="Where no registry answers, images are built; VLLM_CHART_IMAGES=pull or build decides it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, action, text in (
        ("ensure", _ensure, "pull or build the images and train the models, where they are missing"),
        ("list", _list, "say which are there"),
    ):
        commands.add_parser(name, help=text, description=text).set_defaults(action=action)
    parser.parse_args().action()


main(_main)
