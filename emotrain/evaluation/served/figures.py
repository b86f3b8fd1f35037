"""What models behind servers cost and left unanswered, for the terminal, the report and a study's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HEAD = ("arm", "model", "requests", "tokens in", "tokens out", "price", "refused", "unparsed", "ambiguous", "read by")
Metrics = Mapping[str, Any]


def server_lines(arms: Mapping[str, Sequence[Metrics]]) -> list[str]:
    """A Markdown table with a row for each arm whose metrics name a server, sums over its folds and seeds; [] if none.

    Refused are requests, unparsed and ambiguous percent of clips, refused ones among the unparsed.
    """
    rows = [_row(name, of_arm) for name, of_arm in arms.items() if of_arm and of_arm[0].get("server")]
    if not rows:
        return []
    head, *body = ["| " + " | ".join(cells) + " |" for cells in (HEAD, *rows)]
    return [head, "|" + "-|" * len(HEAD), *body]


def server_sentences(arms: Mapping[str, Sequence[Metrics]]) -> list[str]:
    """The same as a sentence an arm."""
    rows = [_row(name, of_arm) for name, of_arm in arms.items() if of_arm and of_arm[0].get("server")]
    return [
        f"{row[0]}: {row[1]} was asked {row[2]} times ({row[3]} tokens in, {row[4]} out, price {row[5]}); {row[6]} "
        f"refused, {row[7]} % of the clips unparsed, {row[8]} % ambiguous; labels read by {row[9]}."
        for row in rows
    ]


def _row(name: str, of_arm: Sequence[Metrics]) -> tuple[str, ...]:
    asked = [metrics["server"]["asked"] for metrics in of_arm]
    prices = [one["price"] for one in asked]
    rates = [metrics["rates"] for metrics in of_arm]
    about = "~" if any(one["estimated"] for one in asked) else ""
    scored = all(metrics.get("scores") is not None for metrics in of_arm)
    return (
        name,
        str(of_arm[0]["server"]["model"]),
        f"{sum(one['requests'] for one in asked):,}",
        *(f"{about}{sum(one[key] for one in asked):,}" for key in ("tokens_in", "tokens_out")),
        "–" if None in prices else f"{sum(prices):.4g}",
        str(sum(one["refused"] for one in asked)),
        *(f"{100 * sum(rate[key] for rate in rates) / len(rates):.1f}" for key in ("unparsed", "ambiguous")),
        "scores" if scored else "words",
    )
