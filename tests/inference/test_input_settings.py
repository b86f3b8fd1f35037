"""What a caller says about the input is read as recipes read it."""

from __future__ import annotations

from typing import Any

import pytest

from emotrain.emotions import label_set
from emotrain.examples.input_contract import InputContract
from emotrain.inference.input_settings import settle


def trained_on(labels: str) -> InputContract:
    found: Any = settle(None, {"label_set": labels, "context": "none"}, adapter=None)
    prior = {label: 1 / len(found.labels) for label in found.labels}
    return InputContract(found.labels, found.frames, found.context, found.prompt, label_set=labels, prior=prior)


@pytest.mark.parametrize("said", ["calm, angry", "Calm,ANGER", "anger, calm"])
def test_own_labels_of_a_prediction_are_those_of_training_and_keep_its_prior(said: str) -> None:
    contract = settle(trained_on("calm, angry"), {"label_set": said, "tau": 1.0}, adapter="a")
    assert contract.labels == label_set(said).labels
    assert set(contract.labels) == {"calm", "anger"}
    assert contract.prior == {"calm": 0.5, "anger": 0.5}


def test_the_prior_goes_with_other_labels() -> None:
    assert settle(trained_on("mafw"), {"label_set": "dfew"}, adapter="a").prior is None


@pytest.mark.parametrize("said", ["calm,calm", "calm,", "happy,joy"])
def test_fewer_than_two_different_labels_are_refused(said: str) -> None:
    with pytest.raises(ValueError, match="expected two or more different labels"):
        settle(None, {"label_set": said}, adapter=None)
