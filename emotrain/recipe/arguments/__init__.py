"""What a recipe may say, beyond TRL's `SFTConfig` and `ModelConfig`: data, context, balance, evaluation.

Vocabularies are checked when the recipe is loaded, so a bad recipe stops before any model does.
"""

from emotrain.recipe.arguments.balance import BalanceArguments
from emotrain.recipe.arguments.context import ContextArguments
from emotrain.recipe.arguments.data import DataArguments
from emotrain.recipe.arguments.evaluation import EvaluationArguments

__all__ = ["BalanceArguments", "ContextArguments", "DataArguments", "EvaluationArguments"]
