"""Second stage: a linear classifier re-trained on frozen embeddings, where most of the long-tail bias sits.

| method | what is trained | source |
|-|-|-|
| linear | weights and biases, every clip counts the same | |
| crt | weights and biases, every class counts the same | Kang et al. 2020, section 4.1 |
| tau_norm | nothing: w_c / norm(w_c)^tau of `linear`, no bias | Kang et al. 2020, equation 4 |
| lws | f_c w_c of `linear`, f_c > 0, no bias, every class counts the same | Kang et al. 2020, equation 5 |
| los | weights and biases against labels smoothed by 0.98, every clip counts the same | Sun et al. 2025 |
| smote | weights and biases after synthetic oversampling of the embeddings | Chawla et al. 2002 |

The problems are small, with a ridge that keeps their optimum finite, and are solved to it with L-BFGS over all clips:
weighting a class by 1 / n_c is then what class-balanced sampling converges to, without its noise and its learning rate.

Over-smoothed targets are nearly uniform, so the optimum of `los` is close to least squares on one-hot labels: it helps
where the embeddings separate the training clips, and loses rare classes where classes overlap.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from emotrain.atomic_files import replacing
from emotrain.balance.smote import smote
from emotrain.damaged_files import DamagedFile
from emotrain.emotions import nearest
from emotrain.json_files import parse

Array = NDArray[np.float64]
HEADS = ("linear", "crt", "tau_norm", "lws", "los", "smote")

UNSEEN = -30.0
"""Bias of a label without a training clip: finite, and about 1e-13 of probability."""


@dataclass(frozen=True, slots=True)
class LinearHead:
    """logits = (x - centre) / scale @ weight.T + bias; weight (C, D), bias (C,), centre (D,), in label order."""

    labels: tuple[str, ...]
    weight: Array
    bias: Array
    centre: Array
    scale: float

    def logits(self, embeddings: NDArray[np.floating]) -> Array:
        """Scores (N, C) of embeddings (N, D)."""
        return (_embeddings(embeddings) - self.centre) / self.scale @ self.weight.T + self.bias


def fit_head(
    embeddings: NDArray[np.floating],
    labels: Sequence[str],
    label_set: Sequence[str],
    method: str,
    *,
    l2: float = 1e-3,
    tau: float = 1.0,
    smoothing: float = 0.98,
    neighbours: int = 5,
    seed: int = 0,
) -> LinearHead:
    """Train a head on embeddings (N, D) of training clips with one label name each.

    `l2` is the ridge on the weights beside the mean loss, embeddings being centred and scaled to unit mean square norm.
    `tau` goes with `tau_norm`, `smoothing` with `los`, `neighbours` and `seed` with `smote`. Raises ValueError for an
    unknown method or label, and for shapes that do not fit.
    """
    if method not in HEADS:
        raise ValueError(f"head method {method!r} is unknown; {nearest(method, HEADS)}")
    x = _embeddings(embeddings)
    if len(labels) != len(x):
        raise ValueError(f"{len(x)} embeddings and {len(labels)} labels: expected one label an embedding")
    strangers = sorted(set(labels) - set(label_set))
    if strangers:
        raise ValueError(f"label {strangers[0]!r} is not in the label set; {nearest(strangers[0], label_set)}")
    centre = x.mean(axis=0)
    scale = float(np.sqrt(((x - centre) ** 2).sum(axis=1).mean()))
    if scale == 0.0:
        raise ValueError("all embeddings are equal, so no head can tell them apart; check how they were computed")
    seen = [label for label in label_set if label in set(labels)]
    y = np.array([seen.index(label) for label in labels])
    points = (x - centre) / scale
    if method == "smote":
        points, y = smote(points, y, neighbours=neighbours, seed=seed)
    target = np.eye(len(seen))[y]
    balanced = 1.0 / target.sum(axis=0)[y]
    even = np.ones(len(y))
    if method == "los":
        target = (1.0 - smoothing) * target + smoothing / len(seen)
    weight, bias = _logistic(points, target, balanced if method == "crt" else even, l2)
    if method == "tau_norm":
        weight, bias = tau_normalised(weight, tau), np.zeros(len(seen))
    if method == "lws":
        weight, bias = weight * _class_scales(points @ weight.T, target, balanced, l2)[:, None], np.zeros(len(seen))
    return _over_all_labels(LinearHead(tuple(seen), weight, bias, centre, scale), tuple(label_set))


def tau_normalised(weight: Array, tau: float) -> Array:
    """w_c / norm(w_c)^tau, (C, D): tau = 0 leaves the weights, tau = 1 makes all norms one."""
    norms = np.linalg.norm(weight, axis=1, keepdims=True)
    return weight / np.maximum(norms, np.finfo(np.float64).tiny) ** tau


def save_head(head: LinearHead, path: Path) -> None:
    """Write a head as safetensors, its label names in the metadata."""
    from safetensors.numpy import save_file

    tensors = {"weight": head.weight, "bias": head.bias, "centre": head.centre, "scale": np.array([head.scale])}
    with replacing(path) as temporary:
        save_file(
            {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
            temporary,
            metadata={"labels": json.dumps(head.labels, ensure_ascii=False)},
        )


def load_head(path: Path) -> LinearHead:
    """Read a head that `save_head` wrote; raises ValueError for another safetensors file, or shapes that do not fit."""
    from safetensors import SafetensorError, safe_open

    remedy = "delete it and evaluate again, which fits it anew"
    try:
        with safe_open(path, framework="numpy") as file:
            metadata, held = file.metadata(), set(file.keys())
            if metadata is None or "labels" not in metadata or held != {"weight", "bias", "centre", "scale"}:
                found = f"tensors {sorted(held)} and no label names"
                raise ValueError(f"{path}: {found}: no head; expected one of save_head")
            tensors = {name: file.get_tensor(name) for name in held}
    except SafetensorError as error:
        raise DamagedFile(path, f"cannot be read ({error})", "the safetensors file of a head", remedy) from error
    labels = tuple(parse(metadata["labels"].encode(), path, "label names as JSON", remedy))
    wide = tensors["weight"].shape[-1:]
    wanted = {"weight": (len(labels), *wide), "bias": (len(labels),), "centre": wide, "scale": (1,)}
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name] or not np.isfinite(tensor).all():
            raise ValueError(
                f"{path}: {name} is {tensor.shape} for {len(labels)} labels; expected finite {wanted[name]}; train the "
                "head again"
            )
    return LinearHead(labels, tensors["weight"], tensors["bias"], tensors["centre"], float(tensors["scale"][0]))


def _logistic(points: Array, target: Array, sample_weight: Array, l2: float) -> tuple[Array, Array]:
    """Multinomial logistic regression on shares (N, C): weights (C, D) and biases (C,) at the optimum."""
    (_, features), classes = points.shape, target.shape[1]
    share = sample_weight / sample_weight.sum()

    def objective(flat: Array) -> tuple[float, Array]:
        weight, bias = flat[classes:].reshape(classes, features), flat[:classes]
        log_p = log_softmax(points @ weight.T + bias, axis=1)
        loss = -float(share @ (target * log_p).sum(axis=1)) + 0.5 * l2 * float((weight**2).sum())
        error = share[:, None] * (np.exp(log_p) - target)
        return loss, np.concatenate([error.sum(axis=0), (error.T @ points + l2 * weight).ravel()])

    flat = _minimum(objective, np.zeros(classes * (features + 1)))
    return flat[classes:].reshape(classes, features), flat[:classes]


def _class_scales(logits: Array, target: Array, sample_weight: Array, l2: float) -> Array:
    """Scales (C,) > 0 of logits (N, C) without bias; solved for their logarithms, on which there is a ridge of `l2`.

    Features are centred here, so a bias holds the log prior, and a free scale on it would turn a rare class's evidence
    against that class. The ridge gives classes that the training set separates a finite scale.
    """
    share = sample_weight / sample_weight.sum()

    def objective(log_scales: Array) -> tuple[float, Array]:
        scaled = logits * np.exp(log_scales)
        log_p = log_softmax(scaled, axis=1)
        error = share[:, None] * (np.exp(log_p) - target)
        loss = -float(share @ (target * log_p).sum(axis=1)) + 0.5 * l2 * float(log_scales @ log_scales)
        return loss, (error * scaled).sum(axis=0) + l2 * log_scales

    return np.exp(_minimum(objective, np.zeros(logits.shape[1])))


def _minimum(objective: Callable[[Array], tuple[float, Array]], start: Array) -> Array:
    found = minimize(
        objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "gtol": 1e-7, "ftol": 1e-13}
    )
    return np.asarray(found.x)


def _over_all_labels(head: LinearHead, labels: tuple[str, ...]) -> LinearHead:
    weight, bias = np.zeros((len(labels), head.weight.shape[1])), np.full(len(labels), UNSEEN)
    places = [labels.index(label) for label in head.labels]
    weight[places], bias[places] = head.weight, head.bias
    return replace(head, labels=labels, weight=weight, bias=bias)


def _embeddings(embeddings: NDArray[np.floating]) -> Array:
    x = np.asarray(embeddings)
    if x.ndim != 2 or x.shape[0] == 0 or not np.issubdtype(x.dtype, np.floating):
        raise ValueError(f"embeddings of shape {x.shape}, {x.dtype}: expected floating-point vectors (N, D), N > 0")
    if not np.isfinite(x).all():
        raise ValueError("embeddings: some are not finite; compute them again")
    return x.astype(np.float64)
