"""What a row of the tables of acceptances is made of, and the places where rows were found."""

from collections.abc import Callable

from tests.render.view import View

VLLM = "https://docs.vllm.ai/en/stable"
RECIPES = "https://github.com/vllm-project/recipes/blob/main"
STACK = "https://github.com/vllm-project/production-stack/blob/main/tutorials/assets"
GKE = "https://github.com/GoogleCloudPlatform/kubernetes-engine-samples/blob/main/ai-ml"
KUBERNETES = "https://kubernetes.io/docs"

Row = tuple[str, str, str, Callable[[View], bool]]
