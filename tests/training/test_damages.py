"""A damaged checkpoint is passed over and said, a damaged result is made again, and nothing is used in silence."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from damages import ANY, OF_JSON

from emotrain.training.checkpoints import is_finished, look_at
from emotrain.training.whole import VOUCHED_BY, checkpoint_faults

Trained = Callable[..., tuple[Path, list[dict[str, Any]]]]


def unfinish(output: Path) -> None:
    for name in ("provenance.json", "digests.json"):
        (output / name).unlink(missing_ok=True)


def test_every_harm_to_every_file_of_a_checkpoint_is_found_and_named(trained: Trained) -> None:
    output, _ = trained("one", epochs=1)
    checkpoint, before = output / "checkpoint-4", output / "checkpoint-2"
    harms = 0
    for path in sorted(checkpoint.iterdir()):
        content = path.read_bytes()
        twin = before / path.name
        for name, harm in {**ANY, **(OF_JSON if path.suffix == ".json" else {})}.items():
            other = twin.read_bytes()
            new = harm(content, random.Random(harms), other if other != content else b"another run's")
            if path.name == "digests.json" and name in ("longer", "last byte missing"):
                continue  # white space at its end says nothing
            path.unlink() if new is None else path.write_bytes(new)
            found = checkpoint_faults(checkpoint, content=True)
            assert found, f"{path.name}, {name}"
            assert path.name in found[0] or path.name == "digests.json", f"{path.name}, {name}: {found}"
            path.write_bytes(content)
            harms += 1
    assert harms > 150
    assert checkpoint_faults(checkpoint, content=True) == []
    (checkpoint / "scaler.pt").write_bytes((checkpoint / "scheduler.pt").read_bytes())
    assert checkpoint_faults(checkpoint, content=True) == ["scaler.pt: not written with this checkpoint"]
    shutil.rmtree(checkpoint)
    shutil.copytree(before, checkpoint)
    assert checkpoint_faults(checkpoint, content=True) == ["trainer_state.json: of step 2"]


def test_a_run_goes_on_from_the_newest_whole_checkpoint_and_makes_a_damaged_result_again(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    output, history = trained("one", epochs=1)
    weights = (output / "adapter_model.safetensors").read_bytes()
    # The newest lost its optimiser's content; an older provenance was cut.
    unfinish(output)
    (output / "checkpoint-4" / "optimizer.pt").write_bytes(b"")
    capsys.readouterr()
    _, again = trained("one", epochs=1)
    said = capsys.readouterr().err
    assert f"emotrain: {output}: checkpoint-4: optimizer.pt: 0 bytes; expected" in said
    assert "training goes on from checkpoint-2" in said
    assert [entry.get("loss") for entry in again] == [entry.get("loss") for entry in history]
    assert (output / "adapter_model.safetensors").read_bytes() == weights

    (output / "checkpoint-2" / "provenance.json").write_text("{")
    (output / "adapter_model.safetensors").write_bytes(weights[:-9])
    assert not is_finished(output)
    trained("one", epochs=1)
    assert "adapter_model.safetensors: " in capsys.readouterr().err
    assert (output / "adapter_model.safetensors").read_bytes() == weights
    for folder in output.glob("checkpoint-*"):
        shutil.rmtree(folder)
    contract = json.loads((output / "emotrain.json").read_text(encoding="utf-8"))
    (output / "emotrain.json").write_text(json.dumps({**contract, "tau": 0.5}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"emotrain\.json: .*`emotrain check .* --renew`"):
        trained("one", epochs=1)


def test_a_checkpoint_of_a_version_without_lists_is_gone_on_from_with_a_note(trained: Trained) -> None:
    output, _ = trained("one", epochs=1)
    unfinish(output)
    for folder in output.glob("checkpoint-*"):
        (folder / "digests.json").unlink()
    assert look_at(output).last is None, "written by this version, and its list is gone"
    for folder in output.glob("checkpoint-*"):
        told = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        del told[VOUCHED_BY]
        (folder / "provenance.json").write_text(json.dumps(told), encoding="utf-8")
    found = look_at(output)
    assert found.last == output / "checkpoint-4"
    assert found.said is not None
    assert "of a version that kept no list" in found.said
    archive = output / "checkpoint-4" / "optimizer.pt"
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2] + b"\x00\x01\x02\x03" + content[len(content) // 2 + 4 :])
    assert look_at(output).last == output / "checkpoint-2", "archives have checksums of their own"
