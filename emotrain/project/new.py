"""Write a project folder: recipes, a study, a cluster profile and sample clips, all of them the owner's to change."""

from __future__ import annotations

from pathlib import Path

from emotrain.atomic_files import replacing_folder
from emotrain.launch.places import home
from emotrain.project.sample import write_sample

_TEMPLATES = Path(__file__).parent / "templates"
_PROFILE = "slurm/profiles/venv_cluster.yaml"
_ABOUT_PROFILE = "# emotrain launch recipe.yaml --profile cluster.yaml --dry-run\n"


def new_project(folder: Path) -> list[Path]:
    """Write the project into a folder that is not there or is empty; it appears whole or not at all.

    Returns its files, sorted, without the sample's videos. Raises FileExistsError for a folder that holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{folder}: holds something already; name a folder that is not there yet, or an empty one"
        )
    with replacing_folder(folder) as place:
        for template in sorted(_TEMPLATES.iterdir()):
            name = ".gitignore" if template.name == "gitignore" else template.name
            (place / name).write_bytes(template.read_bytes())
        # The commented example of the clone, less its first line, which names the clone's own files.
        example = (home() / _PROFILE).read_text(encoding="utf-8").partition("\n")[2]
        (place / "cluster.yaml").write_text(_ABOUT_PROFILE + example, encoding="utf-8")
        write_sample(place / "clips")
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".mp4")
