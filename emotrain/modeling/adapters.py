"""Where an adapter lies: a folder, or `org/name` and `org/name@revision` on the Hugging Face Hub."""

from __future__ import annotations

import json
import warnings
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.digests import DIGESTS, check_digests, file_digest
from emotrain.hub_errors import explained
from emotrain.json_files import read_object
from emotrain.load_result import check_adapter, held_tensors
from emotrain.modeling.adapter_config import CONFIG, read_config

CONTRACT = "emotrain.json"
WEIGHTS = "adapter_model.safetensors"
CALIBRATION = "calibration.json"
PARTS = (CONFIG, WEIGHTS, CONTRACT, CALIBRATION, "recipe.resolved.yaml", "provenance.json", DIGESTS)
"""Files of an adapter that are fetched from the Hub; never a pickle."""


RUN_REMEDY = "put the file back from where it came, or delete provenance.json beside it and train again"
REMEDY = f"{RUN_REMEDY}; `emotrain check FOLDER --renew` accepts what was changed on purpose"
_OF_A_PLACE = ("base_model_name_or_path", "revision", "inference_mode", "peft_version")
_CONTRACT_OF_A_PLACE = ("base_model", "base_revision", "emotrain", "format")


def adapter_folder(adapter: str | Path) -> Path:
    """The folder of an adapter, fetched from the Hub (into its cache) when it is no folder on this machine.

    Raises FileNotFoundError for a folder without a safetensors adapter (of an unfinished run it names the checkpoints),
    HubError when the Hub has none or is out of reach.
    """
    folder, adapter = Path(adapter).expanduser(), str(adapter)
    if not folder.is_dir():
        if adapter.startswith((".", "/", "~")) or adapter.count("/") != 1:
            raise FileNotFoundError(
                f"adapter {adapter!r}: no such folder; give the output folder of a training run, or "
                "org/name[@revision] on the Hub"
            )
        folder = _fetched(adapter)
    lacking = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    checkpoints = sorted(path.parent.name for path in folder.glob(f"checkpoint-*/{CONFIG}"))
    if lacking and checkpoints:
        raise FileNotFoundError(
            f"adapter {adapter!r}: an unfinished run with checkpoints {', '.join(checkpoints)}; name one"
        )
    if lacking:
        raise FileNotFoundError(f"adapter {adapter!r}: no {' and no '.join(lacking)} there; is it a PEFT adapter?")
    check_vouched(folder)
    return folder


def check_vouched(folder: Path) -> None:
    """Raise DamagedFile where a file of the adapter is not what its list vouches for.

    An adapter without a list (any other PEFT adapter, one of an earlier version) is taken as it is.
    """
    if (folder / DIGESTS).is_file():
        check_digests(folder / DIGESTS, REMEDY, only=PARTS)


def _fetched(adapter: str) -> Path:
    from huggingface_hub import snapshot_download

    name, _, revision = adapter.partition("@")
    with explained(f"fetch adapter {adapter}"):
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(PARTS)))


def adapter_digest(folder: Path) -> str:
    """128 hex digits of all that changes a prediction of the adapter: what ties figures to it, wherever it lies.

    That is its weights, PEFT's configuration and the input contract, without what is another on another machine or
    after publishing: how the base is called there, and who wrote the file.
    """
    digest = blake2b(file_digest(folder / WEIGHTS).encode())
    for name, elsewhere in ((CONFIG, _OF_A_PLACE), (CONTRACT, _CONTRACT_OF_A_PLACE)):
        values = read_object(folder / name, RUN_REMEDY) if (folder / name).is_file() else {}
        kept = {key: value for key, value in values.items() if key not in elsewhere}
        digest.update(json.dumps(kept, sort_keys=True, ensure_ascii=True).encode())
    return digest.hexdigest()


def load_adapter(model: Any, adapter: str | Path) -> Any:
    """Put a PEFT adapter on its base: a folder, a Hub id, or `id@revision`.

    Raises what `adapter_folder` raises, ValueError for a configuration that asks PEFT for more than a LoRA, for other
    shapes than the base's, and unless every tensor of the file found a place and every adapter weight got one.
    """
    from peft import PeftModel

    folder = adapter_folder(adapter)
    init = read_config(folder).get("init_lora_weights")
    held = held_tensors(folder / WEIGHTS)
    try:
        with warnings.catch_warnings():
            # PEFT warns of what does not fit and goes on; check_adapter stops.
            warnings.filterwarnings("ignore", message="Found missing adapter keys")
            # Else memory is taken for the rank that the configuration claims before the file is looked into. What takes
            # its beginning from the base's weights (pissa, olora) cannot be built without any.
            lean = not isinstance(init, str) or init == "gaussian"
            loaded = PeftModel.from_pretrained(model, str(folder), low_cpu_mem_usage=lean)
    except RuntimeError as error:
        if "size mismatch" not in str(error):
            raise
        raise ValueError(
            f"adapter {adapter} does not fit this base model: its tensors have other shapes; name its own base (--base)"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        said = " ".join(str(error).split())[:300]
        raise ValueError(
            f"{folder / CONFIG}: PEFT cannot apply it to this base ({said}); name the adapter's own base (--base), or "
            "take the adapter from its publisher again"
        ) from error
    check_adapter(loaded, held, f"adapter {adapter}: {WEIGHTS}")
    return loaded.eval()
