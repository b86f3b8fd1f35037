"""A clip as a request to a served model: the prompt of training in the message format of OpenAI's chat completions.

Servers get the keyframes as images, never the video: they would choose frames of their own, and know no summaries.
Nothing here loads the model; the client needs the input contract only, and what wrote the summaries of training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emotrain.context.inline_pictures import with_pictures
from emotrain.examples.input_contract import CONTRACT, read_contract
from emotrain.inference.clip_input import ClipEyes, SeenExamples
from emotrain.inference.input_settings import settle
from emotrain.modeling.adapters import adapter_folder


def chat_messages(adapter: str | Path, clip: str | Path, **given: Any) -> list[dict[str, Any]]:
    """The messages for one clip: texts and keyframes (JPEG data URLs) in the order of the training prompt.

    `adapter` is a merged folder, an adapter's folder or a Hub id. `given` replaces single values of its input contract,
    as in `emotrain.load` (summarizer_options, where a model writes the summaries). The frames have the stored size; a
    server must resize them as the merged folder's processor does. Raises ValueError without an input contract,
    ClipError for a clip that cannot be read.
    """
    folder = Path(adapter).expanduser()
    found = read_contract(folder) if (folder / CONTRACT).is_file() else read_contract(adapter_folder(adapter))
    contract = settle(found, given, adapter=str(adapter))
    seen = ClipEyes(contract).see(Path(clip))
    examples = SeenExamples(contract, [seen])
    messages, shown = examples.messages(seen.clip_id)
    return with_pictures(messages, shown)
