"""Is it too small, or stuck? Queues, the KV cache, preemptions, and an engine that computes nothing."""

from tests.rules.scenario import Case, elsewhere, fires, replica, two_ranks

SERVING = "serving for 40m"
IDLE = replica("b", SERVING)
#: Of an engine that does well.
BUSY = {"running": "40", "steps": "+30/s", "stopped": "+2/s", "kv_use": "0.6"}

STALLED = [
    Case(
        "an engine with one request stops",
        [replica("a", SERVING, running="0 for 5m, 1", steps="+30/s for 10m, +0/s")],
        [fires("VLLMStalled", "13m30s", value=1, pod="a", engine="0")],
    ),
    Case(
        "an engine computes nothing for three and a half minutes",
        [replica("a", SERVING, running="4", steps="+30/s for 10m, +0/s for 3m30s, +30/s")],
        [fires("VLLMStalled", "13m30s to 14m", value=4, pod="a", engine="0")],
    ),
    Case(
        "an engine computes nothing for three minutes",
        [replica("a", SERVING, running="4", steps="+30/s for 10m, +0/s for 3m, +30/s")],
        silent=["VLLMStalled"],
    ),
    Case("an engine has nothing to do", [replica("a", SERVING, steps="+30/s for 10m, +0/s")], silent=["VLLMStalled"]),
    Case(
        "an engine makes a step now and then",
        [replica("a", SERVING, running="1", steps="+1/m")],
        silent=["VLLMStalled"],
    ),
    Case("an engine is busy", [replica("a", SERVING, **BUSY)], silent=["VLLMStalled", "VLLMQueueing"]),
    Case(
        "one of two ranks stops",
        [two_ranks("a", SERVING, BUSY, {"running": "2", "steps": "+30/s for 10m, +0/s"}), IDLE],
        [fires("VLLMStalled", "13m30s", value=2, pod="a", engine="1")],
    ),
    Case(
        "one of two replicas stops",
        [replica("a", SERVING, running="2", steps="+30/s for 10m, +0/s"), replica("b", SERVING, **BUSY)],
        [fires("VLLMStalled", "13m30s", value=2, pod="a", engine="0")],
    ),
    Case(
        "one is idle and has been for long, the other is busy",
        [replica("a", SERVING, steps="5"), replica("b", SERVING, **BUSY)],
        silent=["VLLMStalled"],
    ),
]

QUEUES = [
    Case(
        "one request waits all the time, with one of two replicas",
        [replica("a", SERVING, waiting="0 for 5m, 1", **BUSY), replica("b", SERVING, **BUSY)],
        [fires("VLLMQueueing", "14m30s", value=1)],
        silent=["VLLMOverloaded"],
    ),
    Case(
        "requests wait with both replicas",
        [replica("a", SERVING, waiting="0 for 5m, 3", **BUSY), replica("b", SERVING, waiting="0 for 5m, 4", **BUSY)],
        [fires("VLLMQueueing", "14m30s", value=7)],
    ),
    Case(
        "a queue that lasts for ten minutes",
        [replica("a", SERVING, waiting="0 for 5m, 9 for 10m, 0", **BUSY)],
        [fires("VLLMQueueing", "14m30s to 15m", value=9)],
    ),
    Case(
        "a queue that lasts for half a minute less",
        [replica("a", SERVING, waiting="0 for 5m, 9 for 9m30s, 0", **BUSY)],
        silent=["VLLMQueueing"],
    ),
    Case(
        "bursts, and an empty queue between them",
        [replica("a", SERVING, waiting=", ".join(["9 for 4m30s, 0 for 30s"] * 8), **BUSY)],
        silent=["VLLMQueueing", "VLLMOverloaded"],
    ),
    Case(
        "requests wait for an adapter or their KV cache, not for capacity",
        [replica("a", SERVING, deferred="9", **BUSY)],
        silent=["VLLMQueueing"],
    ),
    Case(
        "more wait than run",
        [replica("a", SERVING, running="8", waiting="9 for 20m, 7", steps="+30/s")],
        [fires("VLLMOverloaded", "10m to 20m", value=9), fires("VLLMQueueing", "5m", value=9)],
    ),
    Case(
        "more wait than run, for ten minutes",
        [replica("a", SERVING, running="8", waiting="0 for 5m, 9 for 10m, 0", steps="+30/s")],
        [fires("VLLMQueueing", "14m30s to 15m", value=9)],
        silent=["VLLMOverloaded"],
    ),
    Case(
        "as many wait as run",
        [replica("a", SERVING, running="8", waiting="8", steps="+30/s")],
        [fires("VLLMQueueing", "5m", value=8)],
        silent=["VLLMOverloaded"],
    ),
    Case(
        "more wait than run with both replicas together",
        [
            replica("a", SERVING, running="8", waiting="4", deferred="8", steps="+30/s"),
            two_ranks(
                "b",
                SERVING,
                {"running": "4", "waiting": "1", "steps": "+9/s"},
                {"running": "2", "waiting": "3", "steps": "+9/s"},
            ),
        ],
        [fires("VLLMOverloaded", "10m", value=16), fires("VLLMQueueing", "5m", value=8)],
    ),
    Case(
        "more wait than run with one replica, and not with both together",
        [
            replica("a", SERVING, running="8", waiting="9", steps="+30/s"),
            replica("b", SERVING, running="6", steps="+30/s"),
        ],
        [fires("VLLMQueueing", "5m", value=9)],
        silent=["VLLMOverloaded"],
    ),
    Case(
        "more wait than run with one replica, because its share is not fair",
        [replica("a", SERVING, running="8", waiting="9", steps="+30/s"), replica("b", SERVING, **BUSY)],
        [fires("VLLMQueueing", "5m", value=9)],
        silent=["VLLMOverloaded"],
    ),
]

