"""Load on a service, and whether a single answer was lost: generated, counted by kind of failure, and reported."""
