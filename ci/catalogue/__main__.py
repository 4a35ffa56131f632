"""`python -m ci.catalogue 0.33.0`."""

from ci import catalogue
from ci.shell import main

main(catalogue.main)
