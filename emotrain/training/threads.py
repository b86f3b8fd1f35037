"""Threads of a run on a CPU."""

from __future__ import annotations

from emotrain.recipe.recipe import Recipe


def one_thread_on_cpu(recipe: Recipe) -> None:
    """Hold a CPU run to one torch thread.

    Small models on busy machines run many times slower with two threads than with one, since OpenMP threads spin while
    they wait for a core.
    """
    if recipe.sft.use_cpu:
        import torch

        torch.set_num_threads(1)
