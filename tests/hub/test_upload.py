"""The upload to a Hub that misbehaves: nothing sent twice, nothing public by accident, every fault named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emotrain.hub_errors import HubError, explained

FILES = [".gitattributes", "README.md", "adapter_config.json", "adapter_model.safetensors"]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    driver = Path(__file__).with_name("fault_driver.py")
    environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    environment["PYTHONPATH"] = str(driver.parents[2])
    command = [sys.executable, str(driver), str(tmp_path_factory.mktemp("faults"))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "hf_" not in done.stdout + done.stderr.replace("hf_hub", ""), "no token in anything printed"
    return dict(json.loads(done.stdout))


def test_a_new_repository_is_private_and_an_unchanged_folder_makes_no_commit(outcomes: dict[str, Any]) -> None:
    plain = outcomes["plain"]
    first, second = plain["uploaded"]
    assert plain["private"]
    assert plain["files"] == FILES
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["commit"] == second["commit"]
    assert (plain["puts"], plain["commits"]) == (1, 1)
    assert plain["parents"][0] is not None, "the commit names its parent, so nobody's is overwritten"


def test_a_branch_is_made_for_a_revision_and_main_is_left_alone(outcomes: dict[str, Any]) -> None:
    assert outcomes["branch"]["branches"] == ["main", "step-10"]
    assert outcomes["branch"]["files"] == [".gitattributes"]
    assert outcomes["branch"]["puts"] == 1


def test_a_pull_request_leaves_main_alone_and_goes_against_main_only(outcomes: dict[str, Any]) -> None:
    request = outcomes["pull request"]
    assert request["uploaded"]["revision"] == "refs/pr/1"
    assert request["uploaded"]["pull_request"].endswith("/discussions/1")
    assert request["files"] == [".gitattributes"]
    assert "--create-pr" in outcomes["request against a branch"]["error"]


def test_ones_own_open_request_of_the_same_title_is_continued_and_no_other(outcomes: dict[str, Any]) -> None:
    again = outcomes["requested again"]
    assert again["error"] is None
    first, same, news = again["uploaded"]["sent"]
    assert [sent["revision"] for sent in (first, same, news)] == ["refs/pr/4"] * 3
    assert all(sent["pull_request"].endswith("/discussions/4") for sent in (first, same, news))
    assert [sent["changed"] for sent in (first, same, news)] == [True, False, True]
    assert again["uploaded"]["requests"] == 4, "a stranger's, a merged one, one of another title, and ours"
    assert json.loads(again["uploaded"]["held"])["r"] == 8
    assert again["parents"][-2] == first["commit"], "what is added names its parent"
    assert again["uploaded"]["after"]["revision"] == "refs/pr/5", "a closed request is not opened again"
    assert again["files"] == FILES


def test_public_is_asked_for_or_refused(outcomes: dict[str, Any]) -> None:
    assert outcomes["public"]["private"] is False
    assert "pass --public" in outcomes["public already"]["error"]
    assert outcomes["public already"]["kind"] == "HubError", "as any other reason that the Hub gives"
    assert outcomes["public already"]["commits"] == 1, "only the one that asked for it"


def test_a_large_file_goes_in_parts(outcomes: dict[str, Any]) -> None:
    assert outcomes["parts"]["puts"] == 3
    assert outcomes["parts"]["files"] == FILES


def test_a_repeated_call_after_a_fault_sends_no_large_file_again(outcomes: dict[str, Any]) -> None:
    resumed = outcomes["resumed"]
    assert "HTTP 500" in resumed["uploaded"]["first"]
    assert resumed["uploaded"]["puts"] == resumed["puts"] == 1
    assert resumed["uploaded"]["second"]["changed"]
    assert resumed["files"] == FILES


@pytest.mark.parametrize("name", ["busy store", "cut connection"])
def test_a_passing_fault_of_the_store_is_retried(outcomes: dict[str, Any], name: str) -> None:
    assert outcomes[name]["error"] is None
    assert outcomes[name]["puts"] == 2
    assert outcomes[name]["files"] == FILES


@pytest.mark.parametrize(
    ("name", "status", "tried", "remedy"),
    [
        ("no token", 401, "create repository org/no-token", "hf auth login"),
        ("wrong token", 401, "create repository org/wrong-token", "hf auth login"),
        ("reading token", 403, "create repository org/reading-token", "write access"),
        ("not found", 404, "upload to org/not-found@main", "check the spelling"),
        ("lost revision", 404, "fetch adapter org/lost-revision@v9", "check the spelling"),
        ("conflict", 409, "upload to org/conflict@main", "look at the repository"),
        ("race", 412, "upload to org/race@main", "somebody else committed"),
        ("refusing store", 403, "upload to org/refusing-store@main", "write access"),
        ("too large", 413, "upload to org/too-large@main", "adapters only"),
        ("too many", 429, "create repository org/too-many", "wait some minutes"),
        ("asked to wait long", 429, "upload to org/asked-to-wait-long@main", "it asks to wait 3600 s (Retry-After)"),
        ("no leave to store", 401, "ask for leave to write to the store of org/store", "hf auth login"),
        ("no right to store", 403, "ask for leave to write to the store of org/store", "write access"),
        ("store is busy", 429, "ask for leave to write to the store of org/store", "it asks to wait 3600 s"),
        ("hub down", 503, "create repository org/hub-down", "status.huggingface.co"),
        ("no network", None, "create repository org/no-network", "HTTPS_PROXY"),
    ],
)
def test_a_lasting_fault_names_status_attempt_and_remedy(
    outcomes: dict[str, Any], name: str, status: int | None, tried: str, remedy: str
) -> None:
    outcome = outcomes[name]
    assert outcome["kind"] == "HubError", outcome["error"]
    assert outcome["status"] == status
    assert outcome["error"].startswith(tried)
    assert remedy in outcome["error"]
    if status is not None:
        assert f"HTTP {status} (" in outcome["error"]


@pytest.mark.parametrize("name", ["busy once", "asked to wait", "busy commit"])
def test_a_hub_that_is_busy_is_asked_again_as_late_as_it_asks_for(outcomes: dict[str, Any], name: str) -> None:
    assert outcomes[name]["error"] is None
    assert outcomes[name]["uploaded"]["changed"]
    assert outcomes[name]["commits"] == (1 if name == "busy once" else 2)
    assert outcomes["hub down"]["error"].endswith("(asked 4 times)")
    assert outcomes["store is busy once"]["uploaded"] == 2


def test_what_the_store_s_own_client_says_is_told_as_what_it_is() -> None:
    said = "Network error: Request error: HTTP status client error (403 Forbidden), domain: http://hub/xet-write-token"
    with pytest.raises(HubError, match=r"upload: HTTP 403 .*Xet.*write access") as error, explained("upload"):
        raise ConnectionError(said)
    assert error.value.status == 403


def test_a_race_overwrites_nothing(outcomes: dict[str, Any]) -> None:
    assert outcomes["race"]["files"] == [".gitattributes", "theirs.txt"]


def test_a_base_that_is_not_on_the_hub_is_a_fault(outcomes: dict[str, Any]) -> None:
    (fault,) = outcomes["lost base"]["uploaded"]
    assert fault.startswith("look up base model org/nowhere: HTTP 404")


def test_a_full_storage_is_said_as_such_and_not_as_a_missing_right() -> None:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    said = "Private repository storage limit reached, please upgrade your plan."
    response = httpx2.Response(403, request=httpx2.Request("POST", "http://hub/commit"))
    reason = r"upload: HTTP 403 \(Private repository storage limit .*storage .* is full"
    with pytest.raises(HubError, match=reason), explained("upload"):
        raise HfHubHTTPError("403", response=response, server_message=said)
