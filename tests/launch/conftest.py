"""A clip folder, a profile and a stand-in for the commands of SLURM that writes down how it was called."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

SBATCH = """#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$CALLS"
n=$(grep -c parsable "$CALLS")
if [[ -n ${REFUSE_AFTER:-} ]] && ((n > REFUSE_AFTER)); then echo "sbatch: error: Invalid qos" >&2; exit 1; fi
echo "$((100 + n));cluster"
"""
OTHER = """#!/usr/bin/env bash
printf '%s %s\\n' "${0##*/}" "$*" >>"$CALLS"
[[ ${0##*/} == squeue ]] || exit 0
if (($(grep -c ^squeue "$CALLS") <= ${SQUEUE_FAILS:-0})); then
  echo "slurm_load_jobs error: Unable to contact slurm controller" >&2
  exit 1
fi
printf '%s\\n' 7 ${QUEUED:-}
"""


@dataclass(frozen=True)
class Desk:
    """Where a test launches from."""

    folder: Path
    recipe: Path
    profile: Path

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    @property
    def words(self) -> list[str]:
        """Overrides that make the shipped recipe launchable from here."""
        data, output = str(self.folder / "data"), str(self.folder / "run")
        return ["--root", str(self.folder), "--data", data, "--output_dir", output, "--prep_shards", "4"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("squeue", OTHER), ("scancel", OTHER)):
        (bin_folder / name).write_text(text, encoding="utf-8")
        (bin_folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    profile = tmp_path / "cluster.yaml"
    profile.write_text("partition: main\nnodes: 2\nprocesses_per_node: 2\n", encoding="utf-8")
    return Desk(tmp_path, Path(__file__).parents[2] / "recipes" / "tiny" / "enriched_balanced.yaml", profile)
