"""The same model through three harnesses: ours, lmms-eval and VLMEvalKit, on one set of drawn clips.

    python benchmarks/other_harnesses.py --folder F --lmms-eval ENV/bin/python --vlmevalkit ENV/bin/python

A tiny adapter is trained and merged, and served once by `transformers serve`; ours asks it with `emotrain evaluate
--server`, the others with their own commands on what `emotrain export` wrote, each in an environment of its own (`pip
install lmms-eval 'filelock<4'`, `pip install ms-vlmeval`). Every file of replies is scored by
`emotrain score`. VLMEvalKit encodes pictures anew as JPEG, lmms-eval as PNG. What is in F already is not made again.
"""

from __future__ import annotations

import argparse
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from emotrain.evaluation.harnesses.export import export
from emotrain.evaluation.score import score_arms
from emotrain.evaluation.served.run import evaluate_served
from emotrain.evaluation.served.settings import ServerSettings
from emotrain.inference.merge import merge
from emotrain.metrics.predictions import PredictionTable
from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import Recipe, load_recipe
from emotrain.recipes_folder import shipped_recipe
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.training.train import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--lmms-eval", type=Path, help="python of its environment")
    parser.add_argument("--vlmevalkit", type=Path, help="python of its environment")
    parser.add_argument("--clips", type=int, default=44, help="test clips")
    asked = parser.parse_args()
    recipe, model = made(asked.folder, asked.clips)
    server, url = serve(model)
    try:
        evaluate_served(
            recipe, asked.folder / "ours", ServerSettings(url, model.name, kind="transformers", timeout_s=300.0)
        )
        replies = {"emotrain": asked.folder / "ours" / "predictions.parquet"}
        if asked.lmms_eval:
            replies["lmms-eval"] = lmms_eval(recipe, asked.folder, asked.lmms_eval, url, model.name)
        if asked.vlmevalkit:
            replies["VLMEvalKit"] = vlmevalkit(recipe, asked.folder, asked.vlmevalkit, url, model.name)
    finally:
        server.terminate()
        server.wait(timeout=60)
    tables: dict[str, PredictionTable] = {}
    print("| harness | WAR | UAR | same answer as ours |\n|-|-|-|-|")
    for name, file in replies.items():
        (arm,) = score_arms(file, label_set=None if name == "emotrain" else label_set_of(recipe), resamples=200)
        tables[name] = arm.table
        ours = {row.clip_id: row.predicted for row in tables["emotrain"].predictions}
        same = sum(ours[row.clip_id] == row.predicted for row in arm.table.predictions)
        war, uar = (100 * arm.metrics[key]["value"] for key in ("war", "uar"))
        print(f"| {name} | {war:.1f} | {uar:.1f} | {same} of {len(ours)} |")


def made(folder: Path, clips: int) -> tuple[Recipe, Path]:
    """The recipe and the merged model of a short training on drawn clips."""
    if not (folder / "clips").is_dir():
        write_clip_set(folder / "clips", train=44, validation=0, test=clips, seed=7, workers=1)
    values = {"data": folder / "data", "root": folder / "clips", "output_dir": folder / "run", "epochs": 6}
    values |= {"per_device_train_batch_size": 8, "warmup_steps": 1, "learning_rate": 3e-3, "arm": "tiny"}
    recipe = load_recipe(
        shipped_recipe("tiny/enriched_balanced.yaml"), [w for k, v in values.items() for w in (f"--{k}", str(v))]
    )
    if not (folder / "merged").is_dir():
        prepare(recipe, workers=1)
        merge(train(recipe), folder / "merged")
    return recipe, (folder / "merged").resolve()


def serve(model: Path) -> tuple[subprocess.Popen[bytes], str]:
    """`transformers serve` with the model on loopback, when it answers; the model goes by the name of its folder."""
    log = model.with_suffix(".log")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", model.name, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--device", "cpu", "--dtype", "float32"]
    with log.open("wb") as said:
        server = subprocess.Popen(
            command, stdout=said, stderr=said, env=os.environ | {"HF_HUB_OFFLINE": "1"}, cwd=model.parent
        )
    while True:
        if server.poll() is not None:
            raise SystemExit(f"transformers serve ended: {log.read_text('utf-8')[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return server, f"http://127.0.0.1:{port}/v1"
        except OSError:
            time.sleep(0.5)


def lmms_eval(recipe: Recipe, folder: Path, python: Path, url: str, model: str) -> Path:
    """The samples that lmms-eval logged."""
    out, results = folder / "lmms_task", folder / "lmms_results"
    command = export("lmms-eval", recipe, out)
    given = f"model_version={model},base_url={url},api_key=none,num_concurrent=1,timeout=300,httpx_trust_env=False"
    run(command.split(" --output_path")[0], python, "-m lmms_eval", "lmms-eval", [
        "--output_path", str(results), "--model", "openai", "--model_args", given, "--batch_size", "1",
    ])  # fmt: skip
    return max(results.rglob("*samples*.jsonl"), key=os.path.getmtime)


def vlmevalkit(recipe: Recipe, folder: Path, python: Path, url: str, model: str) -> Path:
    """The predictions that VLMEvalKit wrote."""
    out, results = folder / "vlm_task", folder / "vlm_results"
    command = export("vlmevalkit", recipe, out)
    run(command.replace("--model ...", ""), python, "", "python", [
        "--model", model, "--base-url", url, "--key", "none", "--api-nproc", "1", "--work-dir", str(results),
    ])  # fmt: skip
    return max(results.rglob("*emotrain_*.xlsx"), key=os.path.getmtime)


def run(command: str, python: Path, module: str, program: str, more: list[str]) -> None:
    """A command that `export` printed, with the environment's python in the place of the program."""
    variable, *words = shlex.split(command)
    name, value = variable.split("=", 1)
    assert words[0] == program
    line = [str(python), *shlex.split(module), *words[1:], *more]
    print("$", shlex.join([variable, *line]), flush=True)
    subprocess.run(line, check=True, env=os.environ | {name: value, "HF_HUB_OFFLINE": "1"}, stdout=sys.stderr)


def label_set_of(recipe: Recipe) -> object:
    from emotrain.emotions import label_set

    return label_set(recipe.data.label_set)


if __name__ == "__main__":
    main()
