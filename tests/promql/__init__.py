"""What PromQL expressions of this project may say: held to pages of metrics that were taken from real engines."""
