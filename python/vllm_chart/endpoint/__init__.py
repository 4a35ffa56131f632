"""The endpoint in front of models: what its clients' Secret holds."""