KV_CACHE = [
    Case(
        "the KV cache is full and one request waits",
        [replica("a", SERVING, waiting="1", kv_use="0.99 for 30m, 0.8", running="40", steps="+30/s")],
        [fires("VLLMKVCacheFull", "10m to 32m", value=0.99, pod="a", engine="0"), fires("VLLMQueueing", "5m", value=1)],
    ),
    Case(
        "the KV cache was full for ten minutes",
        [replica("a", SERVING, kv_use="0.99", waiting="0 for 5m, 3 for 10m, 0", running="40", steps="+30/s")],
        [fires("VLLMQueueing", "14m30s to 15m", value=3)],
        silent=["VLLMKVCacheFull"],
    ),
    Case(
        "the KV cache was full for half a minute more",
        [replica("a", SERVING, kv_use="0.99", waiting="0 for 5m, 3 for 10m30s, 0", running="40", steps="+30/s")],
        [
            fires("VLLMQueueing", "14m30s to 15m30s", value=3),
            fires("VLLMKVCacheFull", "15m to 15m30s", value=0.99, pod="a", engine="0"),
        ],
    ),
    Case(
        "the KV cache is full for a few minutes at a time",
        [
            replica(
                "a", SERVING, kv_use=", ".join(["1 for 4m, 0.7 for 1m"] * 8), waiting="3", running="40", steps="+30/s"
            )
        ],
        [fires("VLLMQueueing", "5m", value=3)],
        silent=["VLLMKVCacheFull"],
    ),
    Case(
        "the KV cache is well used and requests wait",
        [replica("a", SERVING, kv_use="0.9", waiting="3", running="40", steps="+30/s")],
        [fires("VLLMQueueing", "5m", value=3)],
        silent=["VLLMKVCacheFull"],
    ),
    Case(
        "the KV cache is as full as it may be and requests wait",
        [replica("a", SERVING, kv_use="0.95", waiting="3", running="40", steps="+30/s")],
        [fires("VLLMQueueing", "5m", value=3)],
        silent=["VLLMKVCacheFull"],
    ),
    Case(
        "the KV cache is full and nobody waits",
        [replica("a", SERVING, kv_use="0.99", running="40", steps="+30/s")],
        silent=["VLLMKVCacheFull"],
    ),
    Case(
        "one rank is full, and it is the other one's requests that wait",
        [
            two_ranks(
                "a",
                SERVING,
                {"kv_use": "0.99", "running": "40", "steps": "+30/s"},
                {"waiting": "3", "running": "40", "steps": "+30/s"},
            )
        ],
        [fires("VLLMQueueing", "5m", value=3)],
        silent=["VLLMKVCacheFull"],
    ),
    Case(
        "one replica is full, and it is the other one's requests that wait",
        [
            replica("a", SERVING, kv_use="0.99", running="40", steps="+30/s"),
            replica("b", SERVING, waiting="3", running="40", steps="+30/s"),
        ],
        [fires("VLLMQueueing", "5m", value=3)],
        silent=["VLLMKVCacheFull"],
    ),
    Case(
        "one of two ranks is full and has requests that wait",
        [
            two_ranks(
                "a", SERVING, BUSY, {"kv_use": "0.98", "waiting": "2", "deferred": "1", "running": "9", "steps": "+9/s"}
            )
        ],
        [fires("VLLMKVCacheFull", "10m", value=0.98, pod="a", engine="1"), fires("VLLMQueueing", "5m", value=2)],
    ),
    Case(
        "preemptions: one for every 18 requests that end",
        [replica("a", SERVING, preemptions="+0.055/s", stopped="+0.5/s", cut="+0.5/s")],
        [fires("VLLMPreempting", "10m30s", value=0.055)],
    ),
    Case(
        "preemptions: one for every 22 requests that end",
        [replica("a", SERVING, preemptions="+0.045/s", stopped="+0.5/s", cut="+0.5/s")],
        silent=["VLLMPreempting"],
    ),
    Case(
        "preemptions: one for every 20 requests that end, which is the limit and not more",
        [replica("a", SERVING, preemptions="+0.05/s", stopped="+1/s")],
        silent=["VLLMPreempting"],
    ),
    Case(
        "preemptions of one replica, few for what both do",
        [replica("a", SERVING, preemptions="+0.08/s", stopped="+1/s"), replica("b", SERVING, stopped="+1/s")],
        silent=["VLLMPreempting"],
    ),
    Case(
        "preemptions of both replicas and of two ranks",
        [
            replica("a", SERVING, preemptions="+0.05/s", stopped="+1/s"),
            two_ranks("b", SERVING, {"preemptions": "+0.1/s", "stopped": "+0.5/s"}, {"stopped": "+0.5/s"}),
        ],
        [fires("VLLMPreempting", "10m30s", value=0.075)],
    ),
    Case(
        "a quarter of an hour of preemptions",
        [replica("a", "serving for 60m", preemptions="+0/s for 10m, +0.2/s for 15m, +0/s", stopped="+1/s")],
        [fires("VLLMPreempting", "22m30s to 32m30s")],
    ),
    Case(
        "a burst of preemptions and no traffic after it",
        [replica("a", SERVING, preemptions="+0.2/s for 30s, +0/s", stopped="+0.1/s for 30s, +0/s")],
        silent=["VLLMPreempting"],
    ),
]

