"""Nothing of a name or a key reaches a shell unquoted: it is refused, or arrives word for word."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emotrain.cli import app

from .conftest import Desk

PIECES = ["$(touch pwned)", "`touch pwned`", ";touch pwned", "|touch pwned", "\ntouch pwned\n", "\r", "\x1b[2J", "\x7f",
          "'", '"', "\\", "%j", "%", "$HOME", "&", ">pwned", "*", "?", "~", "#", "!", "-",
          "{a,b}", "\t", "\u2028", "<(x)",
          " ", "  ", "é", "表情", "\udcff", "=", "#SBATCH --wrap=x", "{{ 7*7 }}", "{% raw %}"]  # fmt: skip


def hostile(chance: random.Random) -> str:
    pieces = [chance.choice(PIECES) for _ in range(chance.randint(1, 3))]
    return "n" + "x".join(pieces).replace("/", "")


def launched(desk: Desk, recipe: Path, *more: str) -> str | None:
    """What a dry run printed, or None when it was refused before anything was written."""
    words = ["launch", str(recipe), "--profile", str(desk.profile), "--dry-run", *desk.words, *more]
    done = CliRunner().invoke(app, words)
    if done.exit_code == 0:
        return done.output
    assert isinstance(done.exception, ValueError), done.exception
    assert "nothing was submitted" in str(done.exception)
    return None


def words_of(script: Path, cwd: Path) -> list[str]:
    """The arguments with which a job script would source its body, as bash reads them."""
    text = script.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", script], check=True)
    head, _, _ = text.rpartition("source ")
    shown = head.replace("trap 'before_its_script $?' EXIT", "") + "printf '%s\\0' \"$@\"\n"
    environment = {"PATH": os.environ["PATH"], "SLURM_JOB_ID": "1", "SLURM_JOB_NAME": "n", "HOME": str(cwd)}
    done = subprocess.run(["bash", "-c", shown], cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("seed", range(2))
def test_a_hostile_name_is_refused_or_arrives_word_for_word(desk: Desk, seed: int) -> None:
    chance, taken = random.Random(seed), 0
    empty = desk.folder / "empty"
    empty.mkdir()
    for number in range(20):
        recipe = desk.folder / f"{number}{hostile(chance)}.yaml"
        recipe.write_text(f"base: {desk.recipe}\n", encoding="utf-8")
        output, arm = desk.folder / f"{number}{hostile(chance)}", hostile(chance)
        if launched(desk, recipe, "--output_dir", str(output), "--arm", arm) is None:
            assert not output.exists(), "what is refused leaves nothing"
            continue
        taken += 1
        for script in (output / "slurm").glob("*.slurm"):
            words = words_of(script, empty)
            assert str(recipe) in words
            assert arm in words
            flags = [line for line in script.read_text(encoding="utf-8").splitlines() if line.startswith("#SBATCH")]
            assert not any("wrap" in flag.split("=")[0] for flag in flags)
    assert list(empty.iterdir()) == []
    assert not [path for path in Path.cwd().iterdir() if path.name.startswith("pwned")]
    assert taken >= 3


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--output_dir", "runs/100%"), "output_dir: 'runs/100%' holds '%', which SLURM reads as a pattern"),
        (("--output_dir", "runs\\x"), "which SLURM reads as a pattern"),
        (("--arm", "a\nb"), r"holds '\n', which a job script cannot carry"),
    ],
)
def test_what_a_job_script_cannot_carry_is_named(desk: Desk, more: tuple[str, str], message: str) -> None:
    done = CliRunner().invoke(
        app, ["launch", str(desk.recipe), "--profile", str(desk.profile), "--dry-run", *desk.words, *more]
    )
    assert message in str(done.exception)


def test_a_profile_with_a_control_character_is_refused(desk: Desk) -> None:
    desk.profile.write_text('venv: "a\\tb"\n', encoding="utf-8")
    done = CliRunner().invoke(
        app, ["launch", str(desk.recipe), "--profile", str(desk.profile), "--dry-run", *desk.words]
    )
    assert "control character" in str(done.exception)
