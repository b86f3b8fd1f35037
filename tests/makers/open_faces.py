"""Rendered faces in the layouts of RAVDESS and CREMA-D, and their study on the tiny base, as a rehearsal.

    .venv/bin/python tests/makers/open_faces.py --dataset crema_d --out runs/rehearsal --actors 10 --takes 2
    .venv/bin/python -m emotrain.cli study runs/rehearsal/study.yaml

The study is studies/open_faces.yaml itself, with the tiny base and one fold and seed in place of its own.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import av
import numpy as np
import yaml

from emotrain.datasets.crema_d import EMOTIONS as CREMA_D
from emotrain.datasets.ravdess import EMOTIONS as RAVDESS
from emotrain.synthetic.clip_plan import ClipPlan
from emotrain.synthetic.clip_set import render_clip
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.performance import FPS, write_script

ROOT = Path(__file__).parents[2]
SENTENCES = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
STUDIES = {"crema_d": "open_faces.yaml", "ravdess": "open_faces_ravdess.yaml"}


def film(path: Path, label: str, actor: int, take: int, size: int) -> None:
    """One clip of an actor; calm, which the renderer does not know, is played as neutral."""
    label = "neutral" if label == "calm" else label
    kind = None if label == "neutral" else "macro"
    script = write_script(label, kind, np.random.default_rng([actor, take, 0]))
    plan = ClipPlan(path.stem, "train", f"actor {actor}", actor, 1000 * actor + take, script)
    path.parent.mkdir(parents=True, exist_ok=True)
    _, frames = render_clip(plan, size)
    write_mp4(frames, path, size, FPS)


def as_flv(mp4: Path) -> None:
    """The same pictures in a Flash container, as CREMA-D ships them."""
    with av.open(str(mp4)) as source, av.open(str(mp4.with_suffix(".flv")), "w", format="flv") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    mp4.unlink()


def write_ravdess(root: Path, actors: int = 5, takes: int = 1, size: int = 64) -> None:
    """`takes` (1 to 4) spoken takes of each emotion by each actor, every one with and without sound."""
    for actor in range(1, actors + 1):
        for code, label in RAVDESS.items():
            for take in range(takes):
                name = f"01-{code}-01-{1 + take // 2:02d}-{1 + take % 2:02d}-{actor:02d}.mp4"
                path = root / f"Actor_{actor:02d}" / f"01-{name}"
                film(path, label, actor, 10 * int(code) + take, size)
                os.link(path, path.with_name(f"02-{name}"))


def write_crema_d(root: Path, actors: int = 5, takes: int = 1, size: int = 64) -> None:
    """`takes` (1 to 12) sentences of each emotion by each actor, with the list of names and votes on the faces."""
    names = []
    for actor in range(1001, 1001 + actors):
        for at, (code, label) in enumerate(CREMA_D.items()):
            for take in range(takes):
                names.append(f"{actor}_{SENTENCES[take]}_{code}_XX")
                path = root / "VideoFlash" / f"{names[-1]}.mp4"
                film(path, label, actor, 20 * at + take, size)
                as_flv(path)
    votes = ['"","A","D","F","H","N","S","fileName","numResponses"']
    for number, name in enumerate(names, start=1):
        counts = [8 if code == name.split("_")[2] else 0 for code in CREMA_D]
        counts[-2] += 2
        votes.append(f'"{200000 + number}",{",".join(map(str, counts))},"{name}",10')
    listed = [f'{number},"{name}"' for number, name in enumerate(names, start=1)]
    (root / "processedResults").mkdir()
    (root / "processedResults" / "tabulatedVotes.csv").write_text("\n".join(votes) + "\n", encoding="utf-8")
    text = "\n".join(['"Stimulus_Number","Filename"', *listed]) + "\n"
    (root / "SentenceFilenames.csv").write_text(text, encoding="utf-8")


def write_study(dataset: str, root: Path, out: Path, seeds: int = 1, folds: int = 1) -> Path:
    """The shipped study of the data set with the tiny base, `seeds` seeds and `folds` folds; returns its file."""
    recipe = {
        "base": [str(ROOT / "recipes/tiny/base.yaml"), str(ROOT / f"recipes/parts/{dataset}.yaml")],
        "root": str(root),
        "data": str(out / "data"),
        "output_dir": str(out / "run"),
    }
    (out / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    study = {
        "base": str(ROOT / "studies" / STUDIES[dataset]),
        "recipe": str(out / "recipe.yaml"),
        "out": str(out / "study"),
        "seeds": list(range(seeds)),
        "folds": list(range(1, folds + 1)),
    }
    (out / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    return out / "study.yaml"


def main() -> None:
    """Render, and write the study beside."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--dataset", choices=sorted(STUDIES), default="crema_d")
    parse.add_argument("--out", type=Path, required=True)
    parse.add_argument("--actors", type=int, default=10)
    parse.add_argument("--takes", type=int, default=2)
    parse.add_argument("--size", type=int, default=128)
    parse.add_argument("--seeds", type=int, default=1)
    parse.add_argument("--folds", type=int, default=1)
    args = parse.parse_args()
    root = args.out / "videos"
    root.mkdir(parents=True)
    write = {"ravdess": write_ravdess, "crema_d": write_crema_d}[args.dataset]
    write(root, args.actors, args.takes, args.size)
    print(write_study(args.dataset, root.absolute(), args.out.absolute(), args.seeds, args.folds))


if __name__ == "__main__":
    main()
