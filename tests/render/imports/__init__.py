"""What people run, a form a file, and the values that come of it."""

from tests.render.imports import deployments

CASES = [*deployments.CASES]
