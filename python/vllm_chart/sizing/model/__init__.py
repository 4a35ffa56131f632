"""A model: its architecture, weights and the parts beside them."""
