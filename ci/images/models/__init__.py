"""Tiny Llama models that know a few things, so that a right answer from the right model can be asserted."""
