"""The diagnosis in words: one short paragraph and one table a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emotrain.evaluation.headline import percent


def in_words(found: Mapping[str, Any]) -> str:
    """The page as Markdown, for what `diagnostics.run.diagnose` found."""
    adapter = found["adapter"] if found["adapter"] is not None else "none (the base model)"
    return "\n".join(
        [
            f"# Diagnosis of {found['arm']}",
            "",
            f"Adapter: {adapter}. {found['clips']} clips of the {found['split']} part, labels as even as they are "
            "there. Intervals are Wilson's, 95 %.",
            "",
            "![All of it as one page](diagnose.png)",
            *_prior(found["label_prior"]),
            *_frames(found),
            *_durations(found["by_duration"]),
            *_orders(found["option_order"]),
            *_attention(found["attention"]),
            "",
        ]
    )


def _prior(prior: Mapping[str, Any]) -> list[str]:
    words = prior["words"]
    rows = [
        [
            label,
            percent(prior["model"][i]),
            percent(prior["data"][i]),
            "–" if words is None else percent(words[i]),
        ]
        for i, label in enumerate(prior["labels"])
    ]
    told = (
        f"No word frequency for {', '.join(prior['lacking'])}; give a table with --words."
        if words is None
        else f"and {prior['kl_words']:.3f} from word frequency (rank correlation {_signed(prior['rank_words'])})."
    )
    return [
        "",
        "## What it says to nothing",
        "",
        f"Mean answer to {len(prior['blanks'])} blank clips. Its distance (KL) is {prior['kl_uniform']:.3f} nats from "
        f"even shares, {prior['kl_data']:.3f} from the training clips (rank correlation "
        f"{_signed(prior['rank_data'])}) {told}",
        "",
        *_table(["label", "model", "training clips", "words"], rows),
        "",
        "A blank clip is also a still one: where summaries say that nothing changes, `neutral` is a fair answer to it. "
        f"Word frequency: {prior['words_source']}.",
    ]


def _frames(found: Mapping[str, Any]) -> list[str]:
    rows = found["by_frame_count"]
    if rows is None:
        return []
    return [
        "",
        "## Keyframes",
        "",
        "Decoded anew for each sampling and put to the same weights; the recipe's own is "
        f"{found['keyframes']} frames of {found['keyframe_policy']}. P(miss) is the probability that no keyframe lies "
        "in the annotated event, by formula, and `missed` the share of events where that is so.",
        "",
        *_table(
            [
                "sampling",
                "frames",
                "accuracy",
                "micro",
                "macro",
                "P(miss)",
                "missed",
                "P(miss) micro",
                "of its apex",
                "missed micro",
            ],
            [
                [
                    row["policy"],
                    f"{row['frames']:.1f}",
                    _share(row["accuracy"]),
                    _share(row["micro"]),
                    _share(row["macro"]),
                    percent(row["p_miss"]),
                    percent(row["missed"]),
                    percent(row["p_miss_micro"]),
                    percent(row["p_miss_apex_micro"]),
                    percent(row["missed_micro"]),
                ]
                for row in rows
            ],
        ),
    ]


def _durations(rows: Sequence[Mapping[str, Any]] | None) -> list[str]:
    if rows is None:
        return ["", "## Length of the expression", "", "The clips have no annotated onset and offset."]
    return [
        "",
        "## Length of the expression",
        "",
        *_table(
            ["seconds", "clips", "recall", "missed by the keyframes"],
            [[span(row), str(row["clips"]), _share(row["recall"]), percent(row["missed"])] for row in rows],
        ),
    ]


def _orders(orders: Mapping[str, Any]) -> list[str]:
    accuracy = orders["accuracy"]
    return [
        "",
        "## Order of the options",
        "",
        f"Over {orders['orders']} orders, {_share(orders['changed'])} % of the clips get more than one answer; "
        f"accuracy lies between {percent(min(accuracy))} and {percent(max(accuracy))}.",
    ]


def _attention(attention: Mapping[str, Any] | None) -> list[str]:
    if attention is None:
        return ["", "## Attention", "", "The model gives no attentions, or is shown no frames."]
    frames, first = (", ".join(percent(share) for share in attention[key]) for key in ("frames", "first"))
    return [
        "",
        "## Attention",
        "",
        f"Frames are {percent(attention['frame_tokens'])} % of the tokens. Where the answer is predicted they get, by "
        f"layer, {frames} % of the attention, and the first token {first} %; the rest goes to text. Attention is no "
        "explanation: it says what is read, not what for.",
    ]


def span(row: Mapping[str, Any]) -> str:
    """The bin of a row: "0.25-0.5", or "over 2"."""
    return f"over {row['from_s']:g}" if row["to_s"] is None else f"{row['from_s']:g}–{row['to_s']:g}"


def _share(interval: Mapping[str, float] | None) -> str:
    if interval is None:
        return "–"
    return f"{percent(interval['value'])} ({percent(interval['low'])}–{percent(interval['high'])})"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["-"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
