"""`emotrain publish`, `emotrain lint`: an adapter on the Hugging Face Hub, and what keeps it from being there.

The token comes from HF_TOKEN or `hf auth login`, never from the command line, where others can read it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.job_notes import doing

Adapter = Annotated[Path, typer.Option(help="Output folder or checkpoint of a training run.")]
BaseModel = Annotated[str | None, typer.Option(help="Hub id of the base model, where the run had it in a folder.")]

Data = Annotated[Path | None, typer.Option(help="The run's data folder, where it is not where the run had it.")]
AllowWord = Annotated[
    list[str] | None, typer.Option(help="A word that the check takes for a user's or a clip's name; repeatable.")
]


def publish(
    adapter: Adapter,
    repo_id: Annotated[str, typer.Option(help="Repository on the Hub, org/name.")],
    scores: Annotated[Path | None, typer.Option(help="Folder of `emotrain evaluate` for this adapter.")] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER of another evaluation on the same clips; repeatable.")
    ] = None,
    base_model: BaseModel = None,
    revision: Annotated[str | None, typer.Option(help="Branch to publish to, made when missing.")] = None,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open a pull request instead of committing.")] = False,
    public: Annotated[bool, typer.Option("--public", help="Make the repository public; private otherwise.")] = False,
    template: Annotated[Path | None, typer.Option(help="Your own template of the card.")] = None,
    data: Data = None,
    allow_word: AllowWord = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write the folder to --out and send nothing.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of a dry run.")] = None,
) -> None:
    """Check an adapter, write its model card, upload both."""
    if dry_run != (out is not None):
        raise ValueError("--dry-run and --out go together: --dry-run --out FOLDER writes what would be uploaded")
    from emotrain.hub.publish import Publication, write_publication
    from emotrain.hub.publish import publish as run
    from emotrain.hub.scores import parse_baselines

    doing("publishing")
    publication = Publication(
        adapter,
        repo_id,
        revision,
        scores,
        parse_baselines(baseline if baseline is not None else []),
        base_model,
        template,
        data,
        tuple(allow_word if allow_word is not None else ()),
    )
    if out is not None:
        left_out = write_publication(publication, out)
        typer.echo(f"would publish {out} as {repo_id}; left out: {', '.join(left_out) if left_out else 'nothing'}")
        return
    uploaded = run(publication, public=public, create_pr=create_pr)
    if not uploaded.changed:
        typer.echo(f"nothing new for {uploaded.repo_id}@{uploaded.revision}: {uploaded.url}")
    else:
        typer.echo(f"published {uploaded.pull_request or uploaded.url}")
    if public and uploaded.private:
        typer.echo(f"{repo_id} was there already and stays private; its settings on the Hub can change that", err=True)
    typer.echo(f"load it with --adapter {uploaded.repo_id}@{uploaded.revision}")


def lint(
    adapter: Annotated[str, typer.Argument(help="Folder of an adapter, or org/name[@revision] on the Hub.")],
    base_model: BaseModel = None,
    data: Data = None,
    allow_word: AllowWord = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Check every file as it lies there, not what publishing would make of it.")
    ] = False,
) -> None:
    """Say every reason why an adapter should not be published."""
    from emotrain.hub.lint import AdapterFaults
    from emotrain.hub.lint import lint as check
    from emotrain.hub.publish import as_published, base_of, private_of
    from emotrain.modeling.adapters import adapter_folder

    folder = adapter_folder(adapter)
    allowed = tuple(allow_word if allow_word is not None else ())
    if as_is:
        base = base_of(folder, base_model)
        faults = check(folder, base, private_of(folder, [], (adapter.partition("@")[0], base.name, *allowed), data))
    else:
        with as_published(folder, base_model) as (staged, base):
            faults = check(staged, base, private_of(folder, [], (base.name, *allowed), data))
    if faults:
        raise AdapterFaults(adapter, faults)
    typer.echo(f"{adapter}: no fault found; base model {base.name}")
