"""What may not be published is found, named, and reported together; what may be is left alone."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from emotrain.atomic_files import write_table
from emotrain.hub.base import Base, declared_base
from emotrain.hub.lint import AdapterFaults, lint
from emotrain.hub.private_words import Private, leaks, private_words
from emotrain.hub.publish import Publication, as_published, write_publication
from emotrain.hub.staging import published_recipe, stage
from emotrain.modeling.tiny_base_path import tiny_base_path
from emotrain.records import CLIPS, Clip, to_table

torch.set_num_threads(1)
WEIGHTS = "adapter_model.safetensors"
TINY = Base("tiny", str(tiny_base_path()))
CAPTION = "嘴角上扬，露出开心的笑容，眼睛眯成一条缝看着对方"
CLIP_SET = [
    Clip("scene/evening-walk-07", "scene/evening-walk-07.mp4", "anger", subject="participant-31", caption=CAPTION),
    Clip("00417", "clips/00417.mp4", "fear"),
    Clip("8", "clips/8.mp4", "fear"),
    Clip("9", "clips/9.mp4", "fear"),
    Clip("12", "clips/12.mp4", "fear"),
    Clip("surprise", "clips/surprise.mp4", "surprise"),
]
Edit = Callable[[Path], None]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter on the shipped base as training leaves it: with its recipe, pickles and a data folder elsewhere."""
    from peft import get_peft_model

    from emotrain.modeling.loading import load_model
    from emotrain.modeling.lora import lora_config

    folder = tmp_path_factory.mktemp("run")
    model = load_model("tiny", "float32")
    get_peft_model(model, lora_config(model, r=2, alpha=4)).save_pretrained(folder)
    table = to_table(CLIP_SET, Clip).cast(CLIPS)
    write_table(table, folder / "data" / "clips.parquet")
    values = {"model_name_or_path": "tiny", "data": str(folder / "data"), "lora_r": 2, "output_dir": str(folder)}
    (folder / "recipe.resolved.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    torch.save({"step": 1}, folder / "optimizer.pt")
    return folder


@pytest.fixture
def adapter(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def staged(adapter: Path, tmp_path: Path) -> Path:
    stage(adapter, TINY, tmp_path / "staged")
    return tmp_path / "staged"


@pytest.fixture(scope="module")
def private(trained: Path) -> Private:
    return private_words([trained / "data"])


def write(name: str, text: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    return edit


def tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Edit:
    def edit(folder: Path) -> None:
        held = load_file(folder / WEIGHTS)
        change(held)
        save_file(held, folder / WEIGHTS)

    return edit


def poisoned(held: dict[str, torch.Tensor]) -> None:
    held[sorted(held)[3]][0, 0] = float("nan")


def first(held: dict[str, torch.Tensor]) -> str:
    return next(name for name in sorted(held) if "q_proj" in name)


def configured(**values: Any) -> Edit:
    def edit(folder: Path) -> None:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        (folder / "adapter_config.json").write_text(json.dumps({**config, **values}), encoding="utf-8")

    return edit


FAULTS: dict[str, tuple[Edit, str]] = {
    "a clip's name": (write("README.md", "see scene/evening-walk-07 for one"), "clip name"),
    "a clip's file": (write("README.md", "see evening-walk-07.mp4"), "clip name 'evening-walk-07'"),
    "a numbered clip": (write("README.md", "worst: 00417"), "clip name '00417'"),
    "a short numbered clip": (write("README.md", "worst: 8.mp4"), "clip name '8'"),
    "a list of numbers": (write("emotrain.json", '{"seen": ["8", "9", "12"]}'), "clip name '12' and 2 more"),
    "a subject": (write("README.md", "participant-31 said no"), "clip name 'participant-31'"),
    "an escaped caption": (write("emotrain.json", json.dumps({"x": CAPTION})), "the caption of a clip"),
    "a caption": (write("README.md", f"for example: {CAPTION}"), "the caption of a clip"),
    "a path": (write("recipe.resolved.yaml", "data: /mnt/people/clips"), "absolute path '/mnt/people/clips'"),
    "an escaped path": (write("emotrain.json", '{"root": "\\/mnt\\/people"}'), "absolute path"),
    "a home": (write("README.md", "in ~/data/dfew"), "absolute path"),
    "a Windows path": (write("README.md", r"in D:\faces\clips"), "absolute path"),
    "a token": (write("README.md", "HF_TOKEN=hf_" + "aB3" * 10), "a Hugging Face token"),
    "a key": (write("provenance.json", '{"k": "sk-' + "q" * 40 + '"}'), "an OpenAI key"),
    "an embedded image": (write("README.md", "![](data:image/png;base64,AAAA)"), "an embedded image"),
    "a list of clips": (write("clips.csv", "one,two"), "clips.csv: this file has no place"),
    "another picture": (lambda f: (f / "face.jpg").write_bytes(b"\xff\xd8\xff\xe0"), "face.jpg: a JPEG image"),
    "a video": (lambda f: (f / "a.bin").write_bytes(b"\0\0\0\x18ftypmp42"), "a.bin: a video"),
    "a pickle": (lambda f: (f / "state").write_bytes(pickle.dumps([1], protocol=4)), "state: a pickle"),
    "a torch file": (lambda f: torch.save({}, f / "optimizer.pt"), "optimizer.pt: a zip archive or torch pickle"),
    "not a number": (tensors(poisoned), "NaN or infinity in"),
    "a cut file": (lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:900]), "not a whole safetensors"),
    "a missing tensor": (tensors(lambda held: held.pop(first(held))), "missing from the file"),
    "a foreign tensor": (
        tensors(lambda held: held.update({"lm_head.weight": torch.ones(2)})),
        "outside what the recipe",
    ),
    "another shape": (
        tensors(lambda h: h.update({first(h): torch.ones(2, 5)})),
        "PeftModel.from_pretrained fails on tiny",
    ),
    "whole modules": (configured(modules_to_save=["lm_head"]), "modules_to_save"),
    "the vision tower": (
        tensors(lambda held: held.update(_moved(held))),
        "visual.blocks.0.attn.qkv.lora_B.weight: outside what the recipe",
    ),
}


def _moved(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    prefix = "base_model.model.model.visual.blocks.0.attn.qkv.lora_"
    return {f"{prefix}A.weight": torch.ones(2, 96), f"{prefix}B.weight": torch.ones(288, 2)}


def test_a_clean_adapter_has_no_fault(staged: Path, private: Private) -> None:
    write("README.md", "# card\n\nsurprise 8 of 12 (9 more); and/or; see https://example.org/a/b for WAR / UAR.")(
        staged
    )
    assert lint(staged, TINY, private) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, staged: Path, private: Private) -> None:
    plant, expected = FAULTS[name]
    plant(staged)
    assert any(expected in fault for fault in lint(staged, TINY, private)), lint(staged, TINY, private)


def test_all_faults_come_in_one_report_before_anything_is_written(adapter: Path, tmp_path: Path) -> None:
    tensors(poisoned)(adapter)
    tensors(lambda held: held.pop(first(held)))(adapter)
    (tmp_path / "card.jinja").write_text("seen in evening-walk-07.mp4, token hf_" + "x1" * 12, encoding="utf-8")
    with pytest.raises(AdapterFaults) as caught:
        write_publication(Publication(adapter, "org/name", template=tmp_path / "card.jinja"), tmp_path / "out")
    report = str(caught.value)
    assert report.startswith(f"{adapter}: 4 fault(s)")
    for part in ("NaN or infinity", "missing from the file", "clip name", "a Hugging Face token"):
        assert part in report
    assert "x1x1x1x1" not in report, "the report itself repeats no token"
    assert not (tmp_path / "out").exists()


def test_a_card_without_scores_has_no_figure(adapter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    left_out = write_publication(Publication(adapter, "org/name"), out)
    assert {"data", "optimizer.pt"} <= set(left_out)
    assert {path.name for path in out.iterdir()} == {
        "README.md",
        "adapter_config.json",
        WEIGHTS,
        "recipe.resolved.yaml",
        "digests.json",
    }
    text = (out / "README.md").read_text(encoding="utf-8")
    assert "model-index" not in text
    assert "## Results" not in text
    assert "base_model:" not in text, "the tiny base has no id on the Hub"
    with pytest.raises(ValueError, match="not empty"):
        write_publication(Publication(adapter, "org/name"), out)


def test_publishing_takes_named_files_only_and_cleans_them(adapter: Path) -> None:
    write("clips.json", json.dumps([clip.clip_id for clip in CLIP_SET]))(adapter)
    with as_published(adapter) as (folder, base):
        assert base == TINY
        kept = {"adapter_config.json", WEIGHTS, "recipe.resolved.yaml", "digests.json"}
        assert {path.name for path in folder.iterdir()} == kept
        assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
        assert str(adapter) not in (folder / "recipe.resolved.yaml").read_text(encoding="utf-8")


def test_a_pickled_adapter_is_refused_by_name(adapter: Path, tmp_path: Path) -> None:
    torch.save(load_file(adapter / WEIGHTS), adapter / "adapter_model.bin")
    (adapter / WEIGHTS).unlink()
    with pytest.raises(FileNotFoundError, match=r"only adapter_model\.bin; pickles are never published"):
        stage(adapter, TINY, tmp_path / "staged")


@pytest.mark.parametrize("name", ["recipe.resolved.yaml", "provenance.json"])
def test_a_link_out_of_the_adapters_folder_is_not_published(adapter: Path, tmp_path: Path, name: str) -> None:
    theirs = Path(shutil.copytree(adapter, tmp_path / "theirs"))
    (theirs / "digests.json").unlink(missing_ok=True)
    (tmp_path / "mine").write_text('{"made_from": {"password": "hunter2hunter2"}}', encoding="utf-8")
    (theirs / name).unlink(missing_ok=True)
    (theirs / name).symlink_to(tmp_path / "mine")
    with pytest.raises(ValueError, match=rf"{name}: a link to .*outside of the adapter's folder"):
        write_publication(Publication(theirs, "org/name"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_recipe_may_allow_more_than_the_language_model(staged: Path, private: Private) -> None:
    tensors(lambda held: held.update(_moved(held)))(staged)
    named = r".*(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)|.*visual\.blocks\.0\.attn\.qkv"
    configured(target_modules=named.replace(".*(?:", r".*language_model.*(?:"))(staged)
    before = lint(staged, TINY, private)
    assert any("outside what the recipe" in fault for fault in before)
    values = {"model_name_or_path": "tiny", "lora_target_modules": named}
    write("recipe.resolved.yaml", yaml.safe_dump(values))(staged)
    assert not any("outside what the recipe" in fault for fault in lint(staged, TINY, private))


def test_a_published_recipe_still_loads_and_says_nothing_of_the_machine() -> None:
    from emotrain.recipe.recipe import parse_recipe

    values = {
        "model_name_or_path": "/models/qwen",
        "data": "runs/x/data",
        "root": "/data/DFEW",
        "output_dir": "runs/x",
        "push_to_hub": True,
        "hub_model_id": "org/name",
        "summarizer": "/scratch/me/summaries",
        "cues": "openface/all.csv",
        "lora_r": 8,
        "lora_target_modules": r".*layers\..\d.*proj",
        "learning_rate": "1e-4",
        "use_cpu": True,
    }
    kept = published_recipe(values, Base("org/base", "org/base"))
    own = ("lora_r", "lora_target_modules", "learning_rate", "use_cpu")
    assert kept == {"model_name_or_path": "org/base", **{key: values[key] for key in own}}
    assert parse_recipe(kept).model.lora_r == 8


NESTED = {
    "base_url": "http://gpu07.lab.example:8000/v1",
    "path": "texts.csv",
    "key_variable": "LAB_KEY",
    "model": "/models/describer",
    "deeper": [{"folder": "../scratch/jdoe"}, "~/notes", 3],
    "max_new_tokens": 32,
}
SECRETS = ("gpu07", "texts.csv", "LAB_KEY", "/models", "scratch", "notes")


def test_options_at_any_depth_that_are_about_this_machine_stay_here(adapter: Path, tmp_path: Path) -> None:
    values = {**yaml.safe_load((adapter / "recipe.resolved.yaml").read_text("utf-8")), "summarizer": "openai"}
    write("recipe.resolved.yaml", yaml.safe_dump(values | {"summarizer_options": NESTED, "cues": None}))(adapter)
    stage(adapter, TINY, tmp_path / "out")
    text = (tmp_path / "out" / "recipe.resolved.yaml").read_text("utf-8")
    assert yaml.safe_load(text)["summarizer_options"] == {"deeper": [3], "max_new_tokens": 32}
    assert not [secret for secret in SECRETS if secret in text]


def test_lint_names_such_options_at_any_depth(staged: Path, private: Private) -> None:
    name = "recipe.resolved.yaml"
    inner = {"outer": [{"summarizer_options": NESTED}]}
    write(name, json.dumps({"model_name_or_path": "tiny", "lora_r": 2, **inner}))(staged)
    faults = lint(staged, TINY, private)
    places = ("base_url", "path", "key_variable", "model", "deeper[0].folder", "deeper[1]")
    for place in places:
        assert f"{name}: outer[0].summarizer_options.{place} is about this machine" in faults, faults
    assert sum("about this machine" in fault for fault in faults) == len(places)


@pytest.mark.parametrize(
    ("trained_on", "base_model", "declared"),
    [
        ("Qwen/Qwen2.5-VL-3B-Instruct", None, "Qwen/Qwen2.5-VL-3B-Instruct"),
        ("tiny", None, "tiny"),
        (str(tiny_base_path()), None, "tiny"),
        ("tiny", "org/tiny-base", "org/tiny-base"),
        ("/models/qwen", "Qwen/Qwen2.5-VL-3B-Instruct", "Qwen/Qwen2.5-VL-3B-Instruct"),
        ("/models/qwen", None, "pass --base-model"),
        ("./qwen", None, "pass --base-model"),
        (None, None, "pass --base-model"),
        ("tiny", "/models/qwen", "expected the id of a model on the Hub"),
    ],
)
def test_the_declared_base_is_one_that_others_can_load(
    trained_on: str | None, base_model: str | None, declared: str
) -> None:
    values = {"model_name_or_path": trained_on, "model_revision": "abc"}
    if " " not in declared:
        assert declared_base({}, values, base_model).name == declared
    else:
        with pytest.raises(ValueError, match=declared):
            declared_base({}, values, base_model)


CLIP_IN_CARD = "seen in evening-walk-07.mp4"


@pytest.fixture
def relative(adapter: Path) -> Path:
    """An adapter whose recipe names its data relative to the folder that it was trained in."""
    path = adapter / "recipe.resolved.yaml"
    values = {**yaml.safe_load(path.read_text("utf-8")), "data": "run/data", "output_dir": "run"}
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    (adapter.parent / "card.jinja").write_text(CLIP_IN_CARD, encoding="utf-8")
    return adapter


def test_a_relative_data_folder_that_is_not_found_is_said_with_the_remedy(
    relative: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "card.jinja"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AdapterFaults, match="clip name 'evening-walk-07'"):
        write_publication(Publication(relative, "org/name", template=card), tmp_path / "out")
    assert capsys.readouterr().err == ""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    write_publication(Publication(relative, "org/name", template=card), tmp_path / "unseen")
    said = capsys.readouterr().err
    looked = tmp_path / "elsewhere" / "run" / "data" / "clips.parquet"
    assert said.startswith(f"emotrain: clip names not checked: {looked} is not there; pass --data FOLDER"), said
    given = Publication(relative, "org/name", template=card, data=relative / "data")
    with pytest.raises(AdapterFaults, match="clip name 'evening-walk-07'"):
        write_publication(given, tmp_path / "out")
    with pytest.raises(FileNotFoundError, match=r"--data .*clips\.parquet is not there"):
        write_publication(Publication(relative, "org/name", data=tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_where_the_data_lay_is_kept_beside_the_adapter_and_not_published(
    relative: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.checkpoints import provenance_of

    monkeypatch.chdir(tmp_path)
    provenance = provenance_of(load_recipe(relative / "recipe.resolved.yaml", ["--context", "none"]), "0" * 64, 8)
    write("provenance.json", json.dumps(provenance))(relative)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(AdapterFaults, match="clip name 'evening-walk-07'"):
        write_publication(Publication(relative, "org/name", template=tmp_path / "card.jinja"), tmp_path / "out")
    write_publication(Publication(relative, "org/name"), tmp_path / "out")
    published = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert str(tmp_path).encode() not in published


def test_an_allowed_word_passes_and_no_other(adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from emotrain.cli import app

    monkeypatch.setenv("LOGNAME", "jdoe")
    monkeypatch.delenv("SUDO_USER", raising=False)
    (tmp_path / "card.jinja").write_text(f"{CLIP_IN_CARD} by jdoe, participant-31", encoding="utf-8")
    words = ["publish", "--adapter", str(adapter), "--repo-id", "org/name", "--template", str(tmp_path / "card.jinja")]
    words += ["--dry-run", "--out", str(tmp_path / "out")]
    allowed = ["--allow-word", "jdoe", "--allow-word", "evening-walk-07"]
    done = CliRunner().invoke(app, [*words, *allowed])
    assert isinstance(done.exception, AdapterFaults)
    (fault,) = done.exception.faults
    assert "clip name 'participant-31'" in fault
    done = CliRunner().invoke(app, [*words, *allowed, "--allow-word", "participant-31"])
    assert done.exit_code == 0, done.output


def test_a_pinned_base_stays_pinned() -> None:
    values = {"model_name_or_path": "org/base", "model_revision": "abc"}
    assert declared_base({}, values, None).revision == "abc"
    assert declared_base({}, values, "org/copy").revision is None, "a copy has revisions of its own"


def test_the_users_name_is_found_but_not_in_the_repositorys_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "jdoe")
    monkeypatch.delenv("SUDO_USER", raising=False)
    known = private_words(public=("jdoe/emotion",))
    (found,) = leaks("by jdoe, in jdoe/emotion", known)
    assert found.startswith("the user name 'jdoe'")
    assert "--allow-word jdoe" in found
    assert leaks("load jdoe/emotion", known) == []
    assert leaks("by jdoe", private_words(public=("jdoe",))) == []
    assert leaks("by jdoe", private_words(public=("d",))) != [], "a part of the name lets nothing pass"


@pytest.mark.parametrize("account", ["test", "train", "lora", "dfew", "motion"])
def test_an_account_that_is_called_as_the_projects_own_words_blocks_nothing(
    monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    monkeypatch.setenv("LOGNAME", account)
    monkeypatch.delenv("SUDO_USER", raising=False)
    text = f"split: {account}, on {account}"
    assert leaks(text, private_words()) == []
    assert leaks(f"in /home/{account}/runs", private_words()) == [f"the absolute path '/home/{account}/runs'"]


@pytest.mark.parametrize(
    "text",
    [
        "**/home/alice/data**",
        "_/home/alice_",
        "~~/srv/people/x~~",
        "</mnt/people/clips>",
        "在/home/alice/数据",
        "（/scratch/alice）",
        "a;/srv/x/y",
        "see **~/data/dfew**",
    ],
)
def test_a_path_is_found_behind_emphasis_brackets_and_chinese_words(text: str) -> None:
    assert any("the absolute path" in leak for leak in leaks(text, Private())), text


@pytest.mark.parametrize(
    "text",
    [
        "愤怒/生气/高兴",
        "https://huggingface.co/home/alice",
        "runs/data/x, ../data/x, ./home/x",
        "`**/*.py`",
        ".*layers/.*/mlp",
        "</div> and/or 1/2/3",
    ],
)
def test_what_is_no_absolute_path_is_left_alone(text: str) -> None:
    assert leaks(text, Private()) == []


def test_the_tokens_of_this_environment_are_found_in_any_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSERVER_API_KEY", "0123456789abcdef")
    monkeypatch.setenv("MYSERVER_NAME", "not-a-secret")
    (found,) = leaks("key: 0123456789abcdef of not-a-secret", private_words())
    assert found.startswith("the value of $MYSERVER_API_KEY")
    assert "0123456789abcdef" not in found


@settings(deadline=None, max_examples=40)
@given(
    name=st.from_regex(r"[a-z]{4,8}_[0-9]{3}_[a-z]{2,5}", fullmatch=True),
    before=st.sampled_from(["", "x ", '"', "(", "dir/", "["]),
    after=st.sampled_from(["", " x", '"', ".mp4", ".jpg)", "],", "."]),
)
def test_a_clip_name_is_found_whatever_stands_around_it(name: str, before: str, after: str) -> None:
    assert any("clip name" in leak for leak in leaks(f"a {before}{name}{after} b", Private(frozenset({name}))))
    assert leaks(f"a {before}{name}x{after} b", Private(frozenset({name}))) == []
