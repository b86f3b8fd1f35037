"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

RecipeFile = Annotated[Path, typer.Argument(help="Recipe YAML; any key can follow as --key value.", metavar="RECIPE")]
Workers = Annotated[int | None, typer.Option(help="Worker processes; default one a core.")]

# Verbs that take a recipe hand what they do not know to the recipe, which names a wrong key with its nearest.
OVERRIDES: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}
