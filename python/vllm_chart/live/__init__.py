"""A live release, or the cluster for one: will it fit, why is it not ready, does it answer."""
