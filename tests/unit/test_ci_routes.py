"""The reader of vLLM's routes, on a small source."""

from pathlib import Path

import pytest

from ci.routes import ANY, FASTAPI, Route, routes
from ci.shell import HarnessError

SOURCE = """
router = APIRouter(prefix="/v9")
other = APIRouter()

@router.post("/ask", dependencies=[])
@router.get(path="/ask")
async def ask(): ...

@other.api_route("/any", methods=["GET", "POST"])
async def any_(): ...

@other.websocket("/live")
async def live(socket): ...

other.add_api_route("/added", ask, methods=["POST"])
app.mount("/files", files)
Mount("/metrics", pages)
requests.get("/no/route")
settings.get("/etc/no", other).get("key")
"""


def test_all_forms_of_a_route_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "vllm" / "entrypoints"
    folder.mkdir(parents=True)
    (folder / "api.py").write_text(SOURCE)
    found = {(route.path, tuple(route.methods)) for route in routes(tmp_path) if route.path not in FASTAPI}

    assert found >= {
        ("/v9/ask", ("POST",)),
        ("/v9/ask", ("GET",)),
        ("/any", ("GET", "POST")),
        ("/live", ("GET",)),
        ("/added", ("POST",)),
        ("/files", tuple(ANY)),
        ("/metrics", tuple(ANY)),
    }
    assert Route("/v9/ask", ["POST"], "vllm/entrypoints/api.py:5") in routes(tmp_path)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="unpacked wheel"):
        routes(tmp_path)
