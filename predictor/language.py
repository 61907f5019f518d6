"""LanguagePredictor: what comes next, and whole texts written on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from ..errors import InputError
from ..pipelines import LanguagePipeline
from ..spec import END, PADDING, UNKNOWN
from ..training import Part, compiled
from .kept import read_kept, write_kept

# Tokens of a long prompt that are read in one call.
_READ_AT_ONCE = 1000


class LanguagePredictor:
    """A fitted pipeline and a trained language model, joined.

    Args:
        pipeline: fitted on the training text.
        model: what was trained: a ``CarriedState`` around the network, or the network itself.

    Example:
        >>> predictor = recurra.fit("novel.txt", task="language-model", family="lstm").predictor
        >>> predictor.next_tokens("Starving, Alice drives to the nearest store to buy", top=5)
    """

    def __init__(self, pipeline: LanguagePipeline, model: keras.Model) -> None:
        self.pipeline = pipeline
        self.model = model
        self.network = getattr(model, "network", model)

    def token_losses(self, part: Part) -> list[tuple[np.ndarray, np.ndarray]]:
        """Negative log likelihood of every token in nats, and its weight, for every batch: (batch, time) each."""
        forward, losses = compiled(self.model), []
        for inputs, target, weight in part.dataset(batch_size=part.predict_batch):
            loss = ops.sparse_categorical_crossentropy(target, forward(inputs), from_logits=True)
            losses.append((ops.convert_to_numpy(loss), weight.numpy()))
        return losses

    def next_tokens(self, prompt: str, *, top: int = 5, condition: Any = None) -> pd.DataFrame:
        """Rank what may come after a text.

        Args:
            prompt: the text so far; may be empty.
            top: how many.
            condition: class that the text belongs to, where the model was told one.

        Returns:
            A row a token, the likeliest first: ``token`` and ``probability``.
        """
        return Writer(self.pipeline, Steps(self.network)).next_tokens(prompt, top=top, condition=condition)

    def generate(self, prompt: str = "", **how: Any) -> str:
        """Write a text on; see :meth:`Writer.generate`."""
        return Writer(self.pipeline, Steps(self.network)).generate(prompt, **how)

    def save(self, path: Path | str) -> None:
        """Write ``model.keras`` and ``pipeline.json`` into the folder `path`."""
        write_kept(path, self.network, {"pipeline": self.pipeline.to_config()})

    @classmethod
    def load(cls, path: Path | str) -> LanguagePredictor:
        """Read what :meth:`save` wrote."""
        model, said = read_kept(path)
        return cls(LanguagePipeline.from_config(said["pipeline"]), model)


class Steps:
    """A network as a function from tokens and states to logits and states; what an exported ``step`` is, too."""

    def __init__(self, network: keras.Model) -> None:
        self.network = network
        self.shapes = {
            x.name: (tuple(x.shape[1:]), keras.backend.standardize_dtype(x.dtype))
            for x in network.inputs
            if x.name.startswith("state_")
        }

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return compiled(self.network)(inputs)


class Writer:
    """Continues texts with a step function.

    Args:
        pipeline: knows the tokens.
        steps: from ``tokens`` (1, time), states and ``condition`` (1,) to ``logits`` (1, time, vocabulary) and the
            states after them; with ``shapes``, the shape without batch and the type of each state.
    """

    def __init__(self, pipeline: LanguagePipeline, steps: Any) -> None:
        self.pipeline = pipeline
        self.steps = steps

    def next_tokens(self, prompt: str, *, top: int = 5, condition: Any = None) -> pd.DataFrame:
        """See :meth:`LanguagePredictor.next_tokens`."""
        logits, _ = self._read(self.pipeline.prompt(prompt), self._states(condition))
        probability = _softmax(self._allowed(logits))
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
        top: int | None = None,
        seed: int = 0,
        condition: Any = None,
    ) -> str:
        """Write a text on, token by token.

        Args:
            prompt: the text so far; may be empty.
            length: tokens to be written at most; a model of lines stops at a line's end.
            temperature: 0 always takes the likeliest token; 1 draws from the model's own probabilities; less is
                safer, more is wilder.
            top: draw among so many of the likeliest tokens only.
            seed: of the draws.
            condition: class that the text belongs to, where the model was told one.

        Returns:
            The prompt and what was written.

        Raises:
            InputError: an unknown class, a temperature below 0, or a draw among no tokens.

        Source: temperature, Ackley, Hinton & Sejnowski (1985); the likeliest only, Fan, Lewis & Dauphin (2018).
        """
        if not 0 <= temperature < np.inf:
            raise InputError(f"--temperature must be a number of at least 0; received {temperature}")
        if top is not None and top < 1:
            raise InputError(f"--among must be at least 1; received {top}")
        random = np.random.default_rng(seed)
        written: list[int] = []
        logits, states = self._read(self.pipeline.prompt(prompt), self._states(condition))
        for _ in range(length):
            token = _draw(self._allowed(logits), temperature, top, random)
            if token == END and self.pipeline.lines_:
                break
            written.append(token)
            logits, states = self._read(np.array([token], np.int32), states)
        between = "" if self.pipeline.tokens == "char" or not prompt or not written else " "
        text = self.pipeline.text(written)
        between = "" if text[:1] in ".,;:!?\n" and self.pipeline.tokens == "word" else between
        return prompt + between + text

    def _read(self, ids: np.ndarray, states: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
        """Logits after the last of some tokens (vocabulary,), and the states then."""
        outputs = {"logits": None, **states}
        # Token by token: one compiled shape serves every prompt; a very long one is worth a second shape.
        whole = len(ids) - len(ids) % _READ_AT_ONCE
        for some in (*ids[:whole].reshape(-1, _READ_AT_ONCE), *ids[whole:, None]):
            told = {name: value for name, value in states.items() if name == "condition"}
            carried = {name: value for name, value in outputs.items() if name.startswith("state_")}
            outputs = self.steps({"tokens": some[None].astype(np.int32), **carried, **told})
        logits = np.asarray(outputs["logits"])[0, -1].astype("float64")
        return logits, {**states, **{name: v for name, v in outputs.items() if name.startswith("state_")}}

    def _states(self, condition: Any) -> dict[str, Any]:
        """What stands before the first token."""
        states: dict[str, Any] = {
            name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in self.steps.shapes.items()
        }
        classes = self.pipeline.conditions_
        if not classes:
            if condition is not None:
                raise InputError(f"the model was trained without classes, so --label {condition} says nothing to it")
            return states
        number = {str(name): i for i, name in enumerate(classes)}.get(str(condition))
        if number is None:
            raise InputError(f"--label must be one of {', '.join(map(str, classes))}; received {condition!r}")
        return states | {"condition": np.array([number], np.int32)}

    def _allowed(self, logits: np.ndarray) -> np.ndarray:
        """Padding and unknown words are never written."""
        logits = logits.copy()
        logits[[PADDING, UNKNOWN]] = -np.inf
        return logits


def _softmax(logits: np.ndarray) -> np.ndarray:
    weight = np.exp(logits - logits.max())
    return weight / weight.sum()


def _draw(logits: np.ndarray, temperature: float, top: int | None, random: np.random.Generator) -> int:
    if temperature == 0:
        return int(logits.argmax())
    if top is not None:
        logits = np.where(logits >= np.sort(logits)[-min(top, len(logits))], logits, -np.inf)
    with np.errstate(over="ignore"):  # next to 0 all but the likeliest are infinitely less likely
        return int(random.choice(len(logits), p=_softmax((logits - logits.max()) / temperature)))
