"""A base is safetensors and JSON: no pickle is opened, no code of its own is run, its template cannot leave its box."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from emotrain.modeling import chats
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


ELSEWHERE: dict[str, tuple[str, dict[str, Any]]] = {
    "another base": ("adapter_config.json", {"base_model_name_or_path": "evil/base"}),
    "an unchecked adapter": ("adapter_config.json", {"peft_type": "LORA", "megatron_core": "evil"}),
    "a second model": ("processor_config.json", {"audio_tokenizer": {"audio_tokenizer_name_or_path": "evil/m"}}),
    "a second model by its file": ("audio_tokenizer_config.json", {"audio_tokenizer_name_or_path": "evil/m"}),
    "compiled code": ("config.json", {"attn_implementation": "evil/kernel"}),
    "compiled code of a part": ("config.json", {"attn_implementation": {"vision_config": "evil/kernel"}}),
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_a_base_that_names_another_model_or_code_is_refused_before_transformers_reads_it(base: Path, what: str) -> None:
    name, values = ELSEWHERE[what]
    held = json.loads((base / name).read_text("utf-8")) if (base / name).is_file() else {}
    (base / name).write_text(json.dumps(held | values), encoding="utf-8")
    for load in (load_model, load_processor):
        with pytest.raises(ValueError, match=rf"{name}.*--base"):
            load(str(base))


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"quantization_config": "x"}),
        ("config.json", {"vocab_size": 2_000_000_000, "text_config": {"vocab_size": 2_000_000_000}}),
        ("tokenizer_config.json", {"tokenizer_class": "EsmTokenizer"}),
        ("processor_config.json", {"image_processor": {"size": {"shortest_edge": 10**12, "longest_edge": 10**12}}}),
    ],
)
def test_what_transformers_trips_over_is_said_with_the_name_of_the_base(
    base: Path, file: str, values: dict[str, Any]
) -> None:
    held = json.loads((base / file).read_text("utf-8"))
    for key, value in values.items():
        held[key] = {**held.get(key, {}), **value} if isinstance(value, dict) else value
    (base / file).write_text(json.dumps(held), encoding="utf-8")

    def loaded() -> None:
        load_processor(str(base))
        load_model(str(base), "float32")

    with pytest.raises(ValueError, match=rf"{base}.*--base"):
        loaded()


def test_a_chat_template_without_end_is_ended(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats, "MOST_STEPS", 10_000)
    loops = "{% for i in range(9999) %}{% for j in range(9999) %}{% set x = i %}{% endfor %}{% endfor %}"
    (base / "chat_template.jinja").write_text(loops, encoding="utf-8")
    with pytest.raises(ValueError, match=r"base: its chat template .*not done after 10,000 steps.*--base"):
        chats.chat_text(load_processor(str(base)), [{"role": "user", "content": "?"}])
