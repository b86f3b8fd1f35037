"""Pages that are made from the code are those of today's code, and the tables of methods name what exists."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["recipe-keys.md", "cli.md", "api.md"])
def test_a_generated_page_is_current(reference: ModuleType, name: str) -> None:
    if f"\ntrl=={version('trl')};" not in (ROOT / "constraints.txt").read_text(encoding="utf-8"):
        pytest.skip(f"TRL {version('trl')} is not that of constraints.txt, whose defaults the page shows")
    written = (DOCS / name).read_text(encoding="utf-8").splitlines()
    made = reference.pages()[name].splitlines()
    other = next((line for line in made if line not in set(written)), None)
    assert written == made, f"docs/{name} is not that of the code (first other line: {other}); run `make reference`"


def test_every_key_of_the_recipes_stands_in_the_reference() -> None:
    from emotrain.recipe.recipe import read_values

    page = (DOCS / "recipe-keys.md").read_text(encoding="utf-8")
    for recipe in sorted((ROOT / "recipes").rglob("*.yaml")):
        for key in read_values(recipe):
            assert f"| `{key}` |" in page, f"{recipe.name}: {key}"


def test_methods_name_papers_and_recipe_keys_that_exist() -> None:
    from emotrain.recipe.recipe import _kinds

    known = {field.name for kind in _kinds().values() for field in fields(kind)}
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    papers = {(paper["authors"][0]["family-names"], str(paper["year"])) for paper in citation["references"]}
    rows = re.findall(r"^\| (?!sentence|-).*\|$", (DOCS / "methods.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 20
    for row in rows:
        _, paper, keys, modules, tests = (cell.strip() for cell in row[1:-1].split("|"))
        cited = re.findall(r"([A-Z]\w+)(?: et al\.| and [A-Z]\w+)? (\d{4})", paper)
        assert cited, row
        assert set(cited) <= papers, f"{paper}: not in CITATION.cff"
        assert set(re.findall(r"`(\w+)`", keys)) <= known, keys
        assert "`emotrain/" in modules, row
        assert "`tests/" in tests, row


def test_the_reading_path_is_at_most_two_thousand_lines() -> None:
    text = (DOCS / "reading-path.md").read_text(encoding="utf-8")
    files = re.findall(r"^\d+\. `(emotrain/[\w/]+\.py)`", text, re.MULTILINE)
    assert len(files) > 8
    lines = sum(len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in files)
    assert lines <= 2000, f"{lines} lines"


def test_every_page_has_its_place_in_the_site() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    placed = set(re.findall(r"[\w-]+\.md", str(nav)))
    assert placed == {page.name for page in DOCS.glob("*.md")}
