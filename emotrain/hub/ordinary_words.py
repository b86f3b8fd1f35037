"""The words that emotrain itself puts into a published adapter: they tell nothing about who published it.

Somebody may well be logged in as `test`, `train` or `lora`; a card or a recipe with that word in it is not about them.
"""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from pathlib import Path

from emotrain.hub.card import TAGS
from emotrain.hub.notices import NOTICES
from emotrain.recipe.arguments import BalanceArguments, ContextArguments, DataArguments, EvaluationArguments

_PACKAGE = Path(__file__).parents[1]
_TEMPLATES = (_PACKAGE / "hub" / "templates", _PACKAGE / "context" / "templates")


@cache
def ordinary_words() -> frozenset[str]:
    """Words, as spelled, of the card's template and tags, the prompts, names of data sets, a recipe's keys and help."""
    texts = [*TAGS, *NOTICES]
    texts += [path.read_text(encoding="utf-8") for folder in _TEMPLATES for path in folder.glob("*.jinja")]
    for kind in (DataArguments, ContextArguments, BalanceArguments, EvaluationArguments):
        texts += [f"{key.name} {key.default} {key.metadata.get('help')}" for key in fields(kind)]
    return frozenset(re.findall(r"\w+", " ".join(texts)))
