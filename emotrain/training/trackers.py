"""Whether the trackers that `report_to` names are installed, asked before a model is loaded."""

from __future__ import annotations

from emotrain.emotions import nearest
from emotrain.recipe.recipe import Recipe

SHIPPED = ("tensorboard", "wandb", "trackio")
"""What the extra `tracking` installs."""


def check_trackers(recipe: Recipe) -> None:
    """Raise ValueError for a tracker in `report_to` that transformers does not know or that is not installed."""
    from transformers.integrations import get_available_reporting_integrations
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    installed = get_available_reporting_integrations()
    for name in recipe.sft.report_to:
        if name not in INTEGRATION_TO_CALLBACK:
            raise ValueError(f"report_to: {name!r} is no tracker; {nearest(name, INTEGRATION_TO_CALLBACK)}")
        if name not in installed:
            remedy = "pip install 'emotrain[tracking]'" if name in SHIPPED else f"install the package of {name}"
            raise ValueError(f"report_to: {name} is not installed here; {remedy}, or say report_to: none")