NEIGHBOURS = [
    Case(
        "others stall, queue, are full and preempt",
        [
            replica("a", SERVING, **BUSY),
            *elsewhere(replica("b", SERVING, running="4", steps="5", kv_use="0.99", waiting="9", preemptions="+1/s")),
            *elsewhere(replica("a", SERVING, running="4", steps="5", kv_use="0.99", waiting="9", preemptions="+1/s")),
        ],
        silent=["VLLMStalled", "VLLMQueueing", "VLLMOverloaded", "VLLMKVCacheFull", "VLLMPreempting"],
    ),
    Case(
        "it stalls, queues, is full and preempts beside others that do well",
        [
            replica(
                "a", SERVING, running="4", steps="5", kv_use="0.99", waiting="9", preemptions="+1/s", stopped="+1/s"
            ),
            *elsewhere(replica("a", SERVING, **BUSY)),
            *elsewhere(replica("b", SERVING, **BUSY)),
        ],
        [
            fires("VLLMStalled", "1m30s", value=4, pod="a", engine="0"),
            fires("VLLMQueueing", "5m", value=9),
            fires("VLLMOverloaded", "10m", value=9),
            fires("VLLMKVCacheFull", "10m", value=0.99, pod="a", engine="0"),
            fires("VLLMPreempting", "10m30s", value=1),
        ],
    ),
]

CASES = [*STALLED, *QUEUES, *KV_CACHE, *NEIGHBOURS]
