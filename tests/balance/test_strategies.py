"""Class shares: each strategy equals its formula, interpolates between natural and balanced."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.balance.draw_settings import STRATEGIES, DrawSettings
from emotrain.balance.strategies import class_shares
from emotrain.emotions import PUBLISHED_COUNTS

DFEW = PUBLISHED_COUNTS["dfew"]
OWN = {"power": {"power": 0.25}}
COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 500), min_size=1, max_size=8).filter(
    lambda counts: any(counts.values())
)


@settings(deadline=None, max_examples=60)
@given(COUNTS, st.sampled_from(STRATEGIES))
def test_shares_sum_to_one_and_an_empty_class_has_none(counts, strategy):
    shares = class_shares(counts, DrawSettings(strategy, **OWN.get(strategy, {})), epoch=1)
    assert list(shares) == list(counts)
    assert math.isclose(sum(shares.values()), 1.0)
    assert all((share == 0.0) == (counts[label] == 0) for label, share in shares.items())


@settings(deadline=None, max_examples=60)
@given(COUNTS, st.sampled_from(STRATEGIES))
def test_rebalancing_never_reverses_the_order_of_classes_nor_lowers_the_rarest(counts, strategy):
    shares = class_shares(counts, DrawSettings(strategy, **OWN.get(strategy, {})), epoch=1)
    natural = class_shares(counts, DrawSettings("natural"))
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
        got = class_shares(DFEW, DrawSettings(strategy, **OWN.get(strategy, {})), epoch=1)
        np.testing.assert_allclose(list(got.values()), shares, rtol=1e-9, err_msg=strategy)
    assert total == 11697


def test_progressive_goes_from_natural_to_class_balanced():
    first = class_shares(DFEW, DrawSettings("progressive", epochs=4), epoch=0)
    last = class_shares(DFEW, DrawSettings("progressive", epochs=4), epoch=3)
    assert first == pytest.approx(class_shares(DFEW, DrawSettings("natural")))
    assert last == pytest.approx(class_shares(DFEW, DrawSettings("class_balanced")))


def test_the_usual_repeat_threshold_does_nothing_on_emotion_data_and_the_default_does():
    natural = class_shares(DFEW, DrawSettings("natural"))
    assert class_shares(DFEW, DrawSettings("repeat_factor", threshold=0.001)) == pytest.approx(natural)
    assert class_shares(DFEW, DrawSettings("repeat_factor"))["disgust"] > 2.5 * natural["disgust"]


def test_no_clips_at_all_is_an_error():
    with pytest.raises(ValueError, match="no clip to draw from"):
        class_shares({"anger": 0}, DrawSettings("natural"))
