"""How a model behind a server is asked for labels: the values of `--server-options`, and of `server:` in a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from emotrain.emotions import nearest
from emotrain.evaluation.served.dialects import DIALECTS
from emotrain.secret_words import check_address, check_key_variable
from emotrain.yaml_files import option_mapping

ANSWERS = ("auto", "text", "choice", "likelihood")

_ASKED_HOW = ("base_url", "key_variable", "concurrency", "max_requests", "max_tokens", "retries", "timeout_s")
_NOT_THE_ANSWER = (*_ASKED_HOW, "price_in", "price_out")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One model behind one server.

    `answers` is how labels are read: `text`, the words of the reply; `auto`, the log-probabilities of its first tokens
    where the server gives them, else its words; `choice`, a reply bound to the labels; `likelihood`, the log-likelihood
    of every label (one request each). `samples` replies are asked for at `temperature` (None: 0 for one, 0.7 for
    several) and the label named most often counts. `shots` examples of every class come from the train part. Prices
    are per million tokens. The rest is of `context.chat_client.ChatClient`.
    """

    base_url: str
    model: str
    kind: str = "openai"
    answers: str = "auto"
    samples: int = 1
    shots: int = 0
    temperature: float | None = None
    top_logprobs: int = 20
    max_new_tokens: int = 64
    price_in: float | None = None
    price_out: float | None = None
    key_variable: str = "OPENAI_API_KEY"
    concurrency: int = 8
    max_requests: int | None = None
    max_tokens: int | None = None
    retries: int = 5
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        check_address(self.base_url)
        check_key_variable(self.key_variable)
        if not isinstance(self.model, str) or not self.model:
            raise ValueError(f"server: model: {self.model!r}; expected the name that the server knows its model by")
        for key, value, known in (("kind", self.kind, DIALECTS), ("answers", self.answers, ANSWERS)):
            if value not in known:
                raise ValueError(f"server: {key}: {value!r}; {nearest(str(value), known)}")
        dialect = DIALECTS[self.kind]
        if (self.answers == "choice" and dialect.choices is None) or (
            self.answers == "likelihood" and dialect.likelihood is None
        ):
            able = [
                name
                for name, other in DIALECTS.items()
                if (other.choices if self.answers == "choice" else other.likelihood) is not None
            ]
            raise ValueError(
                f"server: answers: {self.answers} is not known of kind: {self.kind}; say kind: {' or '.join(able)} if "
                "the server is one, or answers: auto"
            )
        for key, least in (("samples", 1), ("shots", 0), ("top_logprobs", 1), ("max_new_tokens", 1)):
            value = getattr(self, key)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"server: {key}: {value!r}; expected a whole number from {least}")
        if self.answers == "likelihood" and (self.samples > 1 or self.temperature is not None):
            raise ValueError("server: answers: likelihood draws nothing; remove samples and temperature")
        if self.samples > 1 and self.temperature == 0:
            raise ValueError("server: temperature: 0 makes every sample the same; remove it, or samples")

    @property
    def heat(self) -> float:
        """The temperature that replies are drawn at."""
        return self.temperature if self.temperature is not None else 0.0 if self.samples == 1 else 0.7

    def deciding(self) -> dict[str, Any]:
        """What the answers hang on: not where the server is, nor how fast and at what price it is asked."""
        return {key: value for key, value in asdict(self).items() if key not in _NOT_THE_ANSWER}

    def given(self) -> dict[str, Any]:
        """What was said of it besides its defaults."""
        return {entry.name: value for entry in fields(self) if (value := getattr(self, entry.name)) != entry.default}

    def client(self) -> dict[str, Any]:
        """The options of the ChatClient."""
        return {name: getattr(self, name) for name in ("model", "max_new_tokens", *_ASKED_HOW)}


def server_settings(given: Any) -> ServerSettings:
    """The settings in a mapping; raises ValueError that names what is unknown or missing."""
    if not isinstance(given, Mapping):
        raise ValueError(f"server: {given!r}; expected {{base_url: http://HOST/v1, model: NAME}} and more if wanted")
    known = {entry.name: entry for entry in fields(ServerSettings)}
    odd = [f"unknown key {key!r}, {nearest(str(key), known)}" for key in given if key not in known]
    odd += [f"{key}: missing" for key, entry in known.items() if entry.default is MISSING and key not in given]
    if odd:
        raise ValueError(f"server: {'; '.join(odd)}")
    return ServerSettings(**given)


def told_settings(server: str, model: str | None, options: str, adapter: str | None) -> ServerSettings:
    """The settings of a command line; raises ValueError for what is missing or excludes another."""
    if adapter is not None:
        raise ValueError("--server asks the model there and --adapter loads one here; remove one of the two")
    if model is None:
        raise ValueError("--server needs --model NAME, what the server calls its model")
    given = option_mapping("--server-options", options, "{answers: choice}")
    return server_settings({"base_url": server, "model": model, **given})


def is_of(found: Mapping[str, Any] | None, server: ServerSettings | None) -> bool:
    """Whether metrics that say `found` of their server are of this one, asked in this way; None is no server."""
    if found is None or server is None:
        return found is None and server is None
    return {key: value for key, value in found.items() if key != "asked"} == server.deciding()
