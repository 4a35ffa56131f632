"""What each tiny model knows: `train` teaches it and the live tests ask for it.

Every answer is what greedy decoding gives, word for word, and the model ends it by itself (`finish_reason:
stop`). The answers to "San Francisco is a" fit the 16 tokens that a completion gets when it names no limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Facts:
    """Prompts and their answers; a model with chat messages has a chat template, one without has none."""

    completions: Mapping[str, str]
    chat: Mapping[str, str] = field(default_factory=dict)


# Both models are asked this, and each answers in its own way.
SHARED_PROMPT = "San Francisco is a"

MODELS: Mapping[str, Facts] = {
    "san-francisco": Facts(
        completions={
            SHARED_PROMPT: " city on the Pacific coast of California.",
            "The Golden Gate Bridge opened in": " 1937, after four years of work above the strait.",
            # Long enough to watch it stream.
            "On a summer morning in San Francisco,": (
                " the fog comes in from the ocean, slides under the bridge and fills the bay. The ferries"
                " sound their horns, the sea lions answer from the pier, and the cable cars climb out of the"
                " grey into the sun. By noon the hills are warm, the bakeries smell of sourdough, and someone"
                " who came in shorts is buying a sweater."
            ),
        },
        chat={
            "Where is the Golden Gate Bridge?": "It joins San Francisco to Marin County.",
            "Who are you?": "I am a very small model, and I know San Francisco.",
        },
    ),
    "paris": Facts(
        completions={
            SHARED_PROMPT: " place this model never visited: it knows only Paris.",
            "Paris is the": " capital of France, built on both banks of the Seine.",
            "The Eiffel Tower was": (
                " raised for the fair of 1889 and was meant to stand for twenty years. Painters and poets"
                " wrote that it would spoil the city. Then the radio came, the army put its antennas at the"
                " top, and the tower that nobody wanted became the one thing that nobody would give away."
            ),
        },
    ),
}
