"""Losses: equal to independent float64 formulas, right gradients, and the invariants that make them comparable."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy as torch_cross_entropy

from emotrain.balance.idle_loss import check_prior
from emotrain.balance.losses import (
    LossSettings,
    balanced_softmax,
    build_loss,
    cross_entropy,
    focal,
    label_oversmoothing,
    ldam,
    ldam_margins,
    logit_adjusted,
    mass_term,
    smooth,
)
from emotrain.balance.priors import class_counts, class_prior, effective_number, inverse_frequency
from emotrain.emotions import LABEL_SETS, PUBLISHED_COUNTS
from emotrain.records import Clip

torch.set_num_threads(1)
MAFW = PUBLISHED_COUNTS["mafw"]
PRIOR = torch.from_numpy(class_prior(MAFW))
C = len(MAFW)
PLAIN = {
    "cross_entropy": cross_entropy,
    "focal": focal,
    "focal_0.5": partial(focal, gamma=0.5),
    "balanced_softmax": balanced_softmax,
    "logit_adjusted": partial(logit_adjusted, tau=1.7),
    "ldam": partial(ldam, margin=0.7, scale=3.0),
    "label_oversmoothing": label_oversmoothing,
}
NAMES = ("cross_entropy", "focal", "balanced_softmax", "logit_adjusted", "ldam", "label_oversmoothing")


def likelihoods(rows, seed=0, spread=3.0):
    """Label log-likelihoods (rows, C) with a label mass below one, and hard targets."""
    rng = torch.Generator().manual_seed(seed)
    z = spread * torch.randn(rows, C, generator=rng, dtype=torch.float64)
    z = torch.log_softmax(z, dim=1) - torch.rand(rows, 1, generator=rng, dtype=torch.float64)
    return z, torch.randint(0, C, (rows,), generator=rng)


def by_hand(name, z, y, pi):
    """One sample, one hard label, plain Python floats: the formula of the paper, no shared code."""
    z, pi = [float(v) for v in z], [float(v) for v in pi]

    def nll(scores, c):
        top = max(scores)
        return math.log(sum(math.exp(s - top) for s in scores)) + top - scores[c]

    if name.startswith("focal"):
        p, gamma = math.exp(-nll(z, y)), 0.5 if name.endswith("0.5") else 2.0
        return -((1 - p) ** gamma) * math.log(p)
    if name == "balanced_softmax":
        return -math.log(pi[y] * math.exp(z[y]) / sum(q * math.exp(s) for q, s in zip(pi, z)))
    if name == "logit_adjusted":
        return nll([s + 1.7 * math.log(q) for s, q in zip(z, pi)], y)
    if name == "ldam":
        n = [q * 1e6 for q in pi]
        margin = 0.7 * n[y] ** -0.25 / max(m**-0.25 for m in n)
        return nll([3.0 * (s - margin) if c == y else 3.0 * s for c, s in enumerate(z)], y)
    if name == "label_oversmoothing":
        return sum(((0.02 if c == y else 0.0) + 0.98 / len(z)) * nll(z, c) for c in range(len(z)))
    return nll(z, y)


@pytest.mark.parametrize("name", PLAIN)
def test_each_loss_equals_its_formula(name):
    z, y = likelihoods(40)
    expected = [by_hand(name, row, int(label), PRIOR) for row, label in zip(z, y)]
    np.testing.assert_allclose(PLAIN[name](z, y, PRIOR).numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", PLAIN)
def test_a_soft_target_is_the_expectation_over_hard_ones(name):
    z, _ = likelihoods(10, seed=1)
    votes = torch.softmax(torch.randn(10, C, generator=torch.Generator().manual_seed(2), dtype=torch.float64), dim=1)
    expected = [
        sum(float(share) * by_hand(name, row, c, PRIOR) for c, share in enumerate(votes_row))
        for row, votes_row in zip(z, votes)
    ]
    np.testing.assert_allclose(PLAIN[name](z, votes, PRIOR).numpy(), expected, rtol=1e-10)
    one_hot = torch.eye(C, dtype=torch.float64)[[3] * 10]
    torch.testing.assert_close(PLAIN[name](z, one_hot, PRIOR), PLAIN[name](z, torch.full((10,), 3), PRIOR))


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("soft", [False, True])
def test_gradients_pass_gradcheck(name, soft):
    z, y = likelihoods(4, seed=3)
    target = torch.softmax(z.flip(1), dim=1) if soft else y
    assert torch.autograd.gradcheck(lambda x: PLAIN[name](x, target, PRIOR), z.requires_grad_())


def test_the_mass_term_passes_gradcheck_and_is_zero_only_when_the_set_has_all_probability():
    z, _ = likelihoods(6)
    assert torch.autograd.gradcheck(mass_term, z.clone().requires_grad_())
    assert (mass_term(z) > 0).all()
    torch.testing.assert_close(mass_term(torch.log_softmax(z, dim=1)), torch.zeros(6, dtype=torch.float64))
    torch.testing.assert_close(mass_term(torch.log(torch.tensor([[0.1, 0.4]]))), torch.tensor([-math.log(0.5)]))


def test_cross_entropy_with_mass_weight_one_is_the_likelihood_of_the_label():
    z, y = likelihoods(20)
    terms = build_loss(LossSettings("cross_entropy", mass_weight=1.0), MAFW)(z, y, 0.0)
    torch.testing.assert_close(terms.per_sample, -z[torch.arange(20), y])


@pytest.mark.parametrize("name", NAMES)
def test_the_mass_term_is_added_to_every_loss_and_reported(name):
    z, y = likelihoods(8)
    without = build_loss(LossSettings(name, mass_weight=0.0), MAFW)(z, y, 0.0)
    with_mass = build_loss(LossSettings(name, mass_weight=0.25), MAFW)(z, y, 0.0)
    torch.testing.assert_close(with_mass.per_sample - without.per_sample, 0.25 * mass_term(z))
    torch.testing.assert_close(with_mass.mass, mass_term(z))
    # Nothing but the mass term moves when all labels lose the same likelihood.
    lower = build_loss(LossSettings(name, mass_weight=0.0), MAFW)(z - 5.0, y, 0.0)
    torch.testing.assert_close(lower.per_sample, without.per_sample)


def test_a_uniform_prior_makes_balanced_softmax_and_logit_adjustment_plain_cross_entropy():
    z, y = likelihoods(30)
    uniform = torch.full((C,), 1 / C, dtype=torch.float64)
    plain = torch_cross_entropy(z, y, reduction="none")
    torch.testing.assert_close(cross_entropy(z, y, PRIOR), plain)
    torch.testing.assert_close(balanced_softmax(z, y, uniform), plain)
    torch.testing.assert_close(logit_adjusted(z, y, uniform, tau=2.5), plain)
    torch.testing.assert_close(logit_adjusted(z, y, PRIOR, tau=0.0), plain)
    torch.testing.assert_close(logit_adjusted(z, y, PRIOR, tau=1.0), balanced_softmax(z, y, PRIOR))
    torch.testing.assert_close(focal(z, y, PRIOR, gamma=0.0), plain)
    torch.testing.assert_close(ldam(z, y, PRIOR, margin=0.0), plain)


def test_balanced_softmax_takes_counts_or_shares_alike():
    z, y = likelihoods(30)
    counts = torch.tensor(list(MAFW.values()), dtype=torch.float64)
    torch.testing.assert_close(balanced_softmax(z, y, counts), balanced_softmax(z, y, PRIOR))


def test_ldam_margins_shrink_with_the_fourth_root_of_the_count():
    margins = dict(zip(MAFW, ldam_margins(PRIOR, 0.5).tolist()))
    assert margins["disappointment"] == pytest.approx(0.5)  # the rarest class has the largest margin
    assert margins["sadness"] == pytest.approx(0.5 * (182 / 1470) ** 0.25)
    assert sorted(margins, key=margins.__getitem__) == sorted(MAFW, key=MAFW.__getitem__, reverse=True)


def test_ldam_takes_its_margins_from_the_clips_and_not_from_the_draws():
    z, y = likelihoods(20)
    drawn = dict.fromkeys(MAFW, 300)
    balanced = build_loss(LossSettings("ldam", margin=0.7, scale=3.0, mass_weight=0.0), drawn, MAFW)(z, y, 0.0)
    expected = [by_hand("ldam", row, int(label), PRIOR) for row, label in zip(z, y)]
    np.testing.assert_allclose(balanced.per_sample.numpy(), expected, rtol=1e-10, atol=1e-12)
    one_margin = build_loss(LossSettings("ldam", margin=0.7, scale=3.0, mass_weight=0.0), drawn)(z, y, 0.0)
    assert not torch.allclose(one_margin.per_sample, balanced.per_sample)
    # A prior that is taken off the scores stays that of the draws.
    softmax = build_loss(LossSettings("balanced_softmax", mass_weight=0.0), MAFW, drawn)(z, y, 0.0)
    torch.testing.assert_close(softmax.per_sample, balanced_softmax(z, y, PRIOR))


@pytest.mark.parametrize(
    ("settings_", "key", "remedy"),
    [
        (LossSettings("balanced_softmax"), "loss: balanced_softmax", "loss: cross_entropy"),
        (LossSettings("logit_adjusted", tau=100.0), "loss: logit_adjusted", "loss: cross_entropy"),
        (LossSettings(class_weights="inverse_frequency"), "class_weights: inverse_frequency", "class_weights: none"),
        (
            LossSettings("ldam", class_weights="effective_number"),
            "class_weights: effective_number",
            "sampling: natural",
        ),
    ],
)
def test_a_loss_that_corrects_a_prior_is_refused_where_the_draws_have_none(settings_, key, remedy):
    even = {"a": 1000, "b": 1003, "c": 998, "empty": 0}
    with pytest.raises(ValueError, match=f"{key} would change nothing: sampling: class_balanced.*{remedy}"):
        check_prior(settings_, even, "class_balanced")
    check_prior(settings_, {"a": 1000, "b": 960, "c": 1000}, "power")
    check_prior(settings_, MAFW, "natural")
    z, y = likelihoods(8)
    with_prior = build_loss(settings_, dict.fromkeys(MAFW, 50), MAFW)(z, y, 0.0)
    without = build_loss(LossSettings("ldam" if settings_.name == "ldam" else "cross_entropy"), MAFW)(z, y, 0.0)
    torch.testing.assert_close(with_prior.per_sample * with_prior.weight, without.per_sample)  # why it is refused


@pytest.mark.parametrize("name", ["cross_entropy", "focal", "ldam", "label_oversmoothing"])
def test_a_loss_without_a_prior_goes_with_every_sampling(name):
    check_prior(LossSettings(name), dict.fromkeys(MAFW, 50), "class_balanced")


def test_focal_uses_the_unweighted_probability_also_with_class_weights():
    z, y = likelihoods(30)
    p = torch.softmax(z, dim=1)[torch.arange(30), y]
    settings_ = LossSettings("focal", class_weights="inverse_frequency", gamma=2.0, mass_weight=0.0)
    terms = build_loss(settings_, MAFW)(z, y, 0.0)
    torch.testing.assert_close(terms.per_sample, -((1 - p) ** 2) * p.log())
    torch.testing.assert_close(terms.weight, torch.from_numpy(inverse_frequency(MAFW))[y])


@pytest.mark.parametrize("class_weights", ["inverse_frequency", "effective_number"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_weighted_cross_entropy_equals_torch_also_with_label_smoothing(class_weights, smoothing):
    z, y = likelihoods(50)
    weights = inverse_frequency(MAFW) if class_weights == "inverse_frequency" else effective_number(MAFW, 0.9999)
    expected = torch_cross_entropy(z, y, weight=torch.from_numpy(weights), label_smoothing=smoothing)
    settings_ = LossSettings(class_weights=class_weights, smoothing=smoothing, mass_weight=0.0)
    terms = build_loss(settings_, MAFW)(z, y, 0.0)
    torch.testing.assert_close((terms.per_sample * terms.weight).sum() / terms.weight.sum(), expected)
    votes = torch.softmax(z.flip(1), dim=1)
    soft = build_loss(settings_, MAFW)(z, votes, 0.0)
    per_sample = torch_cross_entropy(
        z, votes, weight=torch.from_numpy(weights), label_smoothing=smoothing, reduction="none"
    )
    torch.testing.assert_close(soft.per_sample * soft.weight, per_sample)


@pytest.mark.parametrize("name", NAMES)
def test_equal_counts_make_weights_of_one(name):
    z, y = likelihoods(20)
    equal = dict.fromkeys(MAFW, 37)
    plain = build_loss(LossSettings(name), equal)(z, y, 0.0)
    for kind in ("inverse_frequency", "effective_number"):
        terms = build_loss(LossSettings(name, class_weights=kind), equal)(z, y, 0.0)
        torch.testing.assert_close(terms.weight, torch.ones(20, dtype=torch.float64))
        torch.testing.assert_close(terms.per_sample, plain.per_sample)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(NAMES), st.lists(st.integers(1, 4), min_size=1, max_size=6), st.booleans())
def test_a_step_does_not_depend_on_how_it_is_cut_into_batches(name, cuts, soft):
    z, y = likelihoods(sum(cuts), seed=len(cuts))
    target = torch.softmax(z.flip(1), dim=1) if soft else y
    loss = build_loss(LossSettings(name, class_weights="inverse_frequency"), MAFW)

    def gradient(parts):
        x = z.clone().requires_grad_()
        total, offset = sum(loss(part, goal, 0.5).weight.sum() for part, goal in parts), 0
        for part, goal in parts:
            terms = loss(x[offset : offset + len(part)], goal, 0.5)
            ((terms.per_sample * terms.weight).sum() / total).backward()
            offset += len(part)
        return x.grad

    whole = gradient([(z, target)])
    pieces = gradient(list(zip(z.split(cuts), target.split(cuts))))
    torch.testing.assert_close(whole, pieces, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("class_weights", ["none", "inverse_frequency", "effective_number"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_empty_classes_and_extreme_scores_stay_finite(name, class_weights, dtype):
    counts = {"happiness": 5000, "fear": 0, "disgust": 1, "contempt": 0}
    z = torch.tensor([[0.0, -900.0, -900.0, -900.0], [-900.0, 0.0, -1.0, -50.0]], dtype=dtype, requires_grad=True)
    loss = build_loss(LossSettings(name, class_weights=class_weights, gamma=0.5), counts)
    for target in (torch.tensor([0, 1]), torch.tensor([3, 2]), torch.full((2, 4), 0.25)):
        terms = loss(z, target, 0.0)
        (gradient,) = torch.autograd.grad((terms.per_sample * terms.weight).sum(), z)
        assert all(term.isfinite().all() for term in (*terms, gradient))
        assert (terms.weight > 0).all()
        assert terms.per_sample.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)


@pytest.mark.parametrize("name", PLAIN)
def test_a_prior_of_zero_gives_a_finite_loss(name):
    z, y = likelihoods(8)
    prior = PRIOR.clone()
    prior[[2, 5]] = 0.0
    assert PLAIN[name](z, y, prior).isfinite().all()
    assert PLAIN[name](z, torch.full((8, C), 1 / C, dtype=torch.float64), prior).isfinite().all()


def test_deferred_reweighting_switches_the_weights_on_late():
    z, y = likelihoods(20)
    drw = build_loss(LossSettings("ldam", class_weights="effective_number", drw_start=0.8), MAFW)
    plain = build_loss(LossSettings("ldam"), MAFW)
    weighted = build_loss(LossSettings("ldam", class_weights="effective_number"), MAFW)
    for progress in (0.0, 0.5, 0.79):
        assert torch.equal(drw(z, y, progress).weight, plain(z, y, progress).weight)
    for progress in (0.8, 1.0):
        assert torch.equal(drw(z, y, progress).weight, weighted(z, y, progress).weight)
    assert not torch.allclose(drw(z, y, 0.8).weight, torch.ones(20, dtype=torch.float64))


def test_label_oversmoothing_smooths_by_098_unless_told_otherwise():
    z, y = likelihoods(20)
    built = build_loss(LossSettings("label_oversmoothing", mass_weight=0.0), MAFW)(z, y, 0.0).per_sample
    torch.testing.assert_close(built, torch_cross_entropy(z, y, label_smoothing=0.98, reduction="none"))
    none = build_loss(LossSettings("label_oversmoothing", smoothing=0.0, mass_weight=0.0), MAFW)(z, y, 0.0).per_sample
    torch.testing.assert_close(none, torch_cross_entropy(z, y, reduction="none"))
    assert smooth(y, 0.98, z).argmax(1).equal(y)


def test_weights_follow_cui_and_an_empty_class_leaves_the_others_alone():
    counts = {"a": 2669, "b": 145, "c": 902}
    raw = np.array([(1 - 0.999) / (1 - 0.999**n) for n in counts.values()])
    np.testing.assert_allclose(effective_number(counts, 0.999), raw * 3 / raw.sum(), rtol=1e-12)
    np.testing.assert_allclose(effective_number(counts, 0.0), 1.0)
    np.testing.assert_allclose(effective_number(counts, 1 - 1e-12), inverse_frequency(counts), rtol=1e-6)
    for weights in (inverse_frequency, partial(effective_number, beta=0.999)):
        np.testing.assert_allclose(weights(counts | {"d": 0})[:3], weights(counts))
    assert class_prior(counts | {"d": 0})[3] > 0


def test_counts_come_in_label_set_order_and_an_unknown_label_is_named():
    labels = LABEL_SETS["dfew"].labels
    clips = [Clip("1", "p", "fear"), Clip("2", "p", "fear"), Clip("3", "p", "anger")]
    assert list(class_counts(clips, labels)) == list(labels)
    assert class_counts(clips, labels)["fear"] == 2
    assert class_counts(clips) == {"anger": 1, "fear": 2}
    with pytest.raises(ValueError, match=r"clip '4': label 'angry' is not in the label set"):
        class_counts([Clip("4", "p", "angry")], labels)


def test_wrong_settings_are_reported_all_at_once():
    with pytest.raises(ValueError, match=r"did you mean 'focal'.*gamma -1.*beta 1.0.*mass_weight -2"):
        LossSettings("focl", gamma=-1, beta=1.0, mass_weight=-2)
    with pytest.raises(ValueError, match="did you mean 'effective_number'"):
        LossSettings(class_weights="effective")
    for key in ("tau", "gamma", "margin", "scale", "mass_weight", "smoothing", "drw_start", "beta"):
        for value in (math.inf, math.nan):
            with pytest.raises(ValueError, match=f"{key} {value}: expected a finite number"):
                LossSettings(**{key: value})


def test_shapes_that_do_not_fit_are_refused():
    z, y = likelihoods(4)
    with pytest.raises(ValueError, match=r"expected \(B, 2\)"):
        build_loss(LossSettings(), {"a": 1, "b": 2})(z, y, 0.0)
    with pytest.raises(ValueError, match="target of shape"):
        cross_entropy(z, y[:3], PRIOR)
