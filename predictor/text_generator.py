"""TextGenerator: continues texts with a language model, token by token."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..seeds import check_seed
from ..spec import END, PADDING, UNKNOWN

if TYPE_CHECKING:
    from .predictor import Predictor
    from .step import Step

# Tokens of a long prompt that are read in one call.
_TOKENS_AT_ONCE = 1000
_NO_SPACE_BEFORE = ".,;:!?\n"


class TextGenerator:
    """Continues texts with a language model.

    Args:
        predictor: a language model: trained, saved or exported.

    Raises:
        InputError: if the predictor is not a language model.

    Example:
        >>> writer = recurra.TextGenerator(recurra.load_model("saved_models/novel"))
        >>> writer.next_tokens("Starving, Alice drives to the nearest store to buy")
        >>> writer.generate("It was", length=20)
    """

    def __init__(self, predictor: Predictor[Any]) -> None:
        step: Step | None = predictor.model.step
        if step is None or getattr(predictor.schema, "kind", "") != "language_model":
            raise InputError(f"a text is continued by a language model; received {predictor!r}")
        self.pipeline: Any = getattr(predictor.schema, "pipeline", None)
        self.step = step

    def next_tokens(self, prompt: str, *, top: int = 5, label: Hashable = None) -> pd.DataFrame:
        """Rank what may come after a text.

        Args:
            prompt: the text so far; may be empty.
            top: how many.
            label: class that the text belongs to, where the model has classes.

        Returns:
            A row per token, the likeliest first: ``token`` and ``probability``.
        """
        logits, _ = self._read(self.pipeline.prompt(prompt), self._states(label))
        probability = _softmax(_without_impossible(logits))
        # padding and unknown words, which have no probability, come last
        best = np.argsort(-probability, kind="stable")[: min(max(top, 1), len(probability) - 2)]
        tokens = ["<end>" if i == END else self.pipeline.vocabulary_.word(int(i)) for i in best]
        return pd.DataFrame({"token": tokens, "probability": probability[best]})

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = 100,
        temperature: float = 0.8,
        top_k: int | None = None,
        seed: int = 0,
        label: Hashable = None,
    ) -> str:
        """Continue a text, token by token.

        Args:
            prompt: the text so far; may be empty.
            length: tokens generated at most; a model of lines stops at a line's end.
            temperature: 0 always takes the likeliest token; 1 samples from the model's own probabilities; less is
                safer, more is wilder.
            top_k: sample among so many of the likeliest tokens only.
            seed: of the sampling.
            label: class that the text belongs to, where the model has classes.

        Returns:
            The prompt and its continuation.

        Raises:
            InputError: an unknown class, a temperature below 0, `top_k` below 1, or a seed that is none.

        Source: temperature, Ackley, Hinton & Sejnowski (1985); the likeliest only, Fan, Lewis & Dauphin (2018).
        """
        if not 0 <= temperature < np.inf:
            raise InputError(f"`temperature` must be a number of at least 0; received {temperature}")
        if top_k is not None and top_k < 1:
            raise InputError(f"`top_k` must be at least 1; received {top_k}")
        random = np.random.default_rng(check_seed(seed))
        sampled: list[int] = []
        logits, states = self._read(self.pipeline.prompt(prompt), self._states(label))
        for _ in range(length):
            token = _sample(_without_impossible(logits), temperature, top_k, random)
            if token == END and self.pipeline.lines_:
                break
            sampled.append(token)
            logits, states = self._read(np.array([token], np.int32), states)
        return prompt + self._between(prompt, sampled) + self.pipeline.text(sampled)

    def _between(self, prompt: str, sampled: list[int]) -> str:
        """The space between prompt and continuation, where words need one."""
        if self.pipeline.tokens == "char" or not prompt or not sampled:
            return ""
        first = self.pipeline.text(sampled)[:1]
        return "" if self.pipeline.tokens == "word" and first and first in _NO_SPACE_BEFORE else " "

    def _read(self, ids: np.ndarray, states: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
        """Logits after the last of some tokens (vocabulary,), and the states then."""
        outputs: Mapping[str, Any] = {"logits": None, **states}
        # Token by token: one compiled shape serves every prompt; a very long one is worth a second shape.
        whole = len(ids) - len(ids) % _TOKENS_AT_ONCE
        for some in (*ids[:whole].reshape(-1, _TOKENS_AT_ONCE), *ids[whole:, None]):
            condition = {name: value for name, value in states.items() if name == "condition"}
            carried = {name: value for name, value in outputs.items() if name.startswith("state_")}
            outputs = self.step({"tokens": some[None].astype(np.int32), **carried, **condition})
        logits = np.asarray(outputs["logits"])[0, -1].astype("float64")
        return logits, {**states, **{name: v for name, v in outputs.items() if name.startswith("state_")}}

    def _states(self, label: Hashable) -> dict[str, Any]:
        """The state before the first token: zeros, and the number of the class."""
        states: dict[str, Any] = {
            name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in self.step.state_shapes.items()
        }
        return states | self.pipeline.condition_of(label)


def _without_impossible(logits: np.ndarray) -> np.ndarray:
    """Padding and unknown tokens are never generated."""
    logits = logits.copy()
    logits[[PADDING, UNKNOWN]] = -np.inf
    return logits


def _softmax(logits: np.ndarray) -> np.ndarray:
    weight = np.exp(logits - logits.max())
    return weight / weight.sum()


def _sample(logits: np.ndarray, temperature: float, top_k: int | None, random: np.random.Generator) -> int:
    if temperature == 0:
        return int(logits.argmax())
    if top_k is not None:
        logits = np.where(logits >= np.sort(logits)[-min(top_k, len(logits))], logits, -np.inf)
    with np.errstate(over="ignore"):  # next to 0 all but the likeliest are infinitely less likely
        return int(random.choice(len(logits), p=_softmax((logits - logits.max()) / temperature)))
