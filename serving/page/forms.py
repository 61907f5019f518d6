"""What a form holds → a request of the model → what is shown of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .. import json_tensor
from ..hints import example_body, example_inputs
from ..json_parser import parse_object
from ..served_model import DEFAULT, ServedModel, Signature
from ..service import Answer, ModelSpec, Service
from ..status import ServingError, invalid
from ..streams import Streams
from ..tensors import array_of
from .chart import Band, Chart, digits_of, draw
from .tables import read_table, write_table

Fields = Mapping[str, str]
# Words of a text whose part in the answer is looked at, one call with so many rows.
_MOST_WORDS = 80
_BARS, _TAGS, _ROWS_SHOWN = 10, 200, 60
_CONTINUED, _TEMPERATURE = 24, 0.8
_END = "<end>"
_CLOSING = re.compile(r" ([.,;:!?%)\]}])")


@dataclass(frozen=True)
class Bar:
    """A label and its probability."""

    label: str
    fraction: float

    @property
    def text(self) -> str:
        """In percent."""
        return f"{100 * self.fraction:.1f} %"


@dataclass(frozen=True)
class Piece:
    """A word of the text, and how much the answer changes without it.

    Attributes:
        text: as it was written.
        change: of the label's probability, or of the value; positive where the word spoke for the answer.
        strength: -3 to 3, for its colour.
    """

    text: str
    change: float = 0.0
    strength: int = 0

    @property
    def weight(self) -> float:
        """How much, either way."""
        return abs(self.change)


@dataclass(frozen=True)
class Shown:
    """An answer, as the template shows it.

    Attributes:
        heading: the answer in a few words.
        bars: probabilities.
        pieces: words that mattered.
        tags: token, tag and probability of each step.
        charts: a forecast's target and drawing.
        columns, rows: a table of numbers.
        continued: tokens that were generated.
        text: an answer as JSON.
        notes: what a reader should know.
        curl: path and body of the same request.
    """

    heading: str = ""
    bars: Sequence[Bar] = ()
    pieces: Sequence[Piece] = ()
    tags: Sequence[tuple[str, str, str]] = ()
    charts: Sequence[tuple[str, Chart]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    continued: Sequence[str] = ()
    text: str = ""
    notes: Sequence[str] = ()
    curl: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Form:
    """A form and what answers it.

    Attributes:
        kind: which fields the template shows.
        hint: what to fill in.
        values: what stands there at first, by the field's name.
        answer: fields → what is shown.
        choices: labels to choose from.
    """

    kind: str
    hint: str
    values: dict[str, str]
    answer: Callable[[Fields], Awaitable[Shown]] = field(repr=False)
    choices: Sequence[str] = ()


class Forms:
    """The forms of models.

    Args:
        service: the models.
        streams: for texts that are continued.
    """

    def __init__(self, service: Service, streams: Streams) -> None:
        self.service, self.streams = service, streams

    def of(self, model: ServedModel) -> Form:
        """The form for a model's task, or the one for JSON."""
        schema = as_dict(model.card.get("schema"))
        usable = DEFAULT in model.signatures and not model.card.get("extra_inputs")
        kind = f"{schema.get('kind')}:{schema.get('inputs', '')}" if usable else ""
        made: dict[str, Callable[[ServedModel], Form]] = {
            "sequences:text": self._text,
            "sequences:tokens": self._tokens,
            "sequences:values": self._values,
            "series:": self._series,
            "language_model:corpus": self._language,
            "language_model:lines": self._language,
        }
        return made.get(kind, self.json)(model)

    # Texts

    def _text(self, model: ServedModel) -> Form:
        async def answer(fields: Fields) -> Shown:
            text = fields.get("text", "")
            found = await self._call(model, {"text": _texts([text])})
            shown = _one_answer(model, found)
            pieces = await self._mattered(model, text, found.outputs)
            return replace(shown, pieces=pieces, curl=_curl(model, {"instances": [text]}))

        return Form("text", "A text to be read.", {"text": _first_text(model)}, answer)

    async def _mattered(self, model: ServedModel, text: str, outputs: Mapping[str, np.ndarray]) -> list[Piece]:
        """The answer again without each word."""
        words = re.findall(r"\S+\s*", text)
        if not 1 < len(words) <= _MOST_WORDS:
            return []
        without = ["".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
        again = (await self._call(model, {"text": _texts(without)})).outputs
        if "probabilities" in outputs:
            best = int(outputs["probabilities"][0].argmax())
            change = outputs["probabilities"][0, best] - again["probabilities"][:, best]
        else:
            change = outputs["value"][0] - again["value"]
        largest = max(float(np.abs(change).max()), 1e-9)
        return [
            Piece(word, float(c), round(3 * float(c) / largest) if largest > 1e-6 else 0)
            for word, c in zip(words, change, strict=True)
        ]

    def _tokens(self, model: ServedModel) -> Form:
        async def answer(fields: Fields) -> Shown:
            tokens = fields.get("text", "").split()
            if not tokens:
                raise invalid("there are no tokens: write some, with spaces between them")
            found = await self._call(model, {"tokens": _texts(tokens).reshape(1, -1)})
            curl = _curl(model, {"instances": [tokens]})
            return replace(_one_answer(model, found, tokens), curl=curl)

        return Form("text", "Tokens, with spaces between them.", {"text": _first_text(model)}, answer)

    # Numbers

    def _values(self, model: ServedModel) -> Form:
        encoder = as_dict(as_dict(as_dict(model.card.get("schema")).get("pipeline")).get("encoder"))
        given = as_dict(as_dict(model.card.get("schema")).get("roles")).get("channels")
        count = len(encoder.get("mean", ()))
        names = [str(name) for name in given] if isinstance(given, list) else [f"channel_{i}" for i in range(count)]

        async def answer(fields: Fields) -> Shown:
            table = read_table(fields.get("csv", ""), header=names)
            values = np.stack([table.numbers(name) for name in names], axis=1)
            lengths = np.array([len(values)], np.int32)
            found = await self._call(model, {"values": values[np.newaxis], "lengths": lengths})
            steps = [str(i + 1) for i in range(len(values))]
            curl = _curl(model, {"inputs": {"values": [_plain(values)], "lengths": [len(values)]}})
            return replace(_one_answer(model, found, steps), curl=curl)

        first = _recorded(model)
        rows = first["values"][0][: int(first["lengths"][0])].tolist() if "lengths" in first else []
        return Form("csv", "A row per step, a column per channel.", {"csv": write_table(names, rows)}, answer)

    def _series(self, model: ServedModel) -> Form:
        from .series import SeriesForm

        form = SeriesForm(model)

        async def answer(fields: Fields) -> Shown:
            asked = await self.service.runner.in_thread(form.read, fields.get("csv", ""))
            found = await self._call(model, asked.inputs)
            return _forecast(asked, found, _curl(model, {"inputs": {n: _plain(a) for n, a in asked.inputs.items()}}))

        return Form("csv", form.hint, {"csv": form.example(_recorded(model))}, answer)

    # Language models

    def _language(self, model: ServedModel) -> Form:
        pipeline = as_dict(as_dict(model.card.get("schema")).get("pipeline"))
        classes = [str(name) for name in pipeline.get("conditions", ())]
        joined, lines = "" if pipeline.get("tokens") == "char" else " ", bool(pipeline.get("lines"))

        async def answer(fields: Fields) -> Shown:
            text, label = fields.get("text", ""), fields.get("label") or None
            given = {"condition": _texts([label or ""])} if classes else {}
            outputs = (await self._call(model, {"text": _texts([text]), **given})).outputs
            ranked = zip(outputs["tokens"][0], outputs["probabilities"][0], strict=True)
            bars = [Bar(_shown_token(token.decode(errors="replace")), float(p)) for token, p in ranked]
            tokens = await self._continued(model, text, label if classes else None, lines)
            body = {"instances": [{"text": text, "condition": label} if classes else text]}
            return Shown(f"next: {bars[0].label}", bars, continued=[_joined(tokens, joined)], curl=_curl(model, body))

        return Form("language", "The beginning of a text.", {"text": _first_text(model)}, answer, classes)

    async def _continued(self, model: ServedModel, text: str, label: str | None, lines: bool) -> list[str]:
        """Tokens after a text, each told to a stream before the next is drawn; a line ends at its end."""
        random, tokens = np.random.default_rng(0), []
        stream = await self.streams.open(ModelSpec(model.name, model.version), label=label)
        try:
            found = await self.streams.push_text(stream, text)
            for _ in range(_CONTINUED):
                weight = found["next_probabilities"][-1].astype("float64") ** (1 / _TEMPERATURE)
                place = int(random.choice(len(weight), p=weight / weight.sum()))
                token = found["next_tokens"][-1][place]
                tokens.append(token.decode(errors="replace") if isinstance(token, bytes) else str(token))
                if tokens[-1] == _END and lines:
                    return tokens[:-1]
                ids = stream.step.as_observations(found["next_ids"][-1][place : place + 1])
                found = await self.streams.push(stream, ids)
        finally:
            self.streams.close(stream, "the page was done with it")
        return tokens

    # Any model

    def json(self, model: ServedModel) -> Form:
        """A request as JSON, and its answer."""

        async def answer(fields: Fields) -> Shown:
            body = fields.get("json", "")
            document = parse_object(body.encode(), wanted=json_tensor.KEYS)
            name = json_tensor.signature_name(document) or DEFAULT
            if name not in model.signatures:
                raise invalid(f'Serving signature name: "{name}" not found in signature def')
            signature = model.signatures[name]
            inputs, rows = json_tensor.read_inputs(document, signature, may_hold_bools=True)
            found = await self.service.call(model, signature, inputs)
            write = json_tensor.write_rows if rows else json_tensor.write_columns
            return Shown(
                text=write(found.outputs).decode(errors="replace"), notes=found.warnings, curl=_curl(model, body)
            )

        return Form("json", "A request, as a client would send it.", {"json": _example(model)}, answer)

    async def _call(self, model: ServedModel, inputs: Mapping[str, np.ndarray]) -> Answer:
        signature = model.signatures[DEFAULT]
        typed = {n: a.astype(signature.inputs[n].dtype.as_numpy_dtype, copy=False) for n, a in inputs.items()}
        return await self.service.call(model, signature, typed)


def _one_answer(model: ServedModel, found: Answer, tokens: Sequence[str] = ()) -> Shown:
    """A label with its probabilities, a value, or tags; warnings as notes."""
    outputs, notes = found.outputs, found.warnings
    if "value" in outputs:
        return Shown(f"{float(outputs['value'][0]):.6g}", notes=notes)
    if "tags" in outputs:
        best = outputs["probabilities"][0].max(axis=-1)
        rows = zip(tokens, outputs["tags"][0], best, strict=False)
        return Shown(
            notes=notes, tags=[(t, tag.decode(errors="replace"), f"{100 * p:.1f} %") for t, tag, p in rows][:_TAGS]
        )
    pipeline = as_dict(as_dict(model.card.get("schema")).get("pipeline"))
    classes = [str(name) for name in as_dict(pipeline.get("target_encoder")).get("classes", ())]
    bars = [Bar(name, float(p)) for name, p in zip(classes, outputs["probabilities"][0], strict=False)]
    best = sorted(bars, key=lambda bar: -bar.fraction)[:_BARS]
    return Shown(outputs["label"][0].decode(errors="replace"), best, notes=notes)


def _forecast(asked: Any, found: Answer, curl: tuple[str, str]) -> Shown:
    outputs = found.outputs
    levels = sorted({int(name.rpartition("-")[2]) for name in outputs if "-lo-" in name})
    charts, columns, cells = [], ["step"], [list(asked.ahead)]
    for i, target in enumerate(asked.targets):
        forecast = outputs["forecast"][0, :, i]
        bands = [Band(n, outputs[f"forecast-lo-{n}"][0, :, i], outputs[f"forecast-hi-{n}"][0, :, i]) for n in levels]
        charts.append((target, draw(asked.past[:, i], forecast, bands, asked.first, asked.ahead[-1])))
        columns += [target, *(f"{target} {end} {band.level} %" for band in bands for end in ("low", "high"))]
        ends = [values for band in bands for values in (band.low, band.high)]
        digits = digits_of(np.concatenate([forecast, *ends])) + 1
        cells += [[f"{float(v):.{digits}g}" for v in values] for values in (forecast, *ends)]
    rows = [list(row) for row in zip(*cells, strict=True)][:_ROWS_SHOWN]
    return Shown(charts=charts, columns=columns, rows=rows, notes=[*asked.notes, *found.warnings], curl=curl)


def _texts(texts: Sequence[str]) -> np.ndarray:
    return np.array([text.encode(errors="replace") for text in texts], dtype=object)


def _plain(array: np.ndarray) -> Any:
    """Numbers as JSON has them, without the last digits, which are rounding."""
    if array.dtype.kind != "f":
        return array.tolist()
    return np.vectorize(lambda v: float(f"{v:.15g}"), otypes=[float])(array).tolist()


def _curl(model: ServedModel, body: dict[str, Any] | str) -> tuple[str, str]:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return f"/v1/models/{model.name}/versions/{model.version}:predict", text


def _example(model: ServedModel) -> str:
    signature = model.signatures.get(DEFAULT) or next(iter(model.signatures.values()), None)
    if signature is None:
        return ""
    recorded = _recorded(model) if signature.name == DEFAULT else {}
    inputs = (
        {n: a[:1] for n, a in recorded.items()} if set(recorded) == set(signature.inputs) else example_inputs(signature)
    )
    return json.dumps(example_body(signature, inputs), indent=1 if sum(a.size for a in inputs.values()) < 40 else None)


def _recorded(model: ServedModel) -> dict[str, np.ndarray]:
    """Inputs of the first request that the exporter recorded, for an example that is real."""
    from tensorflow_serving.apis import prediction_log_pb2

    for record in model.warmup_requests():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        try:
            return {name: array_of(name, proto) for name, proto in log.predict_log.request.inputs.items()}
        except ServingError:
            break
    return {}


def _first_text(model: ServedModel) -> str:
    array = _recorded(model).get("text", _recorded(model).get("tokens"))
    if array is None or array.dtype != object or not array.size:
        return ""
    return " ".join(value.decode(errors="replace") for value in array[:1].ravel()).strip()


def _shown_token(token: str) -> str:
    return {" ": "␣", "\n": "↵", "": "∅"}.get(token, token)


def _joined(tokens: Sequence[str], between: str) -> str:
    text = between.join("\n" if token == _END else token for token in tokens)
    return _CLOSING.sub(r"\1", text) if between else text


def as_dict(value: object) -> dict[str, Any]:
    """What a card holds where an object is expected; empty for anything else."""
    return value if isinstance(value, dict) else {}


def signature_lines(model: ServedModel) -> list[tuple[str, list[str], list[str]]]:
    """Name, inputs and outputs of each signature, for the card."""

    def lines(signature: Signature, which: str) -> list[str]:
        return [str(info) for info in getattr(signature, which).values()]

    return [(s.name, lines(s, "inputs"), lines(s, "outputs")) for s in model.signatures.values()]
