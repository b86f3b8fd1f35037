"""The smallest difference that the clips at hand can show, known before a run.

Two systems that disagree on a share `apart` of the clips differ on a class of n clips with a standard error of
sqrt(apart / n); a mean over classes adds their variances. The smallest difference that a two-sided test at `level`
finds with probability `power` is z_(1 - level / 2) + z_power such errors. An exact test on the clips of one class
cannot call fewer than `fewest_wins` of them anything, however they fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2, sqrt

from scipy.stats import norm

APART = 0.2
"""Share of clips on which two good systems of one family disagree in correctness: of the order seen in the demo."""
POWER = 0.8


def detectable(clips: Sequence[int], *, level: float = 0.05, apart: float = APART, power: float = POWER) -> float:
    """Smallest difference of mean recall (a share) over classes with these numbers of test clips.

    Raises ValueError when no class has a clip.
    """
    there = [n for n in clips if n > 0]
    if not there:
        raise ValueError("no class has a test clip; expected clips a class")
    error = sqrt(sum(apart / n for n in there)) / len(there)
    return float((norm.ppf(1 - level / 2) + norm.ppf(power)) * error)


def fewest_wins(level: float = 0.05) -> int:
    """Clips won with none lost that an exact two-sided test calls a difference: 2 / 2^n <= level."""
    return ceil(log2(2 / level))


def in_words(clips: dict[str, int], tail: Sequence[str], *, tests: int = 1) -> list[str]:
    """Sentences for plans and studies: of UAR, and of the rarest class, when `tests` contrasts share the 5 %."""
    level = 0.05 / max(tests, 1)
    shared = f" at 5 % over {tests} contrasts" if tests > 1 else ""
    lines = [
        f"Smallest difference that {sum(clips.values())} test clips can show{shared} (power {POWER:.0%}, {APART:.0%} "
        f"of the clips told apart): UAR {100 * detectable(list(clips.values()), level=level):.1f} points"
    ]
    if tail:
        lines[0] += f", mean recall of {', '.join(tail)} {100 * detectable([clips[c] for c in tail], level=level):.1f}"
    present = {label: n for label, n in clips.items() if n > 0}
    rarest = min(present, key=lambda label: present[label])
    wins = fewest_wins(level)
    lines[0] += "."
    lines.append(
        f"Of the {present[rarest]} clips of {rarest} an exact test calls nothing below {wins} won and none lost "
        f"({100 * wins / present[rarest]:.0f} points)."
    )
    return lines
