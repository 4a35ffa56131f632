"""What do clients meet? Rejections, requests given up, and errors of the engine."""

from tests.rules.scenario import Case, elsewhere, fires, replica, two_ranks

SERVING = "serving for 50m"
QUEUE, TOKENS = "max_num_queued_reqs", "max_num_queued_tokens"

REJECTIONS = [
    Case(
        "requests are rejected for a while",
        [replica("a", SERVING, rejected="+0/s for 10m, +0.1/s for 20m, +0/s"), replica("b", SERVING)],
        [fires("VLLMRejecting", "15m30s to 34m30s", reason=QUEUE)],
    ),
    Case(
        "a burst of rejections that is over in half a minute",
        [replica("a", SERVING, rejected="+0/s for 10m, +1/s for 30s, +0/s")],
        silent=["VLLMRejecting"],
    ),
    Case(
        "rejections within a minute and a half",
        [replica("a", SERVING, rejected="+0/s for 10m, +1/s for 90s, +0/s")],
        [fires("VLLMRejecting", "15m30s to 16m", reason=QUEUE)],
    ),
    Case(
        "rejections of both kinds, with two replicas",
        [replica("a", SERVING, rejected="+0.1/s", rejected_tokens="+0.2/s"), replica("b", SERVING, rejected="+0.4/s")],
        [
            fires("VLLMRejecting", "5m30s", value=0.5, reason=QUEUE),
            fires("VLLMRejecting", "5m30s", value=0.2, reason=TOKENS),
        ],
    ),
    Case("some were rejected once", [replica("a", SERVING, rejected="7")], silent=["VLLMRejecting"]),
]

TO_AND_FRO = ", ".join(["9 for 30s, 0 for 30s"] * 30)
#: A client that hangs up leaves a first token and no end; vLLM counts it nowhere.
ABORTS = [
    Case(
        "more than a fifth of the requests is given up",
        [replica("a", SERVING, ttft="+1/s", stopped="+0.5/s", cut="+0.28/s", running="9", steps="+9/s")],
        [fires("VLLMAborted", "15m30s", value=0.22)],
        silent=["VLLMEngineErrors"],
    ),
    Case(
        "less than a fifth of the requests is given up",
        [replica("a", SERVING, ttft="+1/s", stopped="+0.5/s", cut="+0.32/s", running="9", steps="+9/s")],
        silent=["VLLMAborted"],
    ),
    Case(
        "all are given up, 22 in a quarter of an hour",
        [replica("a", SERVING, ttft="+88/h")],
        [fires("VLLMAborted", "29m", value=1)],
    ),
    Case(
        "all are given up, 18 in a quarter of an hour",
        [replica("a", SERVING, ttft="+72/h")],
        silent=["VLLMAborted"],
    ),
    Case(
        "all are given up, 22 in a quarter of an hour by two replicas",
        [replica("a", SERVING, ttft="+44/h"), replica("b", SERVING, ttft="+44/h")],
        [fires("VLLMAborted", "29m", value=1)],
    ),
    Case(
        "requests are given up, while those that run come and go",
        [replica("a", "serving for 30m", ttft="+1/s", stopped="+0.7/s", steps="+9/s", running=TO_AND_FRO)],
        [fires("VLLMAborted", "15m30s")],
    ),
    Case(
        "requests are given up for a quarter of an hour",
        [replica("a", "serving for 80m", ttft="+1/s for 20m, +2/s for 15m, +1/s", stopped="+1/s")],
        [fires("VLLMAborted", "39m to 46m")],
    ),
    Case(
        "requests are given up for five minutes",
        [replica("a", "serving for 80m", ttft="+1/s for 20m, +2/s for 5m, +1/s", stopped="+1/s")],
        silent=["VLLMAborted"],
    ),
    Case(
        "the clients of one replica give up, few of all",
        [
            replica("a", SERVING, ttft="+1/s", stopped="+0.7/s"),
            replica("b", SERVING, ttft="+1/s", stopped="+1/s"),
        ],
        silent=["VLLMAborted"],
    ),
    Case(
        "clients of both replicas and of two ranks give up",
        [
            replica("a", SERVING, ttft="+1/s", stopped="+0.7/s"),
            two_ranks("b", SERVING, {"ttft": "+0.5/s", "stopped": "+0.4/s"}, {"ttft": "+0.5/s", "stopped": "+0.4/s"}),
        ],
        [fires("VLLMAborted", "15m30s", value=0.25)],
    ),
    Case(
        "requests that take long pile up, in two replicas, and none is given up",
        [replica(pod, SERVING, ttft="+0.1/s", running="+0.1/s", steps="+9/s") for pod in ("a", "b")],
        silent=["VLLMAborted"],
    ),
    Case(
        "a third of the requests ends, a third still runs, and a third was given up",
        [replica("a", SERVING, ttft="+0.3/s", stopped="+0.1/s", running="+0.1/s", steps="+9/s")],
        [fires("VLLMAborted", "16m30s", value=1 / 3)],
    ),
    Case(
        "an engine crashes with all that runs, which no client gave up",
        [
            replica(
                "a",
                "serving for 20m, down for 1m, serving for 29m",
                ttft="+0.2/s",
                stopped="+0.2/s",
                running="100 for 20m, 0",
                steps="+9/s",
            )
        ],
        silent=["VLLMAborted"],
    ),
]

