"""Class shares: each strategy equals its formula, interpolates between natural and balanced, refuses idle settings."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.balance.strategies import STRATEGIES, class_shares
from emotrain.emotions import PUBLISHED_COUNTS

DFEW = PUBLISHED_COUNTS["dfew"]
OWN = {"power": {"power": 0.25}, "progressive": {"epoch": 1, "epochs": 3}}
COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 500), min_size=1, max_size=8).filter(
    lambda counts: any(counts.values())
)


@settings(deadline=None, max_examples=60)
@given(COUNTS, st.sampled_from(STRATEGIES))
def test_shares_sum_to_one_and_an_empty_class_has_none(counts, strategy):
    shares = class_shares(counts, strategy, **OWN.get(strategy, {}))
    assert list(shares) == list(counts)
    assert math.isclose(sum(shares.values()), 1.0)
    assert all((share == 0.0) == (counts[label] == 0) for label, share in shares.items())


@settings(deadline=None, max_examples=60)
@given(COUNTS, st.sampled_from(STRATEGIES))
def test_rebalancing_never_reverses_the_order_of_classes_nor_lowers_the_rarest(counts, strategy):
    shares = class_shares(counts, strategy, **OWN.get(strategy, {}))
    natural = class_shares(counts, "natural")
    present = sorted((label for label in counts if counts[label]), key=counts.__getitem__)
    ordered = [shares[label] for label in present]
    assert all(a <= b * (1 + 1e-12) for a, b in pairwise(ordered))
    assert shares[present[0]] >= natural[present[0]] * (1 - 1e-12)


def test_each_strategy_equals_its_published_formula_on_dfew():
    n = np.array(list(DFEW.values()), dtype=float)
    total, classes, f = n.sum(), len(n), n / n.sum()

    def normalised(x):
        return x / x.sum()

    expected = {
        "natural": f,
        "square_root": normalised(np.sqrt(n)),
        "class_balanced": np.full(classes, 1 / classes),
        "power": normalised(n**0.25),
        "progressive": 0.5 * f + 0.5 / classes,
        "repeat_factor": normalised(n * np.maximum(1, np.sqrt((1 / classes) / f))),
        "effective_number": normalised(n * (1 - 0.9999) / (1 - 0.9999**n)),
    }
    assert set(expected) == set(STRATEGIES)
    for strategy, shares in expected.items():
        got = class_shares(DFEW, strategy, **OWN.get(strategy, {}))
        np.testing.assert_allclose(list(got.values()), shares, rtol=1e-9, err_msg=strategy)
    assert total == 11697


def test_progressive_goes_from_natural_to_class_balanced():
    first = class_shares(DFEW, "progressive", epoch=0, epochs=4)
    last = class_shares(DFEW, "progressive", epoch=3, epochs=4)
    assert first == pytest.approx(class_shares(DFEW, "natural"))
    assert last == pytest.approx(class_shares(DFEW, "class_balanced"))


def test_the_usual_repeat_threshold_does_nothing_on_emotion_data_and_the_default_does():
    natural = class_shares(DFEW, "natural")
    assert class_shares(DFEW, "repeat_factor", threshold=0.001) == pytest.approx(natural)
    assert class_shares(DFEW, "repeat_factor")["disgust"] > 2.5 * natural["disgust"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("class_balance",), "did you mean 'class_balanced'"),
        (("power",), "needs power=q"),
        (("natural", {"power": 0.5}), "power=0.5 has no effect on 'natural'"),
        (
            ("power", {"power": 0.5, "beta": 0.9, "threshold": 0.1}),
            "beta=0.9 has no effect.*threshold=0.1 has no effect",
        ),
        (("effective_number", {"beta": 1.0}), "0 <= beta < 1"),
        (("repeat_factor", {"threshold": 0.0}), "more than 0"),
        (("progressive",), "needs 2 or more"),
    ],
)
def test_a_wrong_or_idle_setting_is_refused(arguments, message):
    strategy, given_settings = arguments[0], arguments[1] if len(arguments) > 1 else {}
    with pytest.raises(ValueError, match=message):
        class_shares(DFEW, strategy, **given_settings)


def test_no_clips_at_all_is_an_error():
    with pytest.raises(ValueError, match="no clip to draw from"):
        class_shares({"anger": 0}, "natural")
