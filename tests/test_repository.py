"""What the README promises exists, and what ships parses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = [*sorted((ROOT / "slurm").glob("*.slurm")), *sorted((ROOT / ".ci").iterdir())]
HELPED = [*sorted((ROOT / "data_prep").glob("*.py"))]


def commands(page: Path) -> list[str]:
    """Shell lines of the fenced code blocks of a page, continuation lines joined."""
    blocks = re.findall(r"```(?:bash|sh|console)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip().removeprefix("$ ") for line in lines if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists(page: Path) -> None:
    from emotrain.cli import app

    verbs = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    verbs |= {group.name for group in app.registered_groups}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for line in commands(page):
        words = line.split()
        if words[0] == "make":
            assert words[1] in targets, f"{page.name}: {line}"
        if words[0].endswith("emotrain") and len(words) > 1 and not words[1].startswith("-"):
            assert words[1] in verbs, f"{page.name}: {line}"
        for word in words:
            if word.endswith((".py", ".yaml", ".slurm")) and "/" in word and "=" not in word and word.isascii():
                if word.upper() == word or any(part.isupper() for part in Path(word).parts):
                    continue  # a placeholder such as runs/RUN/recipe.yaml
                assert (ROOT / word).exists(), f"{page.name}: {word} does not exist"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_of_a_command_of_a_page_exists(page: Path) -> None:
    import typer

    from emotrain.cli import VERBS, app
    from emotrain.recipe.recipe import _kinds

    keys = {field.name for kind in _kinds().values() for field in fields(kind)}
    open_ended = {verb.__name__ for verb, settings in VERBS.items() if settings}
    verbs = typer.main.get_command(app).commands
    for line in commands(page):
        words = line.partition(" # ")[0].split()
        given = [word[2:].partition("=")[0] for word in words if re.match(r"--[a-z]", word)]
        program = words[0] if not words[0].endswith(("python", "python3")) else words[1]
        if program.endswith("emotrain"):
            verb = verbs[words[1]] if len(words) > 1 and not words[1].startswith("-") else None
            verb = verb.commands[words[2]] if hasattr(verb, "commands") else verb
            if verb is not None:
                known = {option.lstrip("-") for p in verb.params for option in (*p.opts, *p.secondary_opts)}
                known |= keys if words[1].replace("-", "_") in open_ended else set()
                for name in given:
                    assert name in known or name.replace("-", "_") in known - {"help"}, (
                        f"{page.name}: --{name} in {line}"
                    )
        elif program.startswith("benchmarks/"):
            source = (ROOT / program).read_text(encoding="utf-8")
            for name in given:
                assert f'"--{name}"' in source, f"{page.name}: --{name} in {line}"


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get: lower case, without punctuation, blanks as hyphens."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ +(.*?)\s*$", text, re.MULTILINE)
    own = set(re.findall(r'<a id="([^"]+)">', text))
    return own | {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", head.lower())) for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_named_path_of_a_page_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", text):
        if "://" not in target:
            file = page.parent / target if target else page
            assert file.exists(), f"{page.name} links to {target}, which does not exist"
            assert not anchor or anchor in anchors(file), f"{page.name} links to {target}#{anchor}, which is no heading"
    for path in re.findall(r"`((?:emotrain|recipes|data_prep|docs|tests|benchmarks|studies|slurm)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), f"{page.name} names {path}, which does not exist"


def test_the_readme_starts_with_the_two_commands() -> None:
    found = commands(ROOT / "README.md")
    assert found[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_shell_script_parses(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").iterdir()), ids=lambda path: path.stem)
def test_a_workflow_runs_what_is_here_and_takes_others_actions_by_commit(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    for step in (step for job in jobs.values() for step in job["steps"]):
        words = re.split(r"\s+", step.get("run", ""))
        for place, word in enumerate(words):
            if word == "make":
                assert words[place + 1] in targets, step["run"]
            if word.startswith(".ci/"):
                assert os.access(ROOT / word, os.X_OK), step["run"]
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), step["uses"]


@pytest.mark.parametrize("config", sorted((ROOT / "accelerate_configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_accelerate_config_parses(config: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    assert load_config_from_file(str(config)).distributed_type
    assert yaml.safe_load(config.read_text(encoding="utf-8"))["compute_environment"] == "LOCAL_MACHINE"


@pytest.mark.parametrize("script", HELPED, ids=lambda path: path.name)
def test_preparation_scripts_are_thin_and_explain_themselves(script: Path) -> None:
    assert len(script.read_text(encoding="utf-8").splitlines()) < 100
    done = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--" in done.stdout


def test_help_answers_without_loading_a_model_library() -> None:
    code = (
        "import sys; from emotrain.cli import main; sys.argv = ['emotrain', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'trl', 'peft', 'datasets', 'cv2', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("words", [["trainn"], ["demo", "--no-such-flag"], ["score"], ["train", "no/such/recipe.yaml"]])
def test_a_wrong_command_line_ends_with_a_message_and_status_2(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emotrain.cli", *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
