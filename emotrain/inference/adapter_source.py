"""Where an adapter is, and what to name instead when a run has not got one yet."""

from __future__ import annotations

from pathlib import Path

from emotrain.modeling.adapters import CONFIG, adapter_folder


def find_adapter(adapter: str | Path) -> Path:
    """The folder of an adapter or of a run's checkpoint; a Hub id, or `id@revision`, is fetched or found cached.

    Raises FileNotFoundError for a folder without a safetensors adapter (of an unfinished run it names the checkpoints),
    HubError when the Hub has none or is out of reach.
    """
    try:
        return adapter_folder(str(adapter))
    except FileNotFoundError as error:
        checkpoints = sorted(path.parent.name for path in Path(adapter).expanduser().glob(f"checkpoint-*/{CONFIG}"))
        if not checkpoints:
            raise
        raise FileNotFoundError(
            f"adapter {adapter}: an unfinished run with checkpoints {', '.join(checkpoints)}; name one"
        ) from error
