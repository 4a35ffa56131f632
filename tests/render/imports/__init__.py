"""What people run, a form a file, and the values that come of it."""

from tests.render.imports import deployments, kserve, production_stack

CASES = [*deployments.CASES, *production_stack.CASES, *kserve.CASES]
