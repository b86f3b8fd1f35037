"""docs/datasets.md says what the readers do."""

import importlib.util
import re
import shlex
from pathlib import Path

from emotrain.datasets.index import READERS
from emotrain.emotions import PUBLISHED_COUNTS

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "datasets.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    lines = re.findall(r"^python data_prep/index_clips\.py (.*)$", PAGE, re.MULTILINE)
    return [shlex.split(line) for line in lines if "NAME" not in line]


def test_every_command_parses_and_every_reader_has_one():
    spec = importlib.util.spec_from_file_location("index_clips", REPOSITORY / "data_prep" / "index_clips.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    parsed = [script.parser().parse_args(command) for command in commands()]
    assert {args.dataset for args in parsed} == set(READERS)
    for args in parsed:
        given = {name for name in script.READER_OPTIONS if getattr(args, name) is not None}
        assert given <= set(READERS[args.dataset].__kwdefaults__ or ())


def test_the_counts_in_the_tables_are_those_of_the_code():
    for name in ("dfew", "mafw"):
        counts = PUBLISHED_COUNTS[name]
        assert f"| {' | '.join(counts)} |" in PAGE
        assert f"| {' | '.join(map(str, counts.values()))} |" in PAGE
        assert f"{sum(counts.values()):,} clips" in PAGE
