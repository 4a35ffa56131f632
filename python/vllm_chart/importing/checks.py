"""What `vllm-chart import` holds what it writes to, by the names that its findings carry."""

from vllm_chart.findings import Check

IMPORT = "Of what is imported: import"

CHECKS = tuple(
    Check(*row, IMPORT)
    for row in (
        (
            "import-carries",
            "Every field of what is imported is carried into the values, or is what the chart does anyway.",
            "The release behaves otherwise than what ran before it.",
        ),
        (
            "import-argv",
            "The engine's arguments that the chart renders are those of what is imported.",
            "Another engine is started than the one that ran before.",
        ),
        (
            "import-secrets",
            "What is imported has no secret written out.",
            "Whoever may read the file or the values has it.",
        ),
    )
)
