"""Mistakes that people made with vLLM on Kubernetes, each with the check that catches it."""
