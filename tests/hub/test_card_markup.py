"""Words that came from others stand in a card as text: no markup, no row, no template of theirs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from emotrain.evaluation.headline import ArmResult
from emotrain.examples.input_contract import InputContract
from emotrain.hub.base import Base, declared_base
from emotrain.hub.card import CardSource, write_card
from emotrain.hub.scores import Scores
from emotrain.markdown import code, fence, plain
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.summary import summarise
from emotrain.modeling.tiny_base_path import tiny_base_path
from emotrain.recipe.arguments import ContextArguments
from emotrain.records import Prediction
from emotrain.video.frame_settings import FrameSettings

LABELS = ("joy | 100 |", "<script>alert(1)</script>", "[free](http://10.0.0.1)", "{{ 7 * 191 }}", "```", "**bold**")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("staged")
    context = ContextArguments()
    InputContract(LABELS, asdict(FrameSettings(keyframes=2)), {}, asdict(context.prompt_settings())).save(folder)
    values = {"sampling": "a`b | c", "run": "x\n```\n<script>alert(2)</script>"}
    (folder / "recipe.resolved.yaml").write_text(json.dumps(values), encoding="utf-8")
    made = {"manifest": "`|`", "base": COMMIT}
    libraries = {"torch | x": "<img src=x onerror=alert(3)>"}
    provenance = {"made_from": made, "python": "3\n# heading", "libraries": libraries}
    (folder / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")
    rng = np.random.default_rng(0)
    rows = tuple(
        Prediction(f"c{i}", None, LABELS[i % 6], LABELS[int(z.argmax())], tuple(z.tolist()))
        for i, z in enumerate(rng.normal(size=(24, 6)))
    )
    table = PredictionTable(LABELS, rows)
    arms = tuple(ArmResult(name, summarise(table, resamples=20), table) for name in ("this adapter", "zero | shot"))
    row: dict[str, Any] = dict.fromkeys(("war", "uar", "macro_f1", "tail_f1"))
    scores = Scores(arms, (None, row))
    base = Base("tiny", str(tiny_base_path()))
    return write_card(CardSource(folder, "org/x", base, scores=scores)).read_text("utf-8")


def test_a_table_of_a_card_has_its_columns_whatever_the_classes_are_called(card: str) -> None:
    body = card.partition("\n---\n")[2]
    for header in ("| class | group |", "| | WAR", "| made with |"):
        lines = body[body.index(header) :].split("\n\n")[0].splitlines()
        columns = [len(line.replace("\\|", "").split("|")) for line in lines]
        assert len(set(columns)) == 1, (header, lines)
    assert r"| joy \| 100 \| |" in body


def test_nothing_of_others_is_markup_or_a_template(card: str) -> None:
    body = card.partition("\n---\n")[2]
    fenced = body.split("\n````")
    assert len(fenced) > 1, "the recipe's own backticks need a longer fence"
    outside = "".join(part for i, part in enumerate(body.replace("````", "```").split("\n```")) if i % 2 == 0)
    assert "<script" not in outside
    assert "<img" not in outside
    assert "[free](" not in outside
    assert "\n# heading" not in outside
    assert "1337" not in card


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a|b", r"a\|b"), ("<b>", "&lt;b&gt;"), ("x\n\n# y", r"x \# y"), ("\x1b[2J", r"\[2J"), ("disgust", "disgust")],
)
def test_plain_text_is_read_as_it_is(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_code_and_fences_outlast_their_text() -> None:
    assert code("a`b") == "``a`b``"
    assert fence("x ```` y") == "`````"
    assert fence("x") == "```"


def test_a_base_is_pinned_by_the_commit_of_training() -> None:
    config = {"base_model_name_or_path": "org/base", "revision": None}
    assert declared_base(config, {}, None, COMMIT).revision == COMMIT
    assert declared_base(config, {"model_revision": "v2"}, None, "d" * 32).revision == "v2"
    assert declared_base(config, {}, "org/other", COMMIT).revision is None


@pytest.mark.parametrize("name", ["http://10.0.0.1/x", "org/..", "a b", "--config", "org/base\n"])
def test_a_base_that_is_no_id_is_not_looked_up(name: str) -> None:
    with pytest.raises(ValueError, match="base"):
        declared_base({"base_model_name_or_path": name}, {}, None)
