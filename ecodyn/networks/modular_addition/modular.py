"""What all networks on modular addition share: tokens, split, interventions, and the spectra that are kept."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from ecodyn.networks.modular_addition.fourier import spectrum
from ecodyn.networks.modular_addition.further import FurtherObservables, checked_observables
from ecodyn.networks.modular_addition.interventions import Intervention, Seeds, parse_interventions
from ecodyn.networks.modular_addition.network import seeded
from ecodyn.networks.modular_addition.pairs import check_fraction, check_prime, split_pairs, tokens
from ecodyn.networks.modular_addition.responses import RESPONSES
from ecodyn.networks.training.checks import check_bool, check_whole
from ecodyn.networks.training.network import Batch, Draw, NetworkSettings

__all__ = ["ModularBatch", "ModularSettings"]


@dataclass(frozen=True, kw_only=True)
class ModularSettings(NetworkSettings):
    """A network with an embedding E (p, dim) that learns a + b mod p from a part of the pairs.

    Parameters
    ----------
    p
        The modulus, an odd prime.
    dim
        Embedding dimension d.
    width
        Hidden units.
    train_fraction
        Share of the p² pairs that is trained on.
    test
        Keep loss and accuracy on the other pairs too; each kept step then takes their forward pass.
    observables
        Further observables of the embedding that are kept, names in `ecodyn.observables.OBSERVABLES`:
        those of a frame, or of a frame and its loss gradient, which are computed on the CPU; and those of the whole
        network in `ecodyn.networks.modular_addition.responses`.
    interventions
        What is done to the training, in this order; see `interventions`.
    """

    responses: ClassVar[tuple[str, ...]] = ("output_layer", "response")
    """Observables of the whole network that this kind has."""

    p: int = 59
    dim: int = 128
    width: int = 100
    train_fraction: float = 0.8
    test: bool = True
    observables: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_prime(self.p)
        check_whole("dim", self.dim, 1)
        check_whole("width", self.width, 1)
        check_fraction(self.train_fraction, self.p)
        check_bool("test", self.test)
        object.__setattr__(self, "observables", checked_observables(self.observables, self.responses))
        given = (self.interventions,) if isinstance(self.interventions, Intervention) else tuple(self.interventions)
        object.__setattr__(self, "interventions", given)
        for intervention in self.interventions:
            intervention.check(self.p)
        self._check_nothing_is_lost()

    def _check_nothing_is_lost(self) -> None:
        """No intervention may undo another: the provenance would say what was not done."""
        single = Counter(i.name for i in self.interventions if not i.repeatable)
        for name, count in single.items():
            if count > 1:
                raise ValueError(f"{name} is given {count} times, the last would undo the others; give one")
        for place, intervention in enumerate(self.interventions):
            if intervention.draws_embedding:
                lost = [i.name for i in self.interventions[:place] if i.starts]
                lost += [i.name for i in self.interventions if i.name == "fixed_embedding"]
                if lost:
                    raise ValueError(
                        f"{intervention.name} draws the embedding anew, which undoes {', '.join(lost)}; leave it out, "
                        f"or give what changes the embedding after {intervention.name}"
                    )

    @classmethod
    def read_interventions(cls, text: str) -> Sequence[Intervention]:
        """Any of `interventions`, as `parse_interventions` reads it."""
        return parse_interventions(text)

    @property
    def features(self) -> np.ndarray:
        """The Fourier frequencies 1..(p-1)/2."""
        return np.arange(1, (self.p + 1) // 2)

    @property
    def measured(self) -> tuple[str, ...]:
        """Spectra and further observables, DC, losses and accuracies."""
        parts = ("train", "test") if self.test else ("train",)
        scores = (f"{part}_{what}" for part in parts for what in ("loss", "accuracy"))
        return ("signal", "gradient", *self.observables, "dc", *scores)

    def seeds(self, seed: int) -> Seeds:
        """Which seed draws what in the run of this seed."""
        seeds = Seeds(seed, seed, seed)
        for intervention in self.interventions:
            seeds = intervention.seeds(seeds)
        return seeds

    def initialisation(self, seed: int) -> Hashable:
        """The embedding's draw; a change to it by an intervention does not make it independent."""
        anew = [i.name for i in self.interventions if i.draws_embedding]
        if anew:
            return anew[-1], self.p, self.dim, seed
        drawn = self.seeds(seed)
        before = () if drawn.embedding_first else self.drawn_before_embedding
        return self.name, self.p, self.dim, drawn.embedding, before

    @property
    @abstractmethod
    def drawn_before_embedding(self) -> tuple[int, ...]:
        """The settings that decide how many numbers are drawn before the embedding."""

    def draw_one(self, seed: int) -> dict[str, torch.Tensor]:
        """Parameters of one network at its start, float64, interventions included."""
        seeds = self.seeds(seed)
        drawn = dict(self.draw_parameters(seeds.layers))
        if seeds.embedding_first:
            with seeded(seeds.embedding):
                drawn["embedding"] = torch.normal(0.0, 1.0, size=(self.p, self.dim), dtype=torch.float64)
            drawn["embedding"] *= self.embedding_scale
        elif seeds.embedding != seeds.layers:
            drawn["embedding"] = self.draw_parameters(seeds.embedding)["embedding"]
        for intervention in self.interventions:
            drawn["embedding"] = torch.from_numpy(intervention.start(drawn["embedding"].numpy(), seed))
        return drawn

    @property
    def embedding_scale(self) -> float:
        """Standard deviation of the embedding's entries at initialisation."""
        return 1.0

    @abstractmethod
    def draw_parameters(self, seed: int) -> Draw:
        """All parameters under one seed, "embedding" (p, dim) among them, before any intervention."""

    @abstractmethod
    def logits(self, tensors: Mapping[str, torch.Tensor], a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """The forward pass: logits (S, pair, p) of tokens a and b, (S, pair) each, under parameters (S, ...)."""

    def token_inputs(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """What each token adds to the first hidden layer, (S, token, unit); of those whose `responses` need it."""
        raise NotImplementedError(f"{self.name} has no layer that adds up what its tokens send")

    @abstractmethod
    def output_weights(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weights of each output, (S, output, unit)."""

    def scores(
        self, tensors: Mapping[str, torch.Tensor], a: torch.Tensor, b: torch.Tensor, label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean cross-entropy in nats, and share of pairs whose label has the largest logit, (S,) each."""
        logits = self.logits(tensors, a, b)
        losses = torch.nn.functional.cross_entropy(logits.mT, label, reduction="none").mean(1)
        return losses, (logits.detach().argmax(2) == label).to(losses.dtype).mean(1)

    def split(self, seeds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Grid indices of training and test pairs, (S, pair) each, ascending."""
        splits = [split_pairs(self.p, self.seeds(seed).pairs, self.train_fraction) for seed in seeds]
        return np.stack([np.sort(train) for train, _ in splits]), np.stack([rest for _, rest in splits])

    def described(self) -> dict[str, object]:
        """The settings, interventions by name and parameters."""
        return super().described() | {"interventions": [i.described() for i in self.interventions]}

    def varied(self) -> dict[str, object]:
        """The settings, each parameter of an intervention under a name of its own."""
        own = super().varied()
        del own["interventions"]
        seen: Counter[str] = Counter()
        for intervention in self.interventions:
            seen[intervention.name] += 1
            suffix = f"_{seen[intervention.name]}" if seen[intervention.name] > 1 else ""
            own |= {name + suffix: value for name, value in intervention.varied().items()}
        return own


class ModularBatch(Batch):
    """A batch with an embedding (S, p, d), which interventions may hold and whose spectra are kept.

    Subclasses fill `backward`, and in it `train_loss`, `train_accuracy` and, where the settings ask for them,
    `test_loss` and `test_accuracy`, (S,) each, in `measured`.
    """

    def __init__(
        self, settings: ModularSettings, seeds: Sequence[int], dtype: torch.dtype, device: torch.device
    ) -> None:
        super().__init__([settings.draw_one(seed) for seed in seeds], dtype, device)
        self.settings = settings
        self.measured: dict[str, torch.Tensor] = {}
        self._holding = [i for i in settings.interventions if i.holds]
        embedding = self.tensors["embedding"]
        self._initial = embedding.clone() if self._holding else embedding  # of use, and worth memory, only to hold it
        self._responses = [name for name in settings.observables if name in settings.responses]
        of_frames = [name for name in settings.observables if name not in self._responses]
        self._further = FurtherObservables(of_frames, settings.p)

    def pairs(self, index: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Tokens a and b and the label of grid indices (S, pair), on the batch's device."""
        device = self.parameters.device
        a, b, label = (torch.from_numpy(part).to(device) for part in tokens(index, self.settings.p))
        return a, b, label

    def hold(self) -> None:
        """Each intervention in turn."""
        embedding = self.tensors["embedding"]
        for intervention in self._holding:
            embedding.copy_(intervention.held(embedding, self._initial))

    def observables(self) -> dict[str, torch.Tensor]:
        """Spectra of the embedding and of its loss gradient, without DC, and the further observables."""
        named = {"signal": self.tensors["embedding"], "gradient": self.gradients["embedding"]}
        spectra = {name: spectrum(frames)[:, 1:] for name, frames in named.items()}
        responses = {name: RESPONSES[name](self.settings, self.tensors) for name in self._responses}
        return spectra | self._further.of(**named) | responses

    def curves(self) -> dict[str, torch.Tensor]:
        """DC of the embedding, losses (mean cross-entropy over pairs, in nats) and accuracies."""
        dc = torch.linalg.vector_norm(self.tensors["embedding"].to(torch.float64).sum(1), dim=1)
        return {"dc": dc, **self.measured}

    def embedding(self) -> torch.Tensor:
        """(S, p, d)."""
        return self.tensors["embedding"]
