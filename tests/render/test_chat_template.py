"""`model.chatTemplate`: what it renders, and whom it restarts."""

from pathlib import Path
from typing import Any

import pytest

from tests.render.view import View
from vllm_chart.helm import render

TEMPLATE = "{% for message in messages %}\n{{- message.content }}\t\"'|\\\n\n{% endfor %}"


def view(**model: Any) -> View:
    return View(render(values={"model": {"id": "org/name", **model}}))


@pytest.mark.parametrize("text", [TEMPLATE, f"{TEMPLATE}\n", f"  {TEMPLATE}\n\n", "{{ messages }}", f"{TEMPLATE}\r\n"])
def test_the_text_arrives_to_the_byte(text: str) -> None:
    v = view(chatTemplate=text)
    [mount] = [mount for mount in v.engine["volumeMounts"] if mount["name"] == "chat-template"]
    [argument] = [argument for argument in v.args if argument.startswith("--chat-template=")]
    folder, _, key = argument.removeprefix("--chat-template=").rpartition("/")
    kept = v.manifests.one("ConfigMap", v.volumes["chat-template"]["configMap"]["name"])

    assert (mount["mountPath"], mount["readOnly"]) == (folder, True)
    assert kept["data"] == {key: text}


def test_a_file_is_taken_whole(tmp_path: Path) -> None:
    file = tmp_path / "chat.jinja"
    file.write_text(TEMPLATE)
    manifests = render(values={"model": {"id": "org/name"}}, set_file=[f"model.chatTemplate={file}"])
    assert manifests.one("ConfigMap", "llm-vllm-chat-template")["data"] == {"chat-template.jinja": TEMPLATE}


def test_another_text_restarts_the_pods_and_nothing_else_does() -> None:
    one, other = view(chatTemplate=TEMPLATE), view(chatTemplate=f"{TEMPLATE} ")
    assert one.annotations["checksum/chat-template"] != other.annotations["checksum/chat-template"]
    one.template["metadata"]["annotations"] = other.template["metadata"]["annotations"]
    assert one.template == other.template


def test_a_config_map_of_ones_own_is_mounted_by_its_key_and_named_in_the_notes() -> None:
    v = view(chatTemplateRef={"name": "templates", "key": "llama.jinja"})
    items = [{"key": "llama.jinja", "path": "chat-template.jinja"}]

    assert v.volumes["chat-template"]["configMap"] == {"name": "templates", "items": items}
    assert "--chat-template=/etc/vllm/chat-template/chat-template.jinja" in v.args
    assert v.manifests.maybe("ConfigMap", "llm-vllm-chat-template") is None
    assert "no change of them restarts a pod: ConfigMap templates." in v.manifests.notes


def test_the_charts_own_is_not_named_there() -> None:
    assert "restarts a pod" not in view(chatTemplate=TEMPLATE).manifests.notes


def test_without_one_there_is_nothing_of_it() -> None:
    v = view()
    assert "chat-template" not in str(v.template)
