"""The harness: everything that brings up a local cluster to test the chart on."""
