"""A base is safetensors and JSON: no pickle is opened, no code of its own is run, its template cannot leave its box."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from emotrain.modeling.chats import encode_chats
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.tiny_base_path import tiny_base_path


class Creates:
    """Unpickled, creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_base_path(), tmp_path / "base"))


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), encoding="utf-8")


def test_a_pickled_base_is_refused_unopened(base: Path, tmp_path: Path) -> None:
    (base / "model.safetensors").unlink()
    (base / "pytorch_model.bin").write_bytes(pickle.dumps(Creates(tmp_path / "opened")))
    with pytest.raises((OSError, ValueError), match="safetensors"):
        load_model(str(base), "float32")
    assert not (tmp_path / "opened").exists()


def test_code_beside_a_base_is_not_run(base: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (base / "evil.py").write_text(f"open({str(marker)!r}, 'w')\nclass Model: pass\nclass Config: pass\n", "utf-8")
    names = ("AutoConfig", "AutoModelForImageTextToText", "AutoProcessor", "AutoTokenizer", "AutoImageProcessor")
    for file in ("config.json", "tokenizer_config.json", "processor_config.json"):
        changed(base / file, auto_map=dict.fromkeys(names, "evil.Model"))
    load_model(str(base), "float32")
    load_processor(str(base))
    changed(base / "config.json", model_type="evil", auto_map={"AutoConfig": "evil.Config"})
    with pytest.raises(ValueError, match=r"trust_remote_code|model type|model_type"):
        load_processor(str(base))
    assert not marker.exists()


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.system('touch MARKER') }}",
        "{{ messages.__class__.__base__ }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_a_chat_template_cannot_leave_its_box(base: Path, tmp_path: Path, template: str) -> None:
    (base / "chat_template.jinja").write_text(template.replace("MARKER", str(tmp_path / "ran")), encoding="utf-8")
    processor = load_processor(str(base))
    messages = [{"role": "user", "content": [{"type": "text", "text": "{{ 7 * 191 }}"}]}]
    with pytest.raises(Exception, match=r"unsafe|no loader|undefined|not supported|safely"):
        encode_chats(processor, [messages], None)
    assert not (tmp_path / "ran").exists()


def test_what_a_prompt_holds_is_no_template() -> None:
    processor = load_processor("tiny")
    messages = [{"role": "user", "content": [{"type": "text", "text": "{{ 7 * 191 }}"}]}]
    text = processor.apply_chat_template(messages, tokenize=False)
    assert "{{ 7 * 191 }}" in text
    assert "1337" not in text
