"""What the chart rendered, and what a cluster holds: objects, pods, quantities."""
