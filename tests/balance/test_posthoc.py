"""Post-hoc adjustment: EM finds the planted class distribution, and dividing out a prior undoes it exactly."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from emotrain.balance.posthoc import adjust, calibrate, content_free_prior, em_prior, shift_prior

SOURCE = np.array([0.6, 0.25, 0.1, 0.05])
TARGET = np.array([0.15, 0.2, 0.25, 0.4])


def gaussian_clips(prior, number, seed, spread=1.0):
    """Clips from four unit Gaussians with shares `prior`; returns labels and log p(x | class)."""
    rng = np.random.default_rng(seed)
    means = 2.0 * np.eye(4)
    labels = rng.choice(4, size=number, p=prior)
    x = means[labels] + spread * rng.standard_normal((number, 4))
    return labels, -0.5 * ((x[:, None] - means) ** 2).sum(axis=2) / spread**2


def recall(logits, labels):
    return np.mean([(logits[labels == c].argmax(axis=1) == c).mean() for c in range(4)])


@pytest.mark.parametrize("seed", range(3))
def test_em_recovers_a_planted_class_distribution(seed):
    labels, likelihood = gaussian_clips(TARGET, 6000, seed)
    found = em_prior(likelihood + np.log(SOURCE), SOURCE)
    assert found.converged
    np.testing.assert_allclose(found.prior, np.bincount(labels) / len(labels), atol=0.02)
    # The classifier with the wrong prior is far off before: what EM corrects is not small.
    assert np.abs(softmax(likelihood + np.log(SOURCE), axis=1).mean(axis=0) - TARGET).max() > 0.08
    np.testing.assert_allclose(found.logits, log_softmax(likelihood + np.log(found.prior), axis=1), atol=1e-9)


def test_em_leaves_the_prior_alone_when_the_source_is_right_and_ignores_scale_free_offsets():
    _, likelihood = gaussian_clips(SOURCE, 6000, 4)
    logits = likelihood + np.log(SOURCE)
    found = em_prior(logits, SOURCE)
    np.testing.assert_allclose(found.prior, SOURCE, atol=0.02)
    shifted = em_prior(logits - 7.0, 30 * SOURCE)
    np.testing.assert_allclose(shifted.prior, found.prior, atol=1e-9)


def test_em_raises_the_likelihood_and_says_when_it_did_not_settle():
    _, likelihood = gaussian_clips(TARGET, 500, 5)
    logits = likelihood + np.log(SOURCE)

    def evidence(prior):
        return np.log(np.exp(likelihood) @ prior).sum()

    found = [em_prior(logits, SOURCE, max_iterations=n) for n in (1, 3, 10, 1000)]
    levels = [evidence(one.prior) for one in found]
    assert levels == sorted(levels)
    assert [one.converged for one in found] == [False, False, False, True]
    assert [one.iterations for one in found[:3]] == [1, 3, 10]


def test_a_class_nobody_speaks_for_stays_finite():
    logits = np.array([[0.0, -1.0, -800.0]] * 50)
    found = em_prior(logits, np.full(3, 1 / 3))
    assert np.isfinite(found.logits).all()
    assert found.prior[2] < 1e-6


def test_adjustment_with_the_training_prior_restores_the_balanced_decision():
    labels, likelihood = gaussian_clips(np.full(4, 0.25), 4000, 6)
    logits = likelihood + np.log(SOURCE)
    np.testing.assert_array_equal(adjust(logits, SOURCE).argmax(axis=1), likelihood.argmax(axis=1))
    assert recall(adjust(logits, SOURCE), labels) > recall(logits, labels) + 0.04
    np.testing.assert_array_equal(adjust(logits, SOURCE, tau=0.0), logits)
    np.testing.assert_allclose(adjust(logits, np.full(4, 0.25)), logits + np.log(4))


def test_a_planted_model_prior_is_seen_on_content_free_inputs_and_divided_out():
    rng = np.random.default_rng(7)
    own = np.array([0.5, 0.3, 0.15, 0.05])
    blanks = np.log(own) + 0.1 * rng.standard_normal((200, 4))
    np.testing.assert_allclose(content_free_prior(blanks), own, atol=0.01)
    labels, likelihood = gaussian_clips(np.full(4, 0.25), 4000, 8)
    zero_shot = likelihood + np.log(own)
    assert recall(adjust(zero_shot, content_free_prior(blanks)), labels) == pytest.approx(
        recall(likelihood, labels), abs=0.01
    )


def test_shifting_a_prior_there_and_back_is_the_identity():
    logits = np.random.default_rng(9).standard_normal((20, 4))
    there = shift_prior(logits, SOURCE, TARGET)
    np.testing.assert_allclose(np.exp(there).sum(axis=1), 1.0)
    np.testing.assert_allclose(shift_prior(there, TARGET, SOURCE), log_softmax(logits, axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("logits", "prior", "message"),
    [
        (np.zeros(3), np.ones(3), r"expected \(N, C\)"),
        (np.zeros((0, 3)), np.ones(3), "at least one row"),
        (np.array([[0.0, 1.0], [np.nan, 0.0]]), np.ones(2), "row 1 is not finite"),
        (np.zeros((1, 3)), np.ones(2), "expected 3 positive numbers"),
        (np.zeros((1, 2)), np.array([1.0, 0.0]), "class_prior makes one"),
    ],
)
def test_unusable_scores_and_priors_are_named(logits, prior, message):
    for function in (adjust, em_prior):
        with pytest.raises(ValueError, match=message):
            function(logits, prior)


def test_calibration_finds_the_temperature_and_bias_that_spoiled_the_scores():
    rng = np.random.default_rng(4)
    honest = log_softmax(rng.normal(0, 2, (20_000, 3)), axis=1)
    gold = (np.exp(honest).cumsum(1) < rng.random((20_000, 1))).sum(1).clip(0, 2)
    spoiled = (honest + np.array([0.5, 0.0, -0.5])) * 3.0
    fitted = calibrate(spoiled, gold)
    assert fitted.temperature == pytest.approx(3.0, rel=0.05)
    np.testing.assert_allclose(fitted.bias - fitted.bias.mean(), [-0.5, 0.0, 0.5], atol=0.05)
    np.testing.assert_allclose(np.exp(fitted.apply(spoiled)), np.exp(honest), atol=0.03)
    assert calibrate(honest * 2.0, gold, biased=False).temperature == pytest.approx(2.0, rel=0.05)


def test_em_on_calibrated_scores_mends_what_it_spoils_on_over_confident_ones():
    rng = np.random.default_rng(5)
    means = np.eye(3) * 1.5

    def clips(counts):
        y = np.repeat(np.arange(3), counts)
        x = means[y] + rng.standard_normal((len(y), 3))
        return y, 4.0 * (x @ means.T + np.log([0.7, 0.25, 0.05]))  # four times too sure

    held_gold, held = clips((700, 250, 50))
    gold, scored = clips((300, 300, 300))
    fitted = calibrate(held, held_gold)
    source = np.exp(fitted.apply(held)).mean(0)
    right = {
        "as they are": (scored.argmax(1) == gold).mean(),
        "em": (em_prior(scored, np.array([0.7, 0.25, 0.05])).logits.argmax(1) == gold).mean(),
        "calibrated em": (em_prior(fitted.apply(scored), source).logits.argmax(1) == gold).mean(),
    }
    assert right["calibrated em"] > right["as they are"] + 0.05
    assert right["calibrated em"] > right["em"]
