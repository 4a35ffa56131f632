"""The values of the charts: the single source of their values.yaml, values.schema.json and README's table."""
