"""The Hugging Face Hub: whether it is in reach, and what the token may do. The token itself is never told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emotrain.doctor.finding import Finding
from emotrain.hub_errors import HubError, explained

PATIENCE_S = 10.0
NO_TOKEN = "public models need none; for private ones and `emotrain publish`: hf auth login, or export HF_TOKEN"
UNREACHED = (
    "models that are on disk already still train; for others see the reason, or fetch them where there is a network"
)


def look() -> Iterator[Finding]:
    """Reachability without a token first: a refused token and a missing network are told apart."""
    from huggingface_hub import constants, get_token
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    if constants.HF_HUB_OFFLINE:
        yield Finding("hub", "not asked: HF_HUB_OFFLINE is set", "note", "unset it to fetch models or to publish")
        return
    api = f"{constants.ENDPOINT}/api"
    try:
        with explained("reach the Hub"):
            query = {"limit": "1"}
            answer = get_session().get(
                f"{api}/models", params=query, headers=build_hf_headers(token=False), timeout=PATIENCE_S
            )
            hf_raise_for_status(answer)
        yield Finding("hub", f"{constants.ENDPOINT} answers")
    except HubError as error:
        yield Finding("hub", str(error), "note", UNREACHED)
        if error.status is None:
            return
    token = get_token()
    if token is None:
        yield Finding("token", "none", "note", NO_TOKEN)
        return
    try:
        with explained("ask whose token this is"):
            answer = get_session().get(f"{api}/whoami-v2", headers=build_hf_headers(token=token), timeout=PATIENCE_S)
            hf_raise_for_status(answer)
        yield scope(answer.json())
    except HubError as error:
        remedy = "hf auth login with a new token, or unset HF_TOKEN" if error.status == 401 else NO_TOKEN
        yield Finding("token", str(error), "fault" if error.status == 401 else "note", remedy)


def scope(answer: Mapping[str, Any]) -> Finding:
    """What the Hub says a token may do: its role, and for a fine-grained one where it may write."""
    token = answer.get("auth", {}).get("accessToken", {})
    role, whose = token.get("role", "unknown role"), f"of {answer.get('name', 'nobody')}"
    if role == "write":
        return Finding("token", f"{whose}, may write")
    if role == "fineGrained":
        scoped = token.get("fineGrained", {}).get("scoped", [])
        places = [one["entity"].get("name", "?") for one in scoped if "repo.write" in one.get("permissions", [])]
        if places:
            return Finding("token", f"{whose}, may write to {', '.join(places)}")
    return Finding("token", f"{whose}, {role}: may not write", "note", "emotrain publish needs a token that may write")
