"""What a recipe may say, beyond TRL's `SFTConfig` and `ModelConfig`: data, context, balance, evaluation.

Vocabularies are checked when the recipe is loaded, so a bad recipe stops before any model does.
"""

from emotrain.training.arguments.balance import BalanceArguments
from emotrain.training.arguments.context import ContextArguments
from emotrain.training.arguments.data import DataArguments
from emotrain.training.arguments.evaluation import EvaluationArguments

__all__ = ["BalanceArguments", "ContextArguments", "DataArguments", "EvaluationArguments"]
