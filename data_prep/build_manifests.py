"""Draw a sampling manifest: which clip the trainer sees at which position of which epoch.

    python data_prep/build_manifests.py --data DATA --strategy class_balanced --epochs 3 --seed 0 --fold 1

Reads DATA/clips.parquet (train split, less what DATA/frames has in quarantine); writes DATA/manifests/NAME.parquet, the
header NAME.json and the picture NAME.png. Same clips and settings, same bytes: the printed sha256 identifies the order.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from emotrain.balance.draw_settings import COMPOUNDS, GROUPS, STRATEGIES, DrawSettings
from emotrain.balance.drawable import drawable_clips
from emotrain.balance.manifest import Manifest, build_manifest, over_cap_in_words, write_manifest
from emotrain.file_errors import in_words


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, required=True, help="folder with clips.parquet")
    p.add_argument("--strategy", choices=STRATEGIES, required=True)
    p.add_argument("--epochs", type=int, help="(%(default)s)")
    p.add_argument("--seed", type=int, help="(%(default)s)")
    p.add_argument("--epoch-size", type=int, metavar="N", help="draws an epoch (default: the number of clips)")
    p.add_argument("--fold", type=int, metavar="K", help="test fold; leave out for a data set with fixed splits")
    p.add_argument("--name", help="file name without suffix (default: made of the settings; training looks there)")
    p.add_argument("--power", type=float, metavar="Q", help="of strategy power: shares proportional to n^Q")
    p.add_argument("--beta", type=float, metavar="B", help="of strategy effective_number (default: 0.9999)")
    p.add_argument("--threshold", type=float, metavar="T", help="of strategy repeat_factor (default: 1 / classes)")
    p.add_argument("--replacement", action="store_true", help="independent draws instead of dealing each class out")
    p.add_argument("--group-by", choices=GROUPS, help="bound the draws of one subject or source ...")
    p.add_argument("--group-cap", type=float, metavar="SHARE", help="... to this share of the draws of its class")
    p.add_argument("--compound", choices=COMPOUNDS, help="class of a clip with several labels (%(default)s)")
    p.add_argument("--svg", action="store_true", help="draw the picture as SVG instead of PNG")
    p.set_defaults(**{field.name: field.default for field in fields(DrawSettings) if field.name != "strategy"})
    return p


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    try:
        settings = DrawSettings(**{field.name: getattr(args, field.name) for field in fields(DrawSettings)})
        name = settings.file_name(args.fold) if args.name is None else args.name
        if Path(name).name != name or name in ("", ".."):
            raise ValueError(f"--name {name!r}: expected a file name without folders, or none at all")
        clips, left_out = drawable_clips(args.data, args.fold)
        manifest = build_manifest(clips, settings)
        path = write_manifest(manifest, args.data / "manifests" / f"{name}.parquet")
        from emotrain.balance.picture import save_picture

        picture = path.with_suffix(".svg" if args.svg else ".png")
        save_picture(manifest, picture)
    except (OSError, ValueError) as error:
        print(f"error: {in_words(error)}", file=sys.stderr)
        return 1
    show(manifest)
    for label, count in sorted(left_out.items()):
        print(f"left out {count} quarantined clips of {label}", file=sys.stderr)
    print(f"sha256 {manifest.digest}\nwritten: {path}, {path.with_suffix('.json').name}, {picture.name}")
    return 0


def show(manifest: Manifest) -> None:
    header = manifest.header
    print(f"{header['strategy']}: {manifest.epochs} epochs of {manifest.epoch_size} draws from {header['clips']} clips")
    print(f"  {'class':<16} {'clips':>7} {'draws':>8} {'seen in an epoch':>17}")
    for name, count in sorted(header["clips_per_class"].items(), key=lambda item: -item[1]):
        seen = sum(header["distinct_clips_per_class"][name]) / manifest.epochs / count
        print(f"  {name:<16} {count:>7} {sum(header['draws_per_class'][name]):>8} {seen:>17.0%}")
    for line in over_cap_in_words(manifest):
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
