"""The reward objective climbs exactly what it names: accuracy, the mean of recalls, or F1 of the tail made linear."""

from __future__ import annotations

import pytest
import torch

from emotrain.balance.idle_loss import check_prior
from emotrain.balance.losses import LossSettings, build_loss
from emotrain.balance.reward import ASSUMED_F1, expected_loss, rewards
from emotrain.balance.score_prior import prior_to_remove
from emotrain.recipe.arguments import BalanceArguments

COUNTS = {"a": 60, "b": 30, "c": 6}
PRIOR = torch.tensor([60.0, 30.0, 6.0], dtype=torch.float64) / 96
GOLD = torch.tensor([0] * 60 + [1] * 30 + [2] * 6)


def test_a_sure_policy_is_worth_its_accuracy_or_its_uar() -> None:
    answered = torch.randint(0, 3, (96,), generator=torch.Generator().manual_seed(0))
    sure = 200.0 * torch.nn.functional.one_hot(answered, 3).double()
    hits = (answered == GOLD).double()
    recalls = [hits[c == GOLD].mean() for c in range(3)]

    def value(name: str) -> float:
        return -float(expected_loss(sure, PRIOR, name)[torch.arange(96), GOLD].mean())  # type: ignore[arg-type]

    assert value("accuracy") == pytest.approx(float(hits.mean()))
    assert value("uar") == pytest.approx(float(sum(recalls)) / 3)


def test_the_gradient_is_that_of_sampled_policy_gradients_without_their_noise() -> None:
    z = torch.tensor([[0.3, -0.2, 0.1]], dtype=torch.float64, requires_grad=True)
    expected_loss(z, PRIOR, "tail_f1")[0, 2].backward()
    answers = torch.multinomial(z.detach().softmax(1)[0], 200_000, True, generator=torch.Generator().manual_seed(1))
    paid = rewards("tail_f1", PRIOR)[2][answers]
    score = torch.nn.functional.one_hot(answers, 3) - z.detach().softmax(1)
    sampled = -(paid[:, None] * score).mean(0)
    assert z.grad is not None
    assert torch.allclose(z.grad[0], sampled, atol=0.05 * float(z.grad.abs().max()))


def test_tail_reward_is_the_slope_of_f1_where_it_was_made_linear() -> None:
    # One more answer c changes F1 = 2 TP / (P + N); at N = P and F1 = F the slopes of a hit and of a miss are known.
    paid = rewards("tail_f1", PRIOR)
    positives = float(PRIOR[2])

    def f1(true: float, answers: float) -> float:
        return 2 * true / (positives + answers)

    step, true = 1e-6, ASSUMED_F1 * positives
    hit = (f1(true + step, positives + step) - f1(true, positives)) / step
    miss = (f1(true, positives + step) - f1(true, positives)) / step
    assert float(paid[2, 2]) * 3 == pytest.approx(hit, rel=1e-3)
    assert float(paid[0, 2]) * 3 == pytest.approx(miss, rel=1e-3)
    assert torch.equal(paid[:, :2], rewards("uar", PRIOR)[:, :2])


@pytest.mark.parametrize("name", ["accuracy", "uar", "tail_f1"])
def test_it_is_a_loss_like_the_others(name: str) -> None:
    loss = build_loss(LossSettings("reward", reward=name), COUNTS)  # type: ignore[arg-type]
    z = torch.tensor([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]], requires_grad=True)
    hard = loss(z, torch.tensor([0, 2]), 0.0)
    soft = loss(z, torch.nn.functional.one_hot(torch.tensor([0, 2]), 3).float(), 0.0)
    assert torch.allclose(hard.per_sample, soft.per_sample)
    hard.per_sample.sum().backward()
    assert z.grad is not None
    assert torch.isfinite(z.grad).all()


def test_the_uar_reward_finds_the_rare_class_that_the_accuracy_reward_gives_up() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(96, 2, generator=generator).double() + torch.tensor([[0, 0], [1.2, 0], [0, 1.2]]).double()[GOLD]

    def uar(name: str) -> float:
        loss = build_loss(LossSettings("reward", reward=name), COUNTS)  # type: ignore[arg-type]
        weights = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
        fit = torch.optim.Adam([weights], 0.1)
        for _ in range(300):
            z = torch.log_softmax(torch.cat([x, torch.ones(96, 1)], 1) @ weights, 1)
            fit.zero_grad()
            loss(z, GOLD, 0.0).per_sample.mean().backward()
            fit.step()
        answered = (torch.cat([x, torch.ones(96, 1)], 1) @ weights).argmax(1)
        return float(sum((answered[c == GOLD] == c).double().mean() for c in range(3))) / 3

    assert uar("uar") > uar("accuracy") + 0.1


def test_recipes_name_a_reward_only_where_it_is_climbed() -> None:
    made = BalanceArguments(objective="reward", reward="tail_f1", sampling="natural").loss_settings()
    assert (made.name, made.reward) == ("reward", "tail_f1")
    for odd, said in (
        ({"reward": "tail_f1"}, "reward: tail_f1 would be ignored with objective: labels"),
        ({"objective": "reward", "loss": "focal"}, "loss: focal would be ignored with objective: reward"),
        ({"loss": "reward"}, "say objective: reward"),
        ({"objective": "reward", "reward": "f1"}, "reward 'f1' is unknown"),
    ):
        with pytest.raises(ValueError, match=said):
            BalanceArguments(**odd)  # type: ignore[arg-type]


def test_a_reward_that_balances_leaves_no_prior_and_is_refused_where_the_draws_have_none() -> None:
    assert prior_to_remove(LossSettings("reward", reward="uar"), COUNTS) is None
    assert prior_to_remove(LossSettings("reward", reward="accuracy"), COUNTS) is not None
    even = dict.fromkeys(COUNTS, 32)
    check_prior(LossSettings("reward", reward="accuracy"), even, "class_balanced")
    with pytest.raises(ValueError, match="or reward: accuracy to balance"):
        check_prior(LossSettings("reward", reward="uar"), even, "class_balanced")
