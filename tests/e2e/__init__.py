import pytest

# A failed assertion there shows its values too.
pytest.register_assert_rewrite("tests.e2e.clients")
