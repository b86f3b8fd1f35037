"""What a manifest file is called: training and `data_prep/build_manifests.py` find the same file by its settings."""

from __future__ import annotations


def manifest_name(
    strategy: str,
    *,
    epochs: int,
    seed: int,
    fold: int | None = None,
    epoch_size: int | None = None,
    power: float | None = None,
    beta: float | None = None,
    threshold: float | None = None,
    replacement: bool = False,
    group_by: str | None = None,
    group_cap: float | None = None,
    compound: str = "label",
) -> str:
    """File name, without suffix, made of everything that is said about drawing: `power-q0.25-e3-s0-fold1`."""
    parts = [strategy]
    for letter, value in (
        ("q", power),
        ("b", beta),
        ("t", threshold),
        ("e", epochs),
        ("n", epoch_size),
        ("s", seed),
        ("fold", fold),
        ("by_", group_by),
        ("cap", group_cap),
    ):
        if value is not None:
            parts.append(f"{letter}{value}")
    parts += ["replacement"] if replacement else []
    parts += [compound] if compound != "label" else []
    return "-".join(parts)
