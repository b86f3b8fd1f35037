"""Names and shapes of secrets are told from words that only look alike."""

from __future__ import annotations

import pytest

from emotrain.secret_words import assigned_in, is_secret_name, secrets_of, shapes_in

HELD = (
    "HF_TOKEN", "HF_TOKEN_2", "WANDB_API_KEY", "MYSERVER_API_KEY", "MY_PAT", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD",
    "MYSQL_PWD", "DB_PASS", "CLIENT_SECRET", "GOOGLE_CREDENTIALS", "OPENAI_APIKEY", "--api-key", "token",
)  # fmt: skip
PLAIN = (
    "PWD", "PATH", "TOKENIZERS_PARALLELISM", "HF_TOKEN_PATH", "KEYBOARD", "MAX_TOKENS", "BYPASS", "NCCL_DEBUG",
    "LD_LIBRARY_PATH", "MONKEY", "COMPAT", "SSH_AUTH_SOCK",
)  # fmt: skip
A40 = "0123456789abcdef0123456789abcdef01234567"
SECRETS = {
    "a Hugging Face token": "hf_" + "aB3" * 10,
    "an OpenAI key": "sk-proj-" + "q" * 40,
    "a GitHub token": "ghp_" + "a" * 36,
    "a GitLab token": "glpat-" + "x" * 20,
    "a Slack token": "xoxb-" + "1234567890-abc",
    "an AWS key": "AKIA" + "ABCDEFGH12345678",
    "a Weights & Biases key": f"WANDB_API_KEY={A40}",
    "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "a password in an address": "http://me:hunter2@proxy:3128",
}


@pytest.mark.parametrize("name", HELD)
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", PLAIN)
def test_a_name_that_only_looks_alike_is_left_alone(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_told_by_its_shape_and_not_repeated(kind: str) -> None:
    secret = SECRETS[kind]
    (found,) = shapes_in(f"x: [{secret}, y]")
    assert found.startswith(kind)
    assert secret not in found


@pytest.mark.parametrize(
    "text",
    [
        f"model_revision: {A40}",
        f"manifest {A40}{A40}",
        "task-force and risk-averse people, in a-very-long-hyphenated-word",
        "eos_token: <|im_end|>",
        "http://localhost:8000/v1",
        "https://example.org/a:b@c",
    ],
)
def test_digests_words_and_addresses_are_no_secrets(text: str) -> None:
    assert shapes_in(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("--export=ALL,WANDB_API_KEY=abc", "WANDB_API_KEY"),
        ("apptainer exec --env HF_TOKEN=x img.sif", "HF_TOKEN"),
        ("--api-key=abc", "api-key"),
        ("--export=ALL,WANDB_API_KEY", None),
        ("--container-image=/images/a.sif", None),
        ("--gpus=2 --constraint=ib", None),
    ],
)
def test_a_value_for_a_secret_is_found_in_flags_and_its_bare_name_is_not(text: str, name: str | None) -> None:
    assert assigned_in(text) == name


def test_secrets_of_an_environment_go_by_name_and_leave_short_values_out() -> None:
    environment = {"MYSERVER_API_KEY": "0123456789", "SORT_KEY": "1", "HOME": "/home/somebody"}
    assert secrets_of(environment) == {"MYSERVER_API_KEY": "0123456789"}
