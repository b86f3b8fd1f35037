"""What went wrong between here and the Hugging Face Hub: the status, what was tried, and what to do about it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

REMEDIES: dict[int, str] = {
    400: "the Hub refused the request as malformed; its reason stands before this",
    401: "no valid token; run `hf auth login`, or export HF_TOKEN, with a token that may write to this repository",
    403: "the token is valid and may not do this; use one with write access to this user or organisation",
    404: "no such repository or revision; check the spelling, and that the token may see it (a private one looks lost)",
    409: "the Hub holds something else under this name, or is still busy with it; look at the repository and run again",
    412: "somebody else committed to this revision meanwhile; look at their commit, then run again",
    413: "a file or the request is larger than the Hub takes; publish adapters only, not merged models",
    429: "too many requests for this token or address; wait some minutes and run again",
}
BROKEN = "the Hub is out of order (https://status.huggingface.co); run again later"
_OF_THE_STORE = re.compile(r"HTTP status (?:client|server) error \((\d{3})\b")
FULL = (
    "the storage of this user or organisation is full, private repositories having the smallest share; delete old ones "
    "(https://huggingface.co/settings/storage), publish to a public repository, or ask for more, then run again"
)
AGAIN = "what was uploaded is kept and is not sent again"
HERE = "check the file, the disk and the network of this machine, then run again"
NETWORK = "no connection; check the network, HTTPS_PROXY and HF_ENDPOINT, then run again"


class HubError(ValueError):
    """The Hub could not be used; the message says why and what to do.

    `status` is the HTTP status, None without one; `retry_after_s` the seconds that the Hub asked to wait.
    """

    def __init__(self, message: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn what huggingface_hub and its HTTP client raise into a HubError that begins with `doing`."""
    try:
        yield
    except Exception as error:
        explanation = _explanation(doing, error)
        if explanation is None:
            raise
        raise explanation from error


def _explanation(doing: str, error: BaseException) -> HubError | None:
    """What an exception means for the user, None for one that has nothing to do with the Hub or this machine."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        remedy = REMEDIES.get(status, BROKEN if status >= 500 else "see the status")
        if status < 500 and "storage" in _said(error).lower():
            remedy = FULL
        if status >= 500 or status in (412, 429):
            remedy = f"{remedy}; {AGAIN}"
        request = f", request {error.request_id}" if error.request_id else ""
        wait_s = _retry_after_s(error.response.headers)
        asked = "" if wait_s is None else f"; it asks to wait {wait_s:g} s (Retry-After)"
        return HubError(f"{doing}: HTTP {status} ({_said(error)}{request}{asked}); {remedy}", status, wait_s)
    if isinstance(error, HFValidationError):
        return HubError(f"{doing}: {error}; a repository is named org/name")
    if isinstance(error, OfflineModeIsEnabled):
        return HubError(f"{doing}: HF_HUB_OFFLINE is set; unset it to reach the Hub")
    if isinstance(error, LocalEntryNotFoundError):
        return HubError(f"{doing}: not in the local cache and {constants.ENDPOINT} cannot be reached; {NETWORK}")
    if isinstance(error, json.JSONDecodeError):
        return HubError(f"{doing}: {constants.ENDPOINT} answered with something that is not JSON; {BROKEN}")
    if type(error) is RuntimeError:
        # What goes wrong with a large file is wrapped ("Error while uploading ..."); the store behind the Hub raises
        # nothing else.
        cause = None if error.__cause__ is None else _explanation(f"{doing}: {error}", error.__cause__)
        return cause if cause is not None else HubError(f"{doing}: {error}; run again later, {AGAIN}")
    if isinstance(error, ConnectionError) and (found := _OF_THE_STORE.search(str(error))):
        # The store's client knows one kind of error; what the Hub answered stands in its text.
        status = int(found[1])
        remedy = REMEDIES.get(status, BROKEN if status >= 500 else "see the status")
        again = f"; {AGAIN}" if status >= 500 or status == 429 else ""
        return HubError(f"{doing}: HTTP {status} (from the store of large files, Xet); {remedy}{again}", status)
    if isinstance(error, (httpx2.HTTPError, httpx2.StreamError, ConnectionError, TimeoutError)):
        return HubError(f"{doing}: {constants.ENDPOINT}: {error or type(error).__name__}; {NETWORK}")
    if isinstance(error, OSError):
        return HubError(f"{doing}: {error or type(error).__name__}; {HERE}")
    return None


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header, which may be a date; None without one."""
    stated = headers.get("Retry-After")
    if stated is None:
        return None
    if stated.strip().isdigit():
        return float(stated)
    try:
        return max(0.0, parsedate_to_datetime(stated).timestamp() - time.time())
    except ValueError:
        return None


def _said(error: object) -> str:
    """The Hub's own words, on one line."""
    message = getattr(error, "server_message", None)
    return " ".join(str(message).split()) if message else "no reason given"
