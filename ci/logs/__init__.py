"""Hold the plan against what vLLM logged in real starts."""
