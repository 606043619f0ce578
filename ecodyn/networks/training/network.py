"""What can be trained: a network's settings, and many such networks as one tensor program.

A further kind of network is a frozen dataclass of its settings (`NetworkSettings`), the tensor program that it draws
(`Batch`, or `AutogradBatch` where torch should find the gradients), and a line in `ecodyn.networks.training.NETWORKS`
or an entry point of another distribution.

Examples
--------
Numbers x_k that are drawn to 1 by gradient descent on ½ Σ_k (x_k − 1)², four of them a network:

>>> @dataclass(frozen=True, kw_only=True)
... class Springs(NetworkSettings):
...     name = "springs"
...     measured = ("signal", "train_loss")
...     features = np.arange(1, 5)
...     optimiser: str = "sgd"
...     weight_decay: float = 0.0
...
...     def initialisation(self, seed):
...         return self.name, seed
...
...     def draw(self, seeds, dtype, device):
...         starts = [torch.from_numpy(np.random.default_rng(seed).uniform(size=4)) for seed in seeds]
...         return SpringsBatch([{"x": start} for start in starts], dtype, device)
...
...     def bytes_per_network(self, itemsize):
...         return 3 * 4 * itemsize  # parameters, gradients and what the optimiser takes

>>> class SpringsBatch(AutogradBatch):
...     def losses(self, tensors, *, measure):
...         self.loss = ((tensors["x"] - 1) ** 2).sum(1) / 2
...         return self.loss
...
...     def observables(self):
...         return {"signal": self.tensors["x"]}
...
...     def curves(self):
...         return {"train_loss": self.loss.detach()}

>>> from ecodyn.training import train
>>> signal = train(Springs(learning_rate=0.5), seeds=[0, 1, 2], steps=4).values
>>> ((signal[:, 1:] - 1) / (signal[:, :-1] - 1)).round(6).max()
np.float64(0.5)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch

from ecodyn.arrays import Array
from ecodyn.networks.training.checks import check_choice, check_number, check_rate, word
from ecodyn.networks.training.rate_texts import as_schedule
from ecodyn.networks.training.rates import ConstantRate, RateSchedule
from ecodyn.runtime.json_values import plain

__all__ = ["DTYPES", "OPTIMISERS", "AutogradBatch", "Batch", "Draw", "NetworkSettings"]

DTYPES = {"float64": torch.float64, "float32": torch.float32}  # by the name that settings have
OPTIMISERS = ("adamw", "adam", "sgd")  # element by element, so that a batch of networks is one call
RATES = {"lr": "learning_rate", "weight_decay": "weight_decay"}  # that may have a schedule, by torch's names

Draw = Mapping[str, torch.Tensor]
"""The parameters of one network by name, drawn in float64 on the CPU whatever they are trained in."""


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(ABC):
    """What is trained and how, apart from the seed; subclasses say which network and have the defaults.

    Parameters
    ----------
    optimiser
        "adamw" (decoupled weight decay), "adam" (decay added to the gradient) or "sgd".
    learning_rate
        Step size η.
    weight_decay
        λ; under AdamW a parameter shrinks by ηλ of itself in a step.
    momentum
        Of "sgd"; the others have their own.
    beta2
        Decay of the mean squared gradient of "adamw" and "adam".
    learning_rate_schedule, weight_decay_schedule
        How η and λ go over the training: a schedule, or its text such as "cosine:final=0.1"; constant by default. See
        `ecodyn.networks.training.rates`. Under a table ``learning_rate`` is the largest of its rates.

    Raises
    ------
    ValueError
        A setting that nothing can be trained with.
    """

    name: ClassVar[str]
    """As ``ecodyn train --network`` has it."""

    optimiser: str = "adamw"
    learning_rate: float = 0.01
    weight_decay: float = 0.5
    momentum: float = 0.0
    beta2: float = 0.999
    learning_rate_schedule: RateSchedule | str = "constant"
    weight_decay_schedule: RateSchedule | str = "constant"

    def __post_init__(self) -> None:
        self._set_schedules()
        check_choice("optimiser", self.optimiser, OPTIMISERS)
        check_rate("learning_rate", self.learning_rate, zero_allowed=False)
        check_rate("weight_decay", self.weight_decay, zero_allowed=True)
        check_rate("momentum", self.momentum, zero_allowed=True)
        if self.momentum and self.optimiser != "sgd":
            raise ValueError(f"momentum belongs to the optimiser sgd, got {self.momentum} with {self.optimiser}")
        if self.momentum >= 1:
            raise ValueError(f"momentum must be below 1, got {self.momentum}")
        check_number("beta2", self.beta2)
        if not 0 <= self.beta2 < 1:
            raise ValueError(f"beta2 must be at least 0 and below 1, got {self.beta2}")

    def _set_schedules(self) -> None:
        """Schedules for their texts, and the rate that a table's are called by."""
        for name in RATES.values():
            schedule = self.schedule(name)
            object.__setattr__(self, f"{name}_schedule", schedule)
            check_number(name, rate := getattr(self, name))
            largest = schedule.tabulated
            if largest is not None and rate not in (largest, getattr(type(self), name)):
                raise ValueError(f"{name} is {rate} beside a table whose largest is {largest}; leave {name} out")
            if largest is not None:
                object.__setattr__(self, name, largest)
            if schedule.varies and not getattr(self, name):
                raise ValueError(f"{name}_schedule is {schedule}, and {name} is 0, which stays 0; give a {name}")

    def over(self, steps: int) -> Self:
        """The same with schedules that fit a training of so many updates, and state its length.

        Raises
        ------
        ValueError
            A schedule does not fit into so many.
        """
        fitting: dict[str, Any] = {}
        for rate in RATES.values():
            try:
                fitting[f"{rate}_schedule"] = self.schedule(rate).over(steps)
            except ValueError as error:
                raise ValueError(f"{rate}_schedule: {error}") from None
        same = all(getattr(self, name) == schedule for name, schedule in fitting.items())
        return self if same else replace(self, **fitting)

    def schedule(self, rate: str) -> RateSchedule:
        """That of "learning_rate" or "weight_decay"."""
        return as_schedule(getattr(self, f"{rate}_schedule"), rate)

    def rates(self, steps: int) -> dict[str, Array]:
        """The rates that vary, by the optimiser's names ("lr", "weight_decay"), at updates 0..steps, (steps + 1,)."""
        schedules = {name: self.schedule(rate) for name, rate in RATES.items()}
        return {name: s.rates(getattr(self, RATES[name]), steps) for name, s in schedules.items() if s.varies}

    @property
    @abstractmethod
    def features(self) -> np.ndarray:
        """Labels of the K competitors, (K,)."""

    @abstractmethod
    def draw(self, seeds: Sequence[int], dtype: torch.dtype, device: torch.device) -> Batch:
        """Networks at their initialisation, one a seed; a seed's numbers depend on no other seed."""

    @abstractmethod
    def initialisation(self, seed: int) -> Hashable:
        """Equal for trainings that begin with the same representations, which are then no independent runs."""

    @property
    @abstractmethod
    def measured(self) -> tuple[str, ...]:
        """Names of the observables and curves that its batches keep."""

    @property
    def labels(self) -> Hashable | None:
        """What feature k stands for, equal for networks in which it is the same; None if that varies with the seed."""
        return None

    @classmethod
    def read_interventions(cls, text: str) -> Sequence[object]:
        """What ``ecodyn train --intervene TEXT`` asks for, several for a grid; elements of a setting ``interventions``.

        Raises
        ------
        ValueError
            The text can't be meant, or, as here, networks of this kind take no interventions.
        """
        raise ValueError(f"{cls.name} takes no interventions, got {text!r}; leave it out")

    @abstractmethod
    def bytes_per_network(self, itemsize: int) -> int:
        """Estimated memory that one network takes in a batch, in numbers of ``itemsize`` bytes."""

    def optimiser_of(self, parameters: torch.nn.Parameter) -> torch.optim.Optimizer:
        """torch's own optimiser over the parameters of a whole batch: all it does is element by element."""
        rate, decay = self.learning_rate, self.weight_decay
        if self.optimiser == "sgd":
            return torch.optim.SGD([parameters], lr=rate, weight_decay=decay, momentum=self.momentum, fused=True)
        kind = torch.optim.AdamW if self.optimiser == "adamw" else torch.optim.Adam
        return kind([parameters], lr=rate, weight_decay=decay, betas=(0.9, self.beta2), fused=True)

    def described(self) -> dict[str, object]:
        """The settings by name, as JSON can hold them; schedules as their text, and only those that vary."""
        named = {field.name: plain(getattr(self, field.name)) for field in fields(self)}
        schedules = {name: own for name, own in named.items() if isinstance(own, RateSchedule)}
        return {"network": self.name} | {
            name: str(value) if name in schedules else value
            for name, value in named.items()
            if name not in schedules or schedules[name].varies
        }

    def varied(self) -> dict[str, object]:
        """The settings by name, each one number or word: what a grid may run over."""
        constant = {f"{name}_schedule": ConstantRate.name for name in RATES.values()}
        return constant | {name: word(value) for name, value in self.described().items()}


