"""Every field of a configuration reaches what it is for: with another value, something else is trained.

A field that is replaced by a constant on its way (``negatives`` by 5) trains the same, and the test is red.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch

from lab.seeding import seed_everything
from lab.training import Task


def trace(task: Task) -> list[torch.Tensor]:
    """All that a configuration decides: the first weights, the losses of all steps, and the last weights.

    ``lab.training`` seeds the weights. Here they have one seed, so the configuration's seed must reach the data.
    """
    seed_everything(0)
    model, logged = task.build(), []
    first = [weight.clone() for weight in model.state_dict().values()]
    log = lambda step, **numbers: logged.extend(numbers.values())  # noqa: E731
    task.train(model, task.optimizers(model), torch.device("cpu"), range(task.steps), log)
    return [torch.tensor(logged, dtype=torch.float64), *first, *model.state_dict().values()]


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, other, strict=True)
    )


class Reaches:
    """Called with a field, its other value, and what else must differ from ``base`` for it to have an effect.

    Args:
        task_of: the task of a configuration.
        base: a small configuration.
    """

    def __init__(self, task_of: Callable[[Any], Task], base: Any) -> None:
        self.base, self.traced = base, cache(lambda config: trace(task_of(config)))

    def __call__(self, field: str, value: Any, **beside: Any) -> None:
        one = replace(self.base, **beside)
        assert getattr(one, field) != value, f"{field} = {value!r} is the value that it has already"
        other = self.traced(replace(one, **{field: value}))
        assert not equal(self.traced(one), other), f"--{field.replace('_', '-')} {value} changes nothing"
