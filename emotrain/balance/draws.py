"""Drawing one epoch from strata: exact quotas, no repeat before every clip of a class had its turn.

All randomness is a BLAKE2b hash of (seed, epoch, what is drawn), and all arithmetic after the class shares is on
integers. No generator has a state, so a draw depends on no library version, machine, process count or order of calls.

Without replacement a class gets its share of the epoch rounded up or down (systematic sampling: right on average for
any epoch size) and deals its clips like a deck of cards: the clips drawn least in earlier epochs come first, and the
deck is shuffled again when it is through. So within an epoch no clip repeats before its whole class was drawn, and over
all epochs the numbers of draws of two clips of a class differ by one at most. With replacement draws are independent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate

_UNIT = 1 << 48


@dataclass(frozen=True, slots=True)
class Stratum:
    """The clips of one class, in groups with a share of the class's draws each (one group when nothing is capped)."""

    groups: Mapping[str, Sequence[str]]
    shares: Mapping[str, float]


def key(*parts: object) -> int:
    """A 64-bit hash of the parts, uniform and equal everywhere; ("ab", "c") and ("a", "bc") differ."""
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def draw_epoch(
    strata: Mapping[str, Stratum],
    shares: Mapping[str, float],
    size: int,
    drawn: Counter[str],
    *,
    seed: int,
    epoch: int,
    replacement: bool,
) -> list[str]:
    """Ids of the `size` clips of an epoch, in order; `drawn`, the draws of each clip so far, is brought up to date."""
    cells = [(name, group) for name, stratum in strata.items() for group in stratum.groups]
    if replacement:
        weights = {cell: shares[cell[0]] * strata[cell[0]].shares[cell[1]] for cell in cells}
        clips = {cell: strata[cell[0]].groups[cell[1]] for cell in cells}
        ids = list(_independent(clips, weights, size, seed, epoch))
    else:
        by_class = quotas(shares, size, seed, epoch)
        by_cell = {
            (name, group): n
            for name, stratum in strata.items()
            for group, n in quotas(stratum.shares, by_class[name], seed, epoch, name).items()
        }
        # Slots are shuffled before clips are dealt into them, so that the order of the epoch keeps the deck's promise.
        slots = [(*cell, i) for cell, n in by_cell.items() for i in range(n)]
        slots.sort(key=lambda slot: (key(seed, "slot", epoch, *slot), slot))
        decks = {cell: _deck(strata[cell[0]].groups[cell[1]], drawn, seed, epoch) for cell in cells}
        ids = [next(decks[name, group]) for name, group, _ in slots]
    drawn.update(ids)
    return ids


def quotas(shares: Mapping[str, float], size: int, seed: int, epoch: int, *salt: str) -> dict[str, int]:
    """Draws for each name: share * size rounded down or up so that they sum to `size` and are right on average.

    Systematic sampling: the shares lie side by side on a line of length `size`, in an order that changes with the
    epoch, and each takes the ticks of a unit grid, with a random offset, that fall on it.
    """
    order = sorted(shares, key=lambda name: (key(seed, "quota", epoch, *salt, name), name))
    offset = key(seed, "offset", epoch, *salt) % _UNIT
    ticks = [(edge * size + offset) // _UNIT for edge in (0, *_edges([shares[name] for name in order]))]
    return {name: after - before for name, before, after in zip(order, ticks, ticks[1:])}


def too_few(groups: int, cap: float) -> bool:
    """Whether shares of `cap` at most cannot make a whole of this many groups."""
    return cap * groups < 1.0 - 1e-9


def capped_shares(sizes: Mapping[str, int], cap: float) -> dict[str, float]:
    """Shares of the groups of one class: proportional to their clips, none over `cap`, the excess shared by the others.

    Raises ValueError when there are too few groups for the cap.
    """
    if too_few(len(sizes), cap):
        raise ValueError(f"{len(sizes)} groups cannot have a share of {cap} at most each")
    whole = sum(sizes.values())
    shares = {group: size / whole for group, size in sizes.items()}
    capped: set[str] = set()
    while over := {group for group, share in shares.items() if group not in capped and share > cap}:
        capped |= over
        free = sum(size for group, size in sizes.items() if group not in capped)
        left = 1.0 - cap * len(capped)
        shares = {group: cap if group in capped else left * size / free for group, size in sizes.items()}
    return shares


def _independent(
    clips: Mapping[tuple[str, str], Sequence[str]],
    weights: Mapping[tuple[str, str], float],
    size: int,
    seed: int,
    epoch: int,
) -> Iterator[str]:
    order = sorted(cell for cell, weight in weights.items() if weight > 0.0)
    edges = _edges([weights[cell] for cell in order])
    for i in range(size):
        ids = clips[order[bisect_right(edges, key(seed, "class", epoch, i) % _UNIT)]]
        yield ids[key(seed, "clip", epoch, i) % len(ids)]


def _deck(ids: Sequence[str], drawn: Mapping[str, int], seed: int, epoch: int) -> Iterator[str]:
    """The clips of a group for ever: shuffled for each round, those drawn least in earlier epochs always first."""
    before = {clip_id: drawn[clip_id] for clip_id in ids}
    turn = 0
    while True:
        hashed = sorted((before[clip_id], key(seed, "deck", epoch, turn, clip_id), clip_id) for clip_id in ids)
        yield from (clip_id for _, _, clip_id in hashed)
        turn += 1


def _edges(shares: Sequence[float]) -> list[int]:
    """Cumulated shares as integers, the last of which is exactly _UNIT."""
    edges = [round(edge * _UNIT) for edge in accumulate(shares)]
    # Empty classes at the end of the line must stay empty, so every edge equal to the last one moves with it.
    return [_UNIT if edge == edges[-1] else edge for edge in edges]
