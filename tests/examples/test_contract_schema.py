"""An input contract is data: whatever else stands in it is refused by whoever reads it, and all of it is named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.context.motion_backend import MotionSummarizer
from emotrain.context.openai_backend import OpenaiBackend
from emotrain.context.prompt import PromptSettings
from emotrain.context.vlm_backend import VlmBackend
from emotrain.emotions import label_set
from emotrain.examples.contract_schema import SCHEMA, SUMMARIZERS, contract_faults
from emotrain.examples.input_contract import CONTRACT, InputContract, input_contract, read_contract, template_digests
from emotrain.recipe.arguments import ContextArguments
from emotrain.recipe.recipe import load_recipe
from emotrain.video.frame_settings import FrameSettings

LABELS = label_set("mafw").labels


def sound(**values: Any) -> dict[str, Any]:
    """A contract as training writes it."""
    context = ContextArguments()
    prompt = asdict(context.prompt_settings())
    kept = {key: value for key, value in asdict(context).items() if key not in ("summarizer_options", "cues")}
    made = InputContract(
        LABELS,
        asdict(FrameSettings()),
        kept,
        prompt,
        label_set="mafw",
        image_size=224,
        summarizer={"backend": "motion", **MotionSummarizer().settings()},
        base_model="Qwen/Qwen2.5-VL-3B-Instruct",
        templates=template_digests(prompt),
        prior={label: 1 / len(LABELS) for label in LABELS},
        emotrain="0.1.0",
    )
    return dict(json.loads(json.dumps(asdict(made)))) | values


def test_the_schema_knows_every_field_and_no_other() -> None:
    contract = {entry.name for entry in fields(InputContract)}
    assert SCHEMA.keys() | {"summarizer"} == contract
    for section, kind in (("frames", FrameSettings), ("context", ContextArguments), ("prompt", PromptSettings)):
        table = SCHEMA[section]
        assert isinstance(table, Mapping)
        assert set(table) == {entry.name for entry in fields(kind)}, section
    asked = (OpenaiBackend("m", "http://127.0.0.1:1/v1"), VlmBackend("m"), MotionSummarizer())
    for backend in asked:
        assert backend.settings().keys() <= SUMMARIZERS[backend.name].keys(), backend.name


def test_what_training_writes_is_read_back(tmp_path: Path) -> None:
    (tmp_path / CONTRACT).write_text(json.dumps(sound()), encoding="utf-8")
    contract = read_contract(tmp_path)
    assert contract is not None
    assert json.loads(json.dumps(asdict(contract))) == sound()


HOSTILE: dict[str, dict[str, Any]] = {
    "a server": {"context": {**sound()["context"], "summarizer_options": {"base_url": "http://10.0.0.1/v1"}}},
    "a server among the settings": {"summarizer": {"backend": "openai", "base_url": "http://10.0.0.1/v1"}},
    "a key": {"summarizer": {"backend": "openai", "key_variable": "AWS_SECRET_ACCESS_KEY"}},
    "a key at the top": {"key_variable": "HF_TOKEN"},
    "a model's folder": {"summarizer": {"backend": "vlm", "model": "/net/evil/model"}},
    "a model's code": {"summarizer": {"backend": "vlm", "model": "m", "trust_remote_code": True}},
    "a device": {"summarizer": {"backend": "vlm", "device_map": "auto"}},
    "a file of texts": {"summarizer": {"backend": "precomputed", "path": "/etc/passwd"}},
    "cues": {"context": {**sound()["context"], "cues": "/home/user/au.csv"}},
    "the text of a template": {"prompt": {**sound()["prompt"], "question": "{{ ''.__class__ }}"}},
    "a template elsewhere": {"prompt": {**sound()["prompt"], "question": "../../../../tmp/mine"}},
    "a digest of a file elsewhere": {"templates": {"../../../etc/passwd": "00"}},
    "a base in a folder": {"base_model": "/models/qwen"},
    "a base at home": {"base_model": "~/base"},
    "a base beside": {"base_model": "../base"},
    "a base behind an address": {"base_model": "https://example.org/base"},
    "a base behind a share": {"base_model": "\\\\host\\share"},
    "a revision that climbs": {"base_revision": "../../main"},
    "a type": {"dtype": "os.system"},
    "a decoder": {"frames": {**sound()["frames"], "decoder": "subprocess"}},
    "frames without end": {"frames": {**sound()["frames"], "keyframes": 10**9}},
    "an image without end": {"image_size": 10**6},
    "orders without end": {"option_orders": 1000},
    "a rate without end": {"frames": {**sound()["frames"], "policy": "fps:1e308"}},
    "thresholds that cannot be": {"summarizer": {"backend": "motion", "spotting": {"burst_s": 0}}},
    "a template that is no question": {"prompt": {**sound()["prompt"], "question": "summary"}},
    "no number": {"tau": float("nan")},
    "a label that moves the cursor": {"labels": ["joy", "\x1b[2Jfear"], "prior": None},
    "a label of lines": {"labels": ["joy", "fear\n# heading"], "prior": None},
    "one label": {"labels": ["joy"], "prior": None},
    "a prior of others": {"prior": {"joy": 1.0}},
    "an unknown key": {"plugins": ["evil"]},
    "an unknown back end": {"summarizer": {"backend": "shell"}},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_adapter_may_say_is_refused_by_its_place(tmp_path: Path, what: str) -> None:
    (tmp_path / CONTRACT).write_text(json.dumps(sound(**HOSTILE[what])), encoding="utf-8")
    with pytest.raises(ValueError, match=CONTRACT) as refused:
        read_contract(tmp_path)
    known = {"a rate without end": "fps:1e308", "thresholds that cannot be": "burst_s"}
    assert known.get(what, next(iter(HOSTILE[what]))) in str(refused.value)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize("text", ["[" * 200_000, "{}" + " " * 2_000_000, "[1]", '"x"', "{", "", "\x80"])
def test_a_file_that_is_no_object_is_refused_quickly_and_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / CONTRACT).write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=CONTRACT):
        read_contract(tmp_path)


def test_all_faults_come_at_once() -> None:
    assert len(contract_faults(sound(tau="x", dtype=3, plugins=[], labels="joy"))) == 4


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*sorted(SCHEMA), "summarizer"]), values)
def test_any_value_anywhere_is_taken_or_named_and_never_trips_the_reader(key: str, value: Any) -> None:
    for fault in contract_faults(sound(**{key: value})):
        assert isinstance(fault, str)


def test_every_row_of_the_table_of_trust_names_a_test_that_exists_and_every_field_has_a_row() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "trust.md").read_text("utf-8")
    tests = "".join(file.read_text("utf-8") for file in (root / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 15
    assert not [name for name in sorted(named) if f"def {name}(" not in tests]
    contract = page.partition("## `adapter_config.json`")[0]
    inside = [key for section in (SCHEMA["frames"], SUMMARIZERS["openai"]) for key in dict(section)]  # type: ignore[call-overload]
    own = {"backend", "version", "language"}
    assert not [key for key in {*SCHEMA, *inside} - own if f"`{key}`" not in contract]


@pytest.mark.parametrize("odd", [{"decoder": "evil"}, {"key_variable": "HF_TOKEN"}])
def test_what_a_data_folder_says_must_fit_a_contract(tmp_path: Path, odd: dict[str, Any]) -> None:
    recipe = load_recipe(Path(__file__).parents[2] / "recipes/tiny/sparse_natural.yaml", ["--data", str(tmp_path)])
    (tmp_path / "frames").mkdir()
    header = {"settings": asdict(recipe.data.frame_settings())}
    (tmp_path / "frames" / "frames.json").write_text(json.dumps(header), encoding="utf-8")
    assert input_contract(recipe).frames == header["settings"]
    header["settings"] |= odd
    (tmp_path / "frames" / "frames.json").write_text(json.dumps(header), encoding="utf-8")
    with pytest.raises(ValueError, match=r"frames\.json and backend\.json[^~]*frames\."):
        input_contract(recipe)
