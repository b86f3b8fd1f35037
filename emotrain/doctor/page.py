"""The page that `emotrain doctor` prints: all looks, in the order in which a bug report is read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from emotrain.doctor import accelerators, cluster, hub, machine, packages, video
from emotrain.doctor.finding import Finding, Look, looked, without_secrets


def examine(work: Path, skip: Sequence[str] = ()) -> dict[str, list[Finding]]:
    """Findings by part: nothing is changed, fetched or sent but one question to the Hub and one about the token."""
    looks: dict[str, Look] = {
        "packages": packages.look,
        "accelerators": accelerators.look,
        "video": video.look,
        "machine": partial(machine.look, work),
        "hub": hub.look,
        "cluster": cluster.look,
    }
    unknown = sorted(set(skip) - set(looks))
    if unknown:
        raise ValueError(f"--skip {unknown[0]}: expected one of {', '.join(looks)}")
    return {name: looked(name, look) for name, look in looks.items() if name not in skip}


def page(parts: Mapping[str, Sequence[Finding]], environment: Mapping[str, str] | None = None) -> str:
    """The findings as text, a part under its heading, the count of faults and notes last. No secret is in it."""
    lines = [line for name, found in parts.items() for line in (name, *(one.line() for one in found))]
    every = [one for found in parts.values() for one in found]
    faults, notes = (sum(one.state == state for one in every) for state in ("fault", "note"))
    lines.append(f"{faults} fault(s), {notes} note(s)")
    return without_secrets("\n".join(lines), os.environ if environment is None else environment)
