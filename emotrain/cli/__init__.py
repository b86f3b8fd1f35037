"""The `emotrain` command. Every verb imports what it needs when it runs, so `--help` answers at once."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import typer
from typer.exceptions import TyperException

from emotrain.cli.check import check
from emotrain.cli.demo import demo
from emotrain.cli.doctor import doctor
from emotrain.cli.faces import faces
from emotrain.cli.hub import lint, publish
from emotrain.cli.inference import app as app_verb
from emotrain.cli.inference import merge, predict
from emotrain.cli.launch import fetch, launch
from emotrain.cli.new import new
from emotrain.cli.options import OVERRIDES
from emotrain.cli.plan import plan
from emotrain.cli.results import context, diagnose, export, score
from emotrain.cli.stream import stream
from emotrain.cli.study import study
from emotrain.cli.training import baseline, evaluate, prep, train
from emotrain.file_errors import in_words
from emotrain.job_notes import note_fault
from emotrain.stages.processes import end_with_starter

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Teach vision-language models to recognise human emotion in video.",
)

# Verbs in the order of --help, and what click is told of each: recipe verbs take `--key value` overrides.
VERBS: dict[Callable[..., None], dict[str, Any]] = {
    plan: OVERRIDES,
    prep: OVERRIDES,
    train: OVERRIDES,
    evaluate: OVERRIDES,
    baseline: OVERRIDES,
    fetch: OVERRIDES,
    launch: OVERRIDES,
    diagnose: OVERRIDES,
    score: {},
    export: OVERRIDES,
    context: OVERRIDES,
    check: {},
    lint: {},
    publish: {},
    study: OVERRIDES,
    predict: {},
    stream: {},
    merge: {},
    app_verb: {},
    demo: {},
    doctor: {},
    new: {},
}
for _verb, _settings in VERBS.items():
    app.command(context_settings=_settings)(_verb)
app.add_typer(faces, name="faces")


def main() -> None:
    """Entry point. A fault of the input ends with its message and status 2, any other with a traceback.

    EMOTRAIN_TRACEBACK=1 shows the traceback of the former too.
    """
    end_with_starter()
    # The pinned packages call each other by names that only the next major version takes away: no news to a user.
    warnings.filterwarnings("ignore", message=r".*deprecated and will be removed", category=FutureWarning)
    try:
        # Without its standalone mode click returns the status of a typer.Exit; no verb returns anything itself.
        status = app(standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt) as stop:
        if isinstance(stop.__cause__, EOFError):  # the end of a cut file, which click takes for Ctrl-D
            raise stop.__cause__ from None
        sys.exit(130)
    except TyperException as error:
        note_fault(error)
        print(f"emotrain: {error} (see emotrain --help)", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        note_fault(error)
        if _is_users(error) and not os.environ.get("EMOTRAIN_TRACEBACK"):
            print(f"emotrain: {in_words(error)}", file=sys.stderr)
            sys.exit(2)
        raise
    if isinstance(status, int) and status != 0:
        sys.exit(status)


def _is_users(error: Exception) -> bool:
    """Faults of the input, whose message says everything, as against faults of the program."""
    from emotrain.clip_errors import ClipError
    from emotrain.stages.report import TooManyBadClips
    from emotrain.study.failures import ArmsFailed

    # FloatingPointError: a loss that is not finite, which the recipe's learning rate or precision is to blame for.
    kinds = (ValueError, OSError, FloatingPointError, ClipError, TooManyBadClips, ArmsFailed)
    return isinstance(error, kinds)
