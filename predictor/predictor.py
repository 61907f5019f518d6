"""The one predictor: ``predict = table ∘ serve ∘ raw ∘ read``."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Self

import numpy as np
import pandas as pd

from ..display import html
from ..pipelines.protocol import RawInputs, Tensors
from .protocol import ROWS_AT_ONCE, FrameT, Outputs, Schema, ServingModel, Source

if TYPE_CHECKING:
    from .stream import Stream


@dataclass(frozen=True, eq=False)
class Predictor(Generic[FrameT]):
    """A schema and a model, joined.

    Attributes:
        schema: what is read and how outputs become a table.
        model: what computes outputs from raw inputs.
        task: name of the task it was made for.

    Example:
        >>> predictor = recurra.fit("co2", family="lstm").predictor
        >>> predictor.predict("newest.csv")
    """

    schema: Schema[FrameT]
    model: ServingModel
    task: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of its predictions should know."""
        return tuple(getattr(self.model, "notes", ()))

    def read(self, source: Source) -> FrameT:
        """Read a file, a table or plain inputs with the columns of the training data.

        Raises:
            InputError: if a column is missing, or anything else is wrong with the rows.
        """
        return self.schema.read(source)

    def raw(self, frame: FrameT) -> RawInputs:
        """Raw inputs as the model takes them: arrays whose first axis is the prediction."""
        return self.schema.raw(frame, all_rows=self.model.reads_all_rows)

    def serve(self, raw: RawInputs | Tensors) -> Tensors:
        """Raw inputs → outputs; the exported graph is this function traced, so both give the same numbers."""
        return self.model.serve(raw)

    def table(self, frame: FrameT, outputs: Outputs) -> pd.DataFrame:
        """Outputs as a table for the user."""
        return self.schema.table(frame, outputs)

    def predict(self, source: Source) -> pd.DataFrame:
        """Predict from the newest rows of series, or for texts and sequences.

        Args:
            source: a file, a table or a frame with the input columns of the training data; or plain inputs: a list of
                texts, of lists of tokens, or of arrays (time, channels).

        Returns:
            - forecast: a row per step: id, time, each target, and the ends of its intervals (``<target>-lo-80``, ...);
            - classification: a row per example: ``label``, ``probability`` and ``probability_<class>``;
            - regression: ``value``; tagging: ``tags``, a list for each;
            - language model: ``text``, the likeliest next ``token`` and its ``probability``.

        Raises:
            InputError: if rows or columns are missing, or anything else is wrong with them.
        """
        tables = list(self.tables(self.read(source)))
        return tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)

    def tables(self, frame: FrameT) -> Iterator[pd.DataFrame]:
        """Predictions of a frame as tables, one after the other where it is larger than memory."""
        for part in self.schema.parts(frame, all_rows=self.model.reads_all_rows):
            yield self.table(part, self.outputs(part))

    def outputs(self, frame: FrameT) -> Outputs:
        """Outputs for a whole frame, served some rows at a time: arrays whose first axis is the prediction."""
        raw = self.raw(frame)
        if not _count_rows(raw):
            # some Keras layers refuse a batch of no rows, so one blank row is served and taken away again
            return {name: array[:0] for name, array in _to_numpy(self.serve(_blank_row(raw))).items()}
        return join_rows([_to_numpy(self.serve(rows)) for rows in _row_batches(raw)])

    def stream(self, *, label: Hashable = None, saved: bytes | None = None) -> Stream:
        """Open a stream: the model is told one observation after another, and predicts after each.

        Args:
            label: class that a text belongs to, for language models that have classes.
            saved: bytes that :meth:`Stream.save` made, to go on from there.

        Returns:
            The stream; its ``notes`` say what it reads.

        Raises:
            InputError: if the model reads a sequence as a whole, so that it has no streams.

        Example:
            >>> stream = model.stream()
            >>> stream.push({"sold": 412.0})["forecast"]
        """
        from .stream import Stream

        return Stream(self, label=label, saved=saved)

    def fingerprint(self) -> str:
        """What tells this model's weights from others: SHA-256, in hexadecimal digits."""
        digest = hashlib.sha256()
        for array in self.model.arrays():
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def save(self, path: Path | str) -> None:
        """Write the predictor into the folder `path`, without pickle; :meth:`load` reads it.

        A predictor that is there already is replaced at once: whoever loads the folder gets one of the two whole.

        Raises:
            InputError: if the folder cannot be written to.
        """
        from .persistence import save_parts

        save_parts(self.schema, self.model, self.task, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: if there is no predictor in the folder, or one that is damaged.
        """
        from .persistence import load_parts

        return cls(*load_parts(Path(path)))

    def __repr__(self) -> str:
        return f"Predictor({self.task}: {self.schema!r}; {self.model!r})"

    def _repr_html_(self) -> str:
        shown = html.facts({"task": self.task, "predicts": repr(self.schema), "model": repr(self.model)})
        return html.block(html.title(type(self).__name__), shown, html.bullets(self.notes))


def _count_rows(raw: RawInputs) -> int:
    return len(next(iter(raw.values())))


def _blank_row(raw: RawInputs) -> RawInputs:
    shapes = {name: (1, *(max(size, 1) for size in array.shape[1:])) for name, array in raw.items()}
    return {name: np.full(shapes[name], "" if array.dtype == object else 0, array.dtype) for name, array in raw.items()}


def _row_batches(raw: RawInputs) -> Iterator[RawInputs]:
    for start in range(0, _count_rows(raw), ROWS_AT_ONCE):
        yield {name: array[start : start + ROWS_AT_ONCE] for name, array in raw.items()}


def _to_numpy(outputs: Tensors) -> Outputs:
    return {name: np.asarray(tensor) for name, tensor in outputs.items()}


def join_rows(batches: list[Outputs]) -> Outputs:
    """Join outputs of successive rows; where batches differ in time, shorter ones are padded behind."""
    return {name: _join([batch[name] for batch in batches]) for name in batches[0]}


def _join(arrays: list[np.ndarray]) -> np.ndarray:
    if arrays[0].ndim > 1 and len({array.shape[1] for array in arrays}) > 1:
        longest = max(array.shape[1] for array in arrays)
        rest = [(0, 0)] * (arrays[0].ndim - 2)
        arrays = [np.pad(array, [(0, 0), (0, longest - array.shape[1]), *rest]) for array in arrays]
    return np.concatenate(arrays)
