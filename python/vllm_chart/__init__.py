"""Proves what the vllm chart promises: values, manifests, and the live service."""
