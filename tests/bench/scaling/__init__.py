"""A simulation of many releases that scale: what callers wait for, and what it costs, by what counts the replicas."""
