"""Second-stage heads: at the optimum of the right objective, better on rare classes, SMOTE on embeddings only."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from emotrain.balance.heads import UNSEEN, fit_head, load_head, save_head, tau_normalised
from emotrain.balance.smote import smote

LABELS = ("happiness", "neutral", "disgust")
COUNTS = (600, 300, 24)


def embeddings(counts, seed, width=12, apart=0.75):
    """Overlapping Gaussian classes in `width` dimensions, float32 as a model gives them."""
    rng = np.random.default_rng(seed)
    means = np.random.default_rng(99).standard_normal((3, width)) * apart
    x = np.concatenate([means[c] + rng.standard_normal((n, width)) for c, n in enumerate(counts)])
    return (5.0 + 3.0 * x).astype(np.float32), [LABELS[c] for c, n in enumerate(counts) for _ in range(n)]


X, Y = embeddings(COUNTS, 0)
TEST_X, TEST_Y = embeddings((400, 400, 400), 1)


def recalls(head):
    predicted = np.array(head.labels)[head.logits(TEST_X).argmax(axis=1)]
    return {label: (predicted[np.array(TEST_Y) == label] == label).mean() for label in LABELS}


@pytest.mark.parametrize("method", ["linear", "crt"])
def test_linear_and_crt_agree_with_scikit_learn(method):
    head = fit_head(X, Y, LABELS, method, l2=1e-3)
    points = (X.astype(float) - head.centre) / head.scale
    # scikit-learn's C multiplies the summed loss: C = 1 / (l2 * sum of sample weights), which is N in both cases.
    reference = LogisticRegression(
        C=1 / (1e-3 * len(X)), class_weight="balanced" if method == "crt" else None, tol=1e-9, max_iter=5000
    ).fit(points, Y)
    order = [list(reference.classes_).index(label) for label in LABELS]
    ours, theirs = head.logits(X), reference.decision_function(points)[:, order]
    np.testing.assert_allclose(log_softmax(ours, axis=1), log_softmax(theirs, axis=1), atol=2e-3)


@pytest.mark.parametrize("method", ["crt", "tau_norm", "lws", "smote"])
def test_every_second_stage_lifts_the_rare_class_over_the_plain_head(method):
    plain, head = recalls(fit_head(X, Y, LABELS, "linear")), recalls(fit_head(X, Y, LABELS, method))
    assert head["disgust"] > plain["disgust"] + 0.05
    assert np.mean(list(head.values())) > np.mean(list(plain.values()))


def test_tau_normalisation_makes_norms_one_at_one_and_nothing_at_zero():
    plain = fit_head(X, Y, LABELS, "linear")
    head = fit_head(X, Y, LABELS, "tau_norm", tau=1.0)
    np.testing.assert_allclose(np.linalg.norm(head.weight, axis=1), 1.0)
    np.testing.assert_allclose(head.weight, tau_normalised(plain.weight, 1.0))
    np.testing.assert_array_equal(tau_normalised(plain.weight, 0.0), plain.weight)
    half = np.linalg.norm(tau_normalised(plain.weight, 0.5), axis=1)
    np.testing.assert_allclose(half, np.linalg.norm(plain.weight, axis=1) ** 0.5)


def test_lws_scales_the_weights_of_the_plain_head_to_a_balanced_optimum():
    plain, head = fit_head(X, Y, LABELS, "linear"), fit_head(X, Y, LABELS, "lws")
    factors = np.linalg.norm(head.weight, axis=1) / np.linalg.norm(plain.weight, axis=1)
    np.testing.assert_allclose(head.weight, plain.weight * factors[:, None])
    assert not head.bias.any()
    y = np.array([LABELS.index(label) for label in Y])
    weight = 1.0 / np.array(COUNTS)[y]
    evidence = plain.logits(X) - plain.bias

    def balanced_loss(scales):
        loss = -(weight * log_softmax(evidence * scales, axis=1)[np.arange(len(y)), y]).sum() / weight.sum()
        return loss + 0.5e-3 * (np.log(scales) ** 2).sum()

    best = balanced_loss(factors)
    assert best < balanced_loss(np.ones(3))
    for c in range(3):
        for step in (-0.05, 0.05):
            assert best <= balanced_loss(factors + step * np.eye(3)[c])


@pytest.mark.parametrize("width", [64, 256])
def test_evidence_for_a_rare_class_never_speaks_against_it(width):
    rng = np.random.default_rng(7)
    counts = (489, 379, 534, 435, 294, 29, 180)  # DFEW's training clips / 5
    means = rng.standard_normal((7, width)) * 0.3
    x = np.concatenate([means[c] + rng.standard_normal((n, width)) for c, n in enumerate(counts)])
    names = tuple("abcdefg")
    y = [names[c] for c, n in enumerate(counts) for _ in range(n)]
    plain, head = fit_head(x, y, names, "linear"), fit_head(x, y, names, "lws")
    assert (head.weight * plain.weight).sum(axis=1).min() > 0
    test_x = np.concatenate([means[c] + rng.standard_normal((100, width)) for c in range(7)])
    right = {h: (m.logits(test_x).argmax(1) == np.repeat(np.arange(7), 100)) for h, m in (("p", plain), ("l", head))}
    assert right["l"].mean() > right["p"].mean()
    assert right["l"][500:600].mean() > right["p"][500:600].mean() + 0.2


def test_los_lifts_the_rare_class_where_embeddings_separate_the_training_clips():
    x, y = embeddings((150, 75, 8), 2, width=300, apart=0.35)
    test_x, test_y = embeddings((100, 100, 100), 3, width=300, apart=0.35)
    recall = {}
    for method in ("linear", "los"):
        head = fit_head(x, y, LABELS, method, l2=1e-4)
        assert [LABELS[c] for c in head.logits(x).argmax(axis=1)] == y
        recall[method] = (head.logits(test_x).argmax(axis=1) == 2)[np.array(test_y) == "disgust"].mean()
    assert recall["los"] > recall["linear"] + 0.05


def test_los_without_smoothing_is_the_plain_head():
    plain, los = fit_head(X, Y, LABELS, "linear"), fit_head(X, Y, LABELS, "los", smoothing=0.0)
    np.testing.assert_array_equal(los.weight, plain.weight)
    flat = log_softmax(fit_head(X, Y, LABELS, "los").logits(X), axis=1)
    assert np.exp(flat).max() < 0.5  # 0.98 smoothing: no probability above its target of 0.02 + 0.98 / 3


def test_a_label_without_a_clip_gets_a_finite_score_and_is_never_predicted():
    labels = ("contempt", *LABELS)
    head = fit_head(X, Y, labels, "crt")
    assert head.labels == labels
    scores = head.logits(TEST_X)
    assert np.isfinite(scores).all()
    assert (scores[:, 0] == UNSEEN).all()
    assert not (scores.argmax(axis=1) == 0).any()
    np.testing.assert_allclose(scores[:, 1:], fit_head(X, Y, LABELS, "crt").logits(TEST_X))


def test_a_saved_head_scores_the_same(tmp_path):
    head = fit_head(X, Y, LABELS, "crt")
    save_head(head, tmp_path / "head.safetensors")
    read = load_head(tmp_path / "head.safetensors")
    assert read.labels == LABELS
    np.testing.assert_array_equal(read.logits(TEST_X), head.logits(TEST_X))
    assert [file.name for file in tmp_path.iterdir()] == ["head.safetensors"]


def test_smote_fills_each_class_up_with_points_between_its_own():
    x, y = X.astype(float), np.repeat(np.arange(3), COUNTS)
    made, classes = smote(x, y, neighbours=5, seed=3)
    assert np.bincount(classes).tolist() == [600, 600, 600]
    np.testing.assert_array_equal(made[: len(x)], x)
    rare = x[y == 2]
    for point in made[len(x) :][classes[len(x) :] == 2][:60]:
        # On a segment between two points of the class: for some pair the detour through the point is nil.
        to_point = np.linalg.norm(rare - point, axis=1)
        detour = to_point[:, None] + to_point[None, :] - np.linalg.norm(rare[:, None] - rare[None, :], axis=2)
        pair = np.unravel_index(np.argmin(detour + 1e9 * np.eye(len(rare))), detour.shape)
        assert detour[pair] < 1e-6
        near = np.argsort(np.linalg.norm(rare - rare[pair[0]], axis=1))[1:6]
        back = np.argsort(np.linalg.norm(rare - rare[pair[1]], axis=1))[1:6]
        assert pair[1] in near or pair[0] in back
    again, _ = smote(x, y, neighbours=5, seed=3)
    np.testing.assert_array_equal(made, again)
    assert not np.array_equal(made, smote(x, y, neighbours=5, seed=4)[0])


def test_smote_survives_classes_smaller_than_its_neighbourhood():
    x = np.random.default_rng(0).standard_normal((13, 4))
    made, classes = smote(x, np.array([0] * 10 + [1] * 2 + [2]))
    assert np.bincount(classes).tolist() == [10, 10, 10]
    np.testing.assert_array_equal(made[classes == 2], np.repeat(x[-1:], 10, axis=0))
    assert np.isfinite(made).all()


@pytest.mark.parametrize(
    "points",
    [np.zeros((4, 3, 8, 8), dtype=np.float32), np.zeros((4, 64), dtype=np.uint8), np.zeros((4, 9), dtype=np.int64)],
    ids=["images", "pixels", "token ids"],
)
def test_smote_refuses_pixels_and_tokens(points):
    with pytest.raises(ValueError, match="cannot be interpolated"):
        smote(points, np.array([0, 0, 1, 1]))
    with pytest.raises(ValueError, match="floating-point vectors"):
        fit_head(points, ["a", "a", "b", "b"], ("a", "b"), "smote")


def test_a_head_of_other_shapes_than_its_labels_is_refused(tmp_path):
    path, head = tmp_path / "head.safetensors", fit_head(X, Y, LABELS, "linear")
    save_head(replace(head, bias=head.bias[:-1]), path)
    with pytest.raises(ValueError, match=r"head.safetensors: bias is \(\d+,\) for \d+ labels; expected finite"):
        load_head(path)
    save_head(replace(head, weight=head.weight * np.nan), path)
    with pytest.raises(ValueError, match="weight is"):
        load_head(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, Y, LABELS, "crtt"), "did you mean 'crt'"),
        ((X, Y[:-1], LABELS, "crt"), "924 embeddings and 923 labels"),
        ((X, [*Y[:-1], "digust"], LABELS, "crt"), "did you mean 'disgust'"),
        ((np.ones_like(X), Y, LABELS, "crt"), "all embeddings are equal"),
        ((X * np.float32(np.nan), Y, LABELS, "crt"), "not finite"),
    ],
)
def test_what_cannot_be_trained_on_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_head(*arguments)