ERRORS = [
    Case(
        "more than a hundredth of the requests ends in an error",
        [replica("a", SERVING, stopped="+0.5/s", cut="+0.489/s", errors="+0.011/s")],
        [fires("VLLMEngineErrors", "5m30s", value=0.011)],
        silent=["VLLMAborted"],
    ),
    Case(
        "less than a hundredth of the requests ends in an error",
        [replica("a", SERVING, stopped="+0.5/s", cut="+0.491/s", errors="+0.009/s")],
        silent=["VLLMEngineErrors"],
    ),
    Case(
        "errors for a quarter of an hour",
        [replica("a", "serving for 80m", stopped="+1/s", errors="+0/s for 20m, +0.02/s for 15m, +0/s")],
        [fires("VLLMEngineErrors", "33m to 42m30s")],
    ),
    Case(
        "errors for a few minutes, then many requests without",
        [replica("a", "serving for 80m", stopped="+1/s for 30m, +9/s", errors="+0/s for 27m, +0.1/s for 2m, +0/s")],
        silent=["VLLMEngineErrors"],
    ),
    Case(
        "errors of one replica, few of all",
        [replica("a", SERVING, stopped="+1/s", errors="+0.015/s"), replica("b", SERVING, stopped="+1/s")],
        silent=["VLLMEngineErrors"],
    ),
    Case(
        "errors of both replicas and of two ranks",
        [
            replica("a", SERVING, stopped="+0.98/s", errors="+0.02/s"),
            two_ranks("b", SERVING, {"stopped": "+0.48/s", "errors": "+0.02/s"}, {"stopped": "+0.5/s"}),
        ],
        [fires("VLLMEngineErrors", "5m30s", value=0.02)],
    ),
    Case(
        "no traffic, after some that went wrong",
        [
            replica(
                "a",
                "serving for 60m",
                stopped="90",
                aborted="90",
                errors="90",
                rejected="90",
                http_2xx="90",
                http_5xx="90",
                ttft="90",
                ttft_slow="90",
                itl="900",
                itl_slow="900",
            )
        ],
        silent=["VLLMAborted", "VLLMEngineErrors", "VLLMRejecting", "VLLMErrorBudgetBurn", "VLLMTTFTBudgetBurn"],
    ),
]

NEIGHBOURS = [
    Case(
        "others reject, fail and are given up",
        [
            replica("a", SERVING, stopped="+1/s"),
            *elsewhere(replica("b", SERVING, rejected="+1/s", ttft="+1/s", errors="+0.5/s")),
        ],
        silent=["VLLMRejecting", "VLLMAborted", "VLLMEngineErrors"],
    ),
    Case(
        "it rejects, fails and is given up beside others that do well",
        [
            replica("a", SERVING, rejected="+1/s", ttft="+1/s", stopped="+0.25/s", errors="+0.25/s"),
            *elsewhere(replica("a", SERVING, ttft="+9/s", stopped="+9/s")),
            *elsewhere(replica("b", SERVING, ttft="+9/s", stopped="+9/s")),
        ],
        [
            fires("VLLMRejecting", "5m30s", value=1, reason=QUEUE),
            fires("VLLMAborted", "15m30s", value=0.5),
            fires("VLLMEngineErrors", "5m30s", value=0.5),
        ],
    ),
]

CASES = [*REJECTIONS, *ABORTS, *ERRORS, *NEIGHBOURS]
