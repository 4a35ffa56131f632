"""A cluster: its API, its scheduler's arithmetic, what its admission lets in."""
