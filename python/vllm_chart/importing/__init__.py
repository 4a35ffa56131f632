"""Values of the chart out of what others have: what `vllm-chart import` reads, and what becomes of each field."""
