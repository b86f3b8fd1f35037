"""An adapter_config.json makes a LoRA and nothing else: what PEFT would import, load or repeat for it is refused."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from emotrain.modeling.adapter_config import CONFIG, config_faults, module_pattern
from emotrain.modeling.adapters import load_adapter

MARKER = "evil_megatron_core"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain LoRA adapter on the shipped base, as PEFT writes it."""
    from peft import get_peft_model

    from emotrain.modeling.loading import load_model
    from emotrain.modeling.lora import lora_config

    folder = tmp_path_factory.mktemp("plain")
    model = load_model("tiny", "float32")
    get_peft_model(model, lora_config(model, r=2, alpha=4)).save_pretrained(folder)
    return folder


HOSTILE: dict[str, dict[str, Any]] = {
    "a module to import": {"megatron_config": {"x": 1}, "megatron_core": MARKER},
    "a module alone": {"megatron_core": MARKER},
    "a file to unpickle": {"corda_config": {"cache_file": "/tmp/x.pt"}, "init_lora_weights": "corda"},
    "a file of gradients": {"lora_ga_config": {"cache_file": "/tmp/x.pt"}},
    "other adapters": {"peft_type": "XLORA", "adapters": {"0": "evil/adapter"}},
    "a tokenizer": {"peft_type": "PROMPT_TUNING", "tokenizer_name_or_path": "evil/tokenizer"},
    "a pickled prompt": {"peft_type": "MULTITASK_PROMPT_TUNING", "prompt_tuning_init_state_dict_path": "/tmp/x.pt"},
    "layers without end": {"layer_replication": [[0, 100_000]]},
    "a rank without end": {"r": 10**9},
    "a pattern without end": {"target_modules": r"(\w+)*\.x"},
    "many repeats": {"target_modules": ".*.*.*.*.*.*x"},
    "optional parts without end": {"target_modules": ".?" * 40 + "." * 40 + "!"},
    "alternatives without end": {"exclude_modules": "(?:la|la)" * 30},
    "alternatives of which one begins another": {"target_modules": "(?:a|aa)" * 30},
    "slow patterns of ranks": {"rank_pattern": {".*.*.*.*x": 4}},
    "a pattern of ranks without end": {"rank_pattern": {r"((a*)*)*": 4}},
    "no pattern": {"target_modules": "("},
    "a key of the future": {"remote_hook": "http://10.0.0.1"},
    "no number": {"lora_alpha": float("inf")},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_more_than_a_lora_is_refused_before_peft_sees_it(
    adapter: Path, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{MARKER}.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for file in adapter.iterdir():
        (tmp_path / file.name).symlink_to(file)
    config = json.loads((adapter / CONFIG).read_text("utf-8")) | HOSTILE[what]
    (tmp_path / CONFIG).unlink()
    (tmp_path / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ValueError, match=CONFIG) as refused:
        load_adapter(None, str(tmp_path))
    assert any(key in str(refused.value) for key in HOSTILE[what])
    assert MARKER not in sys.modules


def test_what_peft_writes_is_taken_and_auto_mapping_imports_nothing(adapter: Path, tmp_path: Path) -> None:
    from emotrain.modeling.loading import load_model

    config = json.loads((adapter / CONFIG).read_text("utf-8"))
    assert config_faults(config) == []
    for file in adapter.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / CONFIG).unlink()
    mapping = {"base_model_class": "Anything", "parent_library": MARKER}
    (tmp_path / CONFIG).write_text(json.dumps(config | {"auto_mapping": mapping, "task_type": None}), encoding="utf-8")
    load_adapter(load_model("tiny", "float32"), str(tmp_path))
    assert MARKER not in sys.modules


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:model\.language_model\.layers)\.\d+\.(?:mlp\.down_proj|self_attn\.q_proj)",
        r"^(?!.*visual).*(?:q_proj|k_proj|v_proj)$",
        r"^(model\.language_model(?=\.).*\.(gate_proj|up_proj))$",
        "q_proj",
    ],
)
def test_patterns_that_people_use_are_taken(pattern: str) -> None:
    assert module_pattern(pattern) is None


def test_a_rank_that_the_file_does_not_hold_takes_no_memory(
    adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from emotrain.modeling.loading import load_model

    for file in adapter.iterdir():
        (tmp_path / file.name).symlink_to(file)
    config = json.loads((adapter / CONFIG).read_text("utf-8")) | {"r": 4096}
    (tmp_path / CONFIG).unlink()
    (tmp_path / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    model = load_model("tiny", "float32")
    built: list[str] = []
    real = torch.nn.Linear.__init__

    def noted(self: Any, *given: Any, **named: Any) -> None:
        real(self, *given, **named)
        built.append(self.weight.device.type)

    monkeypatch.setattr(torch.nn.Linear, "__init__", noted)
    with pytest.raises(ValueError, match="other shapes"):
        load_adapter(model, str(tmp_path))
    assert set(built) == {"meta"}


def test_the_slowest_pattern_that_is_taken_answers_soon() -> None:
    import re

    pattern = ".*.*.*.*x"
    assert module_pattern(pattern) is None
    started = time.process_time()
    assert re.fullmatch(pattern, "model.language_model.layers.10.self_attn.q_proj" * 2) is None
    assert time.process_time() - started < 2.0
