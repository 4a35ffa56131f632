"""Load on a service, and whether a single answer was lost: asked, counted by kind of failure, and reported."""
