"""Inspect a trained model: how far it remembers, what order is worth, what its gates keep, its cost, where it errs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from ..comparison.identity import to_strict_json
from ..evaluation import mae, rmse
from ..frames import describe
from ..frames.wording import with_capital
from ..pages import Page, Section, render
from ..pipelines import SeriesPipeline
from ..predictor import Predictor
from . import error_analysis
from .cost import cost_of
from .examples import Examples
from .gates import LayerGates, gates_of
from .influence import horizon, influence_by_lag, inside_layers, with_fixed_statistics
from .json_file import write_json
from .occlusion import TOLERANCE, Occlusion, occlusion
from .order import UNKNOWN_WORTH, Order, TrainedShuffled, worth_after_training, worth_of_order
from .page import sections_of
from .subject import Subject, subject_of_comparison, subject_of_model

if TYPE_CHECKING:
    from ..comparison import Comparison

SCHEMA_VERSION = 1
OnSentence = Callable[[str], None]
# Two witnesses whose horizons differ by more than this factor disagree.
_DISAGREE = 2.0
# Tasks whose examples may be shuffled in training: one prediction for each.
_ONE_PREDICTION = ("forecast", "classification", "regression")
# A horizon from this share of what is read on reaches its end.
_TO_THE_END = 0.9


def _silent(sentence: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was found in a model; docs/diagnostics.md describes the fields.

    Attributes:
        model: its name.
        task: name of its task.
        data: the rows looked at, how many examples, whether the training saw them.
        memory, order, gates, cost, errors: as they stand in the JSON.
        verdict: ``worth_it``, ``best`` and ``text``: whether this model's memory earns anything, in sentences.
        notes: what a reader should know.
        layers: gates of each recurrent layer, with the states of one example.
        example_steps: what was read at each step of that example, as words or times; newest last.
    """

    model: str
    task: str
    data: dict[str, Any]
    memory: dict[str, Any]
    order: dict[str, Any]
    gates: dict[str, Any]
    cost: dict[str, Any]
    errors: dict[str, Any]
    verdict: dict[str, Any]
    notes: list[str]
    layers: list[LayerGates] = field(default_factory=list)
    example_steps: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Strict JSON."""
        return to_strict_json(
            {
                "schema_version": SCHEMA_VERSION,
                "recurra": __version__,
                "model": self.model,
                "task": self.task,
                "data": self.data,
                "memory": self.memory,
                "order": self.order,
                "gates": self.gates,
                "cost": self.cost,
                "errors": self.errors,
                "verdict": self.verdict,
                "notes": self.notes,
            }
        )

    def write(self, path: Path | str) -> Path:
        """Write the JSON, whole or not at all."""
        return write_json(path, self.to_dict())

    def sections(self) -> list[Section]:
        """What was found as sections of a page."""
        return sections_of(self)

    def to_html(self, command: str = "") -> str:
        """One self-contained page.

        Args:
            command: that made it.
        """
        answer = {True: "Order and memory matter", False: "Memory earns nothing here", None: self._reach()}
        tone = {True: "yes", False: "no", None: "open"}
        sections = [*self.sections(), *([Section("Notes", bullets=self.notes)] if self.notes else [])]
        page = Page(
            f"{self.model} for {self.task}: {self.data['source']}",
            answer[self.verdict["worth_it"]],
            self.verdict["text"],
            tone[self.verdict["worth_it"]],
            sections,
            command,
            f"recurra {__version__}",
        )
        return render(page)

    def _reach(self) -> str:
        """What can be said where the worth of order cannot."""
        horizon = self.memory["horizon"]
        return "What is inside" if horizon is None else f"Uses the newest {horizon} of {self.memory['lookback']} steps"

    def __repr__(self) -> str:
        return f"Inspection({self.model} for {self.task}: {self.verdict['text']})"


def inspect(
    model: Predictor[Any] | Path | str,
    source: Any = None,
    *,
    on_progress: OnSentence = _silent,
) -> Inspection:
    """Explain a trained model: memory, order, gates, cost, errors.

    Args:
        model: a predictor, an exported model, or the folder of one.
        source: rows like those it was trained on, with what is to be predicted: a file, a data set's name or a frame;
            by default the data it was trained on, if they can be read again.
        on_progress: called with a sentence now and then.

    Returns:
        The inspection; the same model and source give the same numbers, measured seconds aside.

    Raises:
        InputError: there is no model, or no data that fit it.

    Example:
        >>> recurra.diagnostics.inspect("saved_models/co2").memory["horizon"]
    """
    return inspect_subject(subject_of_model(_loaded(model), source), on_progress)


def inspect_comparison(
    comparison: Comparison,
    model: str | None = None,
    *,
    train_shuffled: bool = False,
    on_progress: OnSentence = _silent,
) -> Inspection | None:
    """Explain a model of a comparison: by default the best recurrent one, on the test set of the newest fold.

    Args:
        comparison: a finished one, in the process that made it.
        model: a family of it.
        train_shuffled: also train it on shuffled steps, for what order is worth; tasks with one prediction per example.
        on_progress: called with a sentence now and then.

    Returns:
        The inspection; None where the comparison has no recurrent model.
    """
    from ..models import is_recurrent

    if model is None:
        rows = [row for row in comparison.summary_rows if row["kind"] == "family"]
        names = [row["model"] for row in rows if is_recurrent(row["model"])]
        if not names:
            return None
        model = names[0]
    on_progress(f"training {model} once more on the newest fold")
    subject = subject_of_comparison(comparison, model)
    if not train_shuffled or subject.task not in _ONE_PREDICTION or subject.examples is None:
        return inspect_subject(subject, on_progress)
    on_progress(f"training {model} on shuffled steps")
    other = subject_of_comparison(comparison, model, shuffled=True)
    if other.examples is None:
        return inspect_subject(subject, on_progress)
    return inspect_subject(subject, on_progress, worth_after_training(subject.examples, other.examples))


def inspect_subject(
    subject: Subject, on_progress: OnSentence = _silent, trained_shuffled: TrainedShuffled | None = None
) -> Inspection:
    """All diagnostics of a subject; what order is worth after training where that was measured."""
    notes, examples = list(subject.notes), subject.examples
    data = {**describe(subject.frame), "held_out": None if examples is None else examples.held_out}
    if examples is None:
        verdict = {"worth_it": None, "best": subject.name, "text": with_capital(notes[-1]) + "."}
        parameters = {"total": subject.predictor.model.parameters(), "parts": {}}
        cost = {"parameters": parameters, "multiply_adds": None}
        return Inspection(
            subject.name, subject.task, data, _no_memory(), _no_order(), {"layers": []}, cost, {}, verdict, notes
        )
    data["examples"] = len(examples)
    memory = memory_of(subject, examples, on_progress)
    on_progress("order: shuffled steps")
    order = worth_of_order(examples)
    on_progress("gates")
    network = subject.network
    layers = gates_of(network, examples) if network is not None else []
    on_progress("cost and errors")
    return Inspection(
        subject.name,
        subject.task,
        data,
        memory,
        _order_json(order, trained_shuffled),
        {"season": subject.pipeline.spec.season, "layers": [layer.to_dict() for layer in layers]},
        cost_of(network, subject.pipeline.spec, examples) if network is not None else {},
        _errors(subject, examples),
        _verdict(subject, memory, order, trained_shuffled, layers),
        notes,
        layers,
        _example_steps(examples),
    )


def memory_of(subject: Subject, examples: Examples, on_progress: OnSentence = _silent) -> dict[str, Any]:
    """The memory horizon with its two witnesses, before and after training, of the whole model and of its core."""
    on_progress("influence by lag, through the gradient")
    network: Any = examples.network
    shares = influence_by_lag(network, examples)
    before = None if subject.untrained is None else influence_by_lag(subject.untrained, examples)
    fixed = with_fixed_statistics(network)
    core = None if fixed is None else influence_by_lag(fixed, examples)
    inside = inside_layers(network, examples)
    seen = occlusion(examples, on_progress=on_progress)
    by_gradient = horizon(shares)
    return {
        "horizon": seen.horizon,
        "horizon_gradient": by_gradient,
        "horizon_occlusion": seen.horizon,
        "agree": _agree(by_gradient, seen.horizon),
        "suggested_lookback": _suggested(seen.horizon, by_gradient, examples),
        "lookback": examples.longest,
        "metric": examples.metric,
        "influence": _list(shares),
        "influence_before": _list(before),
        "horizon_before": horizon(before),
        "occlusion": [{"kept": kept, "loss": loss} for kept, loss in seen.curve],
        "core": None if core is None else {"influence": _list(core), "horizon_gradient": horizon(core)},
        "layers": [{**row, "influence": _list(row["influence"])} for row in inside],
        "text": " ".join(_memory_sentences(seen, by_gradient, examples, inside, horizon(core))),
    }


def _memory_sentences(
    seen: Occlusion, by_gradient: int | None, examples: Examples, inside: list[dict[str, Any]], core: int | None
) -> list[str]:
    longest = examples.longest
    if seen.horizon == 0:
        first = "Nothing in the past helps: with all of it replaced the error is at most 1 % higher."
        if seen.rise > TOLERANCE - 1:
            first = (
                f"That the past helps cannot be shown: with all of it replaced the error is {100 * seen.rise:.0f} % "
                f"higher, which chance may do on {len(examples):,} examples."
            )
    else:
        first = (
            f"The newest {_steps(seen.horizon)} of {longest} are enough: with everything older replaced, the error "
            "rises by at most 1 %."
        )
    sentences = [first]
    if by_gradient is not None:
        sentences.append(f"95 % of the gradient's influence lies in the newest {_steps(by_gradient)}.")
        if not _agree(by_gradient, seen.horizon):
            sentences.append(_why_they_differ(seen.horizon, by_gradient))
    if core is not None and core != by_gradient:
        sentences.append(f"With level and scale of the window held fixed, it lies in the newest {_steps(core)}.")
    for row in inside:
        if row["horizon_gradient"] is None:
            continue
        segment = row["steps_per_segment"]
        of_data = f" ({_steps(row['horizon_gradient'] * segment)} of the data)" if segment > 1 else ""
        sentences.append(
            f"Inside {row['layer']}, 95 % of the influence on the last state lies in the newest "
            f"{row['horizon_gradient']} of its {row['steps']} steps{of_data}."
        )
    return sentences


def _why_they_differ(by_occlusion: int, by_gradient: int) -> str:
    if by_occlusion == 0:
        return "The two disagree: the model reacts to what it reads, but that makes no prediction better."
    if by_gradient > by_occlusion:
        return (
            "The two disagree: older steps still move the prediction, but it is as good without them (neighbours tell "
            "the same, or what they add is noise)."
        )
    return (
        "The two disagree: small changes of old steps move the prediction little, but other ones in their place make "
        "it worse (saturated gates or discrete inputs hide what matters from a gradient)."
    )


def _agree(by_gradient: int | None, by_occlusion: int) -> bool | None:
    if by_gradient is None:
        return None
    low, high = sorted((by_gradient, by_occlusion))
    return high <= _DISAGREE * low


def _suggested(by_occlusion: int, by_gradient: int | None, examples: Examples) -> int:
    """What a next model should read: what is used, or twice as much where that reaches the end of what was read."""
    read = examples.longest
    used = max(by_occlusion, by_gradient or 0) if _agree(by_gradient, by_occlusion) else by_occlusion
    more = used >= _TO_THE_END * read and read > 1 and not examples.whole
    return 2 * read if more else max(used, 1)


def _steps(n: int) -> str:
    return f"{n} step{'' if n == 1 else 's'}"


def _list(shares: np.ndarray | None) -> list[float] | None:
    return None if shares is None else [float(s) for s in shares]


def _order_json(order: Order, trained: TrainedShuffled | None) -> dict[str, Any]:
    return {
        "value": order.value,
        "low": order.low,
        "high": order.high,
        "loss": order.loss,
        "shuffled": order.shuffled,
        "trained_shuffled": None if trained is None else trained.loss,
        "trained_value": None if trained is None else trained.value,
        "trained_low": None if trained is None else trained.low,
        "trained_high": None if trained is None else trained.high,
        "matters": order.matters if trained is None else trained.matters,
        "older_than": [{"steps": steps, "loss": loss} for steps, loss in order.older_than],
    }


def _no_memory() -> dict[str, Any]:
    names = ("horizon", "horizon_gradient", "horizon_occlusion", "suggested_lookback")
    return {**dict.fromkeys(names), "influence": None, "influence_before": None, "occlusion": [], "text": ""}


def _no_order() -> dict[str, Any]:
    names = ("value", "low", "high", "loss", "shuffled", "trained_shuffled", "matters")
    return {**dict.fromkeys(names), "older_than": []}


def _errors(subject: Subject, examples: Examples) -> dict[str, Any]:
    """Where the model is wrong, and its error under the names of ``comparison.json``."""
    predicted = examples.predict(examples.inputs)
    losses = examples.loss(predicted)
    found: dict[str, Any] = {"metric": examples.metric, examples.metric: float(np.nanmean(losses)), "n": len(examples)}
    if examples.metric == "cross_entropy":
        found["perplexity"] = float(np.exp(np.nanmean(losses)))
    labels = dict(examples.labels)
    groups: dict[str, np.ndarray] = {}
    if isinstance(subject.pipeline, SeriesPipeline):
        found |= _forecast_errors(subject, examples, predicted)
        groups = error_analysis.time_groups(
            labels["first step forecast"], subject.pipeline.season, examples.place + subject.pipeline.lookback
        )
        if len(set(examples.groups.tolist())) > 1:
            groups["series"] = labels["series"]
        else:
            labels.pop("series", None)
    elif examples.restore is not None and examples.truth is not None:
        groups = {"length": error_analysis.length_groups(examples.lengths)}
        labels["predicted"] = _predicted_labels(subject, examples, predicted)
        labels["read"] = _texts(examples)
        if subject.task != "regression":
            groups["class"] = labels["target"]
            found["calibration"] = error_analysis.calibration(examples.truth, examples.restore(predicted))
    found["worst"] = error_analysis.worst(losses, labels)
    found["by"] = error_analysis.by_group(losses, groups)
    return found


def _forecast_errors(subject: Subject, examples: Examples, predicted: np.ndarray) -> dict[str, Any]:
    truth: Any = examples.truth
    pipeline: Any = subject.pipeline
    forecast = pipeline.restore(predicted)
    found: dict[str, Any] = {"mae": float(mae(truth, forecast)), "rmse": float(rmse(truth, forecast))}
    one_step = truth[:, 0, 0] - forecast[:, 0, 0]
    repeats = error_analysis.residual_autocorrelation(one_step, examples.groups)
    found["autocorrelation"] = repeats
    intervals = getattr(subject.predictor.model, "intervals", None)
    if intervals is not None and not examples.many_series:
        ends = {name: pipeline.restore(y) for name, y in intervals.around(predicted, 1.0).items()}
        found["coverage_over_time"] = {
            str(level): error_analysis.coverage_over_time(
                truth,
                np.asarray(ends[f"forecast-lo-{level}"]),
                np.asarray(ends[f"forecast-hi-{level}"]),
                np.asarray(examples.labels["first step forecast"]),
            )
            for level in intervals.levels
        }
    return found


def _predicted_labels(subject: Subject, examples: Examples, predicted: np.ndarray) -> np.ndarray:
    restored: Any = examples.restore(predicted) if examples.restore is not None else predicted
    if subject.task == "regression":
        return np.array([f"{v:.4g}" for v in restored], dtype=object)
    classes = getattr(subject.pipeline, "classes", [])
    names = [str(classes[i]) for i in restored.argmax(axis=-1)]
    return np.array([f"{name} ({p:.0%})" for name, p in zip(names, restored.max(axis=-1), strict=True)], dtype=object)


def _texts(examples: Examples) -> np.ndarray:
    if examples.tokens is None:
        return np.array([f"{n} steps" for n in examples.lengths], dtype=object)
    joined = [
        " ".join(examples.tokens(i) for i in row[:n][:40])
        for row, n in zip(examples.steps, examples.lengths, strict=True)
    ]
    return np.array(joined, dtype=object)


def _example_steps(examples: Examples) -> list[str]:
    n = int(examples.lengths[examples.typical])
    if examples.tokens is not None:
        return [examples.tokens(i) for i in examples.steps[examples.typical, :n]]
    return [f"−{n - t}" for t in range(n)]


def _verdict(
    subject: Subject, memory: dict[str, Any], order: Order, trained: TrainedShuffled | None, layers: list[LayerGates]
) -> dict[str, Any]:
    """Whether the memory of this model earns anything, in sentences."""
    matters = order.matters if trained is None else trained.matters
    worth_it = False if memory["horizon"] == 0 else matters
    seen = subject.examples is not None and subject.examples.held_out is False
    sentences = [memory["text"], _order_sentence(order, matters, trained, seen=seen)]
    for layer in layers:
        sentences.append(_gate_sentence(layer, subject.pipeline.spec.season))
    return {"worth_it": worth_it, "best": subject.name, "text": " ".join(s for s in sentences if s)}


def _order_sentence(order: Order, matters: bool | None, trained: TrainedShuffled | None, *, seen: bool) -> str:
    change = "" if not order.loss > 0 else f" ({order.value / order.loss:+.0%})"
    measured = f"With its steps shuffled the error goes from {order.loss:.4g} to {order.shuffled:.4g}{change}"
    if trained is not None:
        measured += f"; trained on shuffled steps as well it is {trained.loss:.4g}"
    if matters is True:
        return f"{measured}: order matters to this model."
    if matters is False:
        return f"{measured}: order is worth less than 2 % to it, a bag of its steps would do."
    return f"{measured}; {UNKNOWN_WORTH[seen]}."


def _gate_sentence(layer: LayerGates, season: int) -> str:
    half = layer.median_half_life
    what = "its state" if layer.cell == "simple_rnn" else "the median unit"
    if half is None:
        text = f"In {layer.layer} {what} keeps more than half of its content over all {layer.steps} steps read"
    else:
        of_data = half * layer.steps_per_segment
        text = f"In {layer.layer} {what} loses half of its content in {of_data:.3g} steps of the data"
    return f"{text}, beside a season of {season} steps." if season > 1 else f"{text}."


def _loaded(model: Predictor[Any] | Path | str) -> Predictor[Any]:
    if isinstance(model, Predictor):
        return model
    from ..export import load_model
    from ..predictor.persistence import is_saved

    path = Path(model)
    return Predictor.load(path) if is_saved(path) else load_model(path)
