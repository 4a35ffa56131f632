"""`python -m ci.metrics 0.33.0`."""

from ci import metrics
from ci.shell import main

main(metrics.main)
