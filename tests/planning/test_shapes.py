"""Shapes are those of the real architecture: parameters, adapters, and the published count of every known model."""

from __future__ import annotations

import pytest

from emotrain.modeling.loading import load_model
from emotrain.modeling.lora import lora_config
from emotrain.planning.published import published
from emotrain.planning.shapes import read_shapes


@pytest.mark.parametrize("name", published())
def test_a_published_model_has_the_parameters_that_its_authors_publish(name: str, no_network: None) -> None:
    shapes, known = read_shapes(name), published()[name]
    counted = {"model": shapes.parameters, "language_model": shapes.language.parameters}
    stated = known["published"]
    assert counted[stated["of"]] == pytest.approx(stated["parameters"], rel=0.01)
    if stated["of"] == "model":
        assert shapes.parameters == stated["parameters"], "to the last one, where the whole model's count is known"
    assert known["source"]
    assert stated["by"]
    assert shapes.parameters_elsewhere >= 0


def test_the_tiny_base_has_the_shapes_of_its_weights(no_network: None) -> None:
    from peft import get_peft_model

    model = load_model("tiny")
    shapes = read_shapes("tiny")
    assert shapes.parameters == sum(p.numel() for p in model.parameters())
    assert shapes.vision.parameters == sum(p.numel() for p in model.model.visual.parameters())
    adapted = get_peft_model(model, lora_config(model, r=8))
    trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert shapes.language.adapter_parameters(8) == trained


def test_named_target_modules_are_adapted_and_no_others(no_network: None) -> None:
    both = read_shapes("tiny", target_modules=["q_proj", "v_proj"]).language
    one = read_shapes("tiny", target_modules=["q_proj"]).language
    text = read_shapes("tiny").config.get_text_config()
    assert one.adapted == text.num_hidden_layers * 2 * text.hidden_size
    assert both.adapted - one.adapted == text.num_hidden_layers * (text.hidden_size + both.key_value)


def test_a_model_that_nothing_is_known_of_asks_for_its_config(no_network: None) -> None:
    with pytest.raises(ValueError, match=r"some-org/some-vlm.*hf download some-org/some-vlm config.json"):
        read_shapes("some-org/some-vlm")