class Batch(ABC):
    """S networks of one shape, trained as one tensor program; nothing of one enters another's numbers.

    Attributes
    ----------
    parameters
        All parameters, (S, N), a row a network; the gradients are in ``parameters.grad``.
    tensors
        The same memory by name, each (S, ...).
    gradients
        That of ``parameters.grad`` by name.

    Examples
    --------
    >>> from ecodyn.training import MLP
    >>> batch = MLP(p=5, dim=2).draw([0, 1], torch.float64, torch.device("cpu"))
    >>> batch.backward(measure=True)
    >>> len(batch), tuple(batch.tensors["embedding"].shape), tuple(batch.observables()["signal"].shape)
    (2, (2, 5, 2), (2, 2))
    """

    def __init__(self, draws: Sequence[Draw], dtype: torch.dtype, device: torch.device) -> None:
        stacked = {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}
        flat = torch.cat([tensor.flatten(1) for tensor in stacked.values()], dim=1)
        self.parameters = torch.nn.Parameter(flat.to(device, dtype))
        self._gradient = torch.zeros_like(self.parameters)
        self.parameters.grad = self._gradient
        self._shapes = {name: tensor.shape for name, tensor in stacked.items()}
        self.tensors = self.named(self.parameters.detach())
        self.gradients = self.named(self._gradient)

    def __len__(self) -> int:
        return len(self.parameters)

    def named(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        """Views (S, ...) of a tensor (S, N), by name."""
        parts = flat.split([math.prod(shape[1:]) for shape in self._shapes.values()], dim=1)
        return {name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}

    @abstractmethod
    def backward(self, *, measure: bool) -> None:
        """Put the gradients of the training loss into `gradients`; with ``measure``, keep what `curves` needs."""

    @abstractmethod
    def observables(self) -> dict[str, torch.Tensor]:
        """What there is to know of the features, (S, K) each, "signal" first; after `backward`."""

    @abstractmethod
    def curves(self) -> dict[str, torch.Tensor]:
        """What there is to know of the networks as a whole, (S,) each; after ``backward(measure=True)``."""

    def hold(self) -> None:
        """Bring the parameters back to where they have to stay, after the start and after each update."""
        return

    def embedding(self) -> torch.Tensor | None:
        """The matrices that the features are measured in, (S, token, dimension), if there are such."""
        return None


class AutogradBatch(Batch):
    """A batch whose gradients torch finds, from the losses."""

    @abstractmethod
    def losses(self, tensors: Mapping[str, torch.Tensor], *, measure: bool) -> torch.Tensor:
        """Training loss of each network, (S,), from its parameters."""

    def backward(self, *, measure: bool) -> None:
        """Reverse mode through `losses`."""
        with torch.enable_grad():
            losses = self.losses(self.named(self.parameters), measure=measure)
            (gradient,) = torch.autograd.grad(losses.sum(), self.parameters)
        self._gradient.copy_(gradient)
