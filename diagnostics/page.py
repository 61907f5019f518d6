"""An inspection as sections of a page: memory, order, gates, cost, where it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..frames.wording import with_capital
from ..pages import Choice, Figure, Section, Table, bars, heat_map, lines
from .gates import KEEPS, LayerGates
from .occlusion import TOLERANCE
from .order import UNKNOWN_WORTH

if TYPE_CHECKING:
    from .inspection import Inspection

_MOST_UNITS = 32
_MOST_GROUPS = 24
_METRICS = {
    "mase": "MASE",
    "error": "error (fraction of wrong labels)",
    "mae": "mean absolute error",
    "cross_entropy": "cross-entropy in nats",
}


def sections_of(found: Inspection) -> list[Section]:
    """Everything found in a model, a section each; what was not measured is left out with a sentence."""
    if not found.memory["occlusion"]:
        return [Section(f"Inside {found.model}", found.notes), _cost(found)]
    return [_memory(found), _order(found), _gates(found), _cost(found), _wrong(found)]


def _memory(found: Inspection) -> Section:
    memory = found.memory
    metric = _METRICS[memory["metric"]]
    figures: list[Figure | Choice] = [] if memory["influence"] is None else [_influence_figure(memory)]
    figures.append(_occlusion_figure(memory, metric))
    figures += [
        lines(
            {layer["layer"]: _shares(layer["influence"])},
            alt=f"inside {layer['layer']}, 95 % of the influence lies in the newest {layer['horizon_gradient']} steps",
            caption=f"Inside {layer['layer']}: influence of its inputs on its last state, by its own steps"
            + (f" of {layer['steps_per_segment']} values each." if layer["steps_per_segment"] > 1 else "."),
            x="lag (steps of the layer)",
            y="share of influence",
            log=True,
        )
        for layer in memory["layers"]
    ]
    rows = [
        ["horizon by occlusion", str(memory["horizon_occlusion"])],
        ["horizon by gradient", _or(memory["horizon_gradient"])],
        ["horizon by gradient before training", _or(memory["horizon_before"])],
        ["steps read", str(memory["lookback"])],
        ["lookback suggested", str(memory["suggested_lookback"])],
    ]
    return Section("Memory", [memory["text"]], figures, [Table(["", "steps"], rows)])


def _influence_figure(memory: dict[str, Any]) -> Figure:
    curves = {"after training": _shares(memory["influence"])}
    if memory["influence_before"] is not None:
        curves["before training"] = _shares(memory["influence_before"])
    if memory["core"] and memory["core"]["horizon_gradient"] != memory["horizon_gradient"]:
        curves["after training, level and scale held fixed"] = _shares(memory["core"]["influence"])
    return lines(
        curves,
        alt=f"95 % of the influence lies in the newest {memory['horizon_gradient']} steps",
        caption="Share of the squared gradient by lag; lag 1 is the newest value read. "
        f"95 % lies in the newest {memory['horizon_gradient']} steps.",
        x="lag (steps)",
        y="share of influence",
        log=True,
        dashed=["before training"],
    )


def _occlusion_figure(memory: dict[str, Any], metric: str) -> Figure:
    kept = [o["kept"] for o in memory["occlusion"]]
    loss = [o["loss"] for o in memory["occlusion"]]
    horizon = memory["horizon_occlusion"]
    by_chance = horizon == 0 and loss[0] > TOLERANCE * loss[-1]
    enough = (
        "without any of it, it is higher by no more than chance may do"
        if by_chance
        else f"from {horizon} kept steps on it is at most 1 % above the full one"
    )
    return lines(
        {"loss": (kept, loss)},
        alt=f"loss by steps kept: {enough}",
        caption=f"Loss with everything older replaced by another example's steps: {enough}.",
        x="newest steps kept",
        y=metric,
        vertical=None if by_chance else {"at most 1 % more": horizon},
    )


def _shares(shares: list[float]) -> tuple[list[float], list[float]]:
    return list(range(1, len(shares) + 1)), shares


def _order(found: Inspection) -> Section:
    order, metric = found.order, _METRICS[found.memory["metric"]]
    worth = f"{order['value']:.4g}"
    if order["low"] is not None:
        worth += f" (95 % interval {order['low']:.4g} to {order['high']:.4g})"
    answer = {
        True: "Order matters to this model.",
        False: "Order is worth less than 2 % to this model: a bag of its steps would do.",
        None: f"{with_capital(UNKNOWN_WORTH[found.data['held_out'] is False])}.",
    }[order["matters"]]
    values = {"right order": order["loss"], "shuffled": order["shuffled"]}
    if order["trained_shuffled"] is not None:
        values["trained on shuffled steps"] = order["trained_shuffled"]
    costs = f"{answer} Shuffling the steps costs {worth} in {metric}."
    if order["trained_shuffled"] is not None:
        change = "loses" if order["trained_value"] >= 0 else "gains"
        costs += f" Trained on shuffled steps as well, it {change} {abs(order['trained_value']):.4g} against the right"
        costs += " order"
        low, high = order["trained_low"], order["trained_high"]
        costs += "." if low is None else f" (95 % interval of the loss {low:.4g} to {high:.4g})."
    finding = f"shuffling the steps changes the loss by {order['value']:.4g}"
    figures = [bars(values, alt=finding, caption=f"{with_capital(finding)}.", x=metric)]
    if order["older_than"]:
        figures.append(
            lines(
                {"loss": ([o["steps"] for o in order["older_than"]], [o["loss"] for o in order["older_than"]])},
                alt="loss with only older steps shuffled",
                caption="Loss with only the steps older than so many shuffled: sharp nearby, fuzzy far away.",
                x="newest steps left in order",
                y=metric,
            )
        )
    return Section("Worth of order", [costs], figures)


def _gates(found: Inspection) -> Section:
    figures: list[Figure | Choice] = []
    rows = []
    for layer in found.layers:
        figures += _gate_figures(layer, found.example_steps)
        half = layer.median_half_life
        rows.append(
            [
                layer.layer,
                layer.cell,
                str(len(layer.half_life) or layer.example["hidden"].shape[1]),
                f"longer than {layer.steps}" if half is None else f"{half * layer.steps_per_segment:.3g}",
                _percent(layer.saturated_low),
                _percent(layer.saturated_high),
                f"{layer.lyapunov:.3f}",
            ]
        )
    if not rows:
        return Section("Gates", ["The model has no recurrent layer with the usual gates, so there is none to look at."])
    head = ["layer", "cell", "units", "half-life (steps of the data)", "gate below 0.1", "above 0.9", "growth per step"]
    season = found.gates["season"]
    sentence = "Half-life: after so many steps half is left of what the median unit holds"
    sentence += f"; the season of the data has {season} steps." if season > 1 else "."
    return Section("Gates", [sentence], figures, [Table(head, rows, left=2)])


def _gate_figures(layer: LayerGates, steps: list[str]) -> list[Figure]:
    """Half-lives and the gate that keeps, where the cell has one; and the hidden state."""
    segment, read = layer.steps_per_segment, len(layer.example["hidden"])
    names = steps if segment == 1 else [steps[min(t * segment, len(steps) - 1)] for t in range(read)]
    gate = KEEPS[layer.cell]
    figures = [] if gate not in layer.example else [_half_lives(layer), _kept(layer, gate, names)]
    return [*figures, _hidden(layer, names)]


def _half_lives(layer: LayerGates) -> Figure:
    halves = [layer.steps if layer.half_life[u] is None else layer.half_life[u] for u in _slowest_first(layer)]
    of_data = [float(half or 0) * layer.steps_per_segment for half in halves]
    return lines(
        {"half-life": (list(range(1, len(of_data) + 1)), of_data)},
        alt=f"half-life of the units of {layer.layer}, from {of_data[0]:.3g} down to {of_data[-1]:.3g} steps",
        caption=f"Half-life of each unit of {layer.layer}, the slowest first (at most the steps read).",
        x="unit",
        y="steps of the data",
        from_zero=True,
    )


def _slowest_first(layer: LayerGates) -> np.ndarray:
    return np.argsort(layer.keep)[::-1]


def _kept(layer: LayerGates, gate: str, names: list[str]) -> Figure:
    ranked = _slowest_first(layer)
    return heat_map(
        layer.example[gate][:, ranked[:: max(1, len(ranked) // _MOST_UNITS)][:_MOST_UNITS]].T,
        alt=f"the {gate} gate of {layer.layer} at each step of one example",
        caption=f"The {gate} gate of {layer.layer} over one example: dark keeps, light lets go. Units from "
        "slow (top) to fast.",
        rows="units",
        columns=names,
        x="steps read, newest on the right",
    )


def _hidden(layer: LayerGates, names: list[str]) -> Figure:
    hidden = layer.example["hidden"]
    shown = np.abs(hidden[:, :: max(1, hidden.shape[1] // _MOST_UNITS)][:, :_MOST_UNITS]).T
    return heat_map(
        shown / max(shown.max(), 1e-9),
        scale=("0", f"{shown.max():.2g}"),
        alt=f"size of the hidden state of {layer.layer} at each step of one example",
        caption=f"Size of the hidden state of {layer.layer} over the same example.",
        rows="units",
        columns=names,
        x="steps read, newest on the right",
    )


def _cost(found: Inspection) -> Section:
    cost = found.cost
    tables = [
        Table(
            ["part", "parameters"],
            [[name, f"{n:,}"] for name, n in cost["parameters"]["parts"].items()]
            + [["all", f"{cost['parameters']['total']:,}"]],
        )
    ]
    if cost.get("multiply_adds") is None:
        return Section("Cost", tables=tables)
    seconds, dense = cost["seconds"], cost["dense_window"]
    rows = [
        ["multiply-adds of a prediction", f"{cost['multiply_adds']:,}"],
        [f"multiply-adds of a training step ({cost['batch']} examples)", f"{cost['multiply_adds_training_step']:,}"],
        ["numbers read in a batch", f"{cost['input_volume']:,}"],
        ["kept for backpropagation, a batch", f"{cost['activation_bytes'] / 2**20:.3g} MiB"],
        ["ms of a prediction, by its multiply-adds", f"{1000 * seconds['predicted']:.3g}"],
        ["ms of a prediction, measured in batches", f"{1000 * seconds['measured']:.3g}"],
    ]
    if dense is not None:
        rows.append(["parameters of a dense network that sees as far", f"{dense['parameters']:,}"])
        rows.append(["its multiply-adds", f"{dense['multiply_adds']:,}"])
    tables.insert(0, Table(["price", ""], rows))
    growth = [
        [
            f"{row['steps']:,}",
            f"{row['parameters']:,}",
            f"{row['multiply_adds']:,}",
            _count(row["dense_parameters"]),
            _count(row["dense_multiply_adds"]),
        ]
        for row in cost["growth"]
    ]
    head = ["steps read", "parameters", "multiply-adds", "dense: parameters", "dense: multiply-adds"]
    tables.append(Table(head, growth, "growth with the steps read", left=0))
    sentence = "A recurrence repeats its weights at every step: work grows with the steps read, parameters do not."
    return Section("Cost", [sentence], tables=tables)


def _wrong(found: Inspection) -> Section:
    errors = found.errors
    sentences = [f"{_METRICS[errors['metric']]}: {errors[errors['metric']]:.4g} on {errors['n']:,} examples."]
    if errors.get("autocorrelation"):
        sentences.append(errors["autocorrelation"]["text"])
    figures: list[Figure | Choice] = []
    if errors.get("by"):
        figures.append(
            Choice("by", {name: _by(name, groups, errors["metric"]) for name, groups in errors["by"].items()})
        )
    if errors.get("calibration"):
        figures.append(_calibration(errors["calibration"]))
    if errors.get("coverage_over_time"):
        figures.append(_coverage(errors["coverage_over_time"]))
    return Section("Where it is wrong", sentences, figures, [_worst(errors["worst"])] if errors.get("worst") else [])


def _by(name: str, groups: list[dict[str, Any]], metric: str) -> Figure:
    """The error of each season, hour, series, length or class."""
    shown = groups[:_MOST_GROUPS]
    worst = max(shown, key=lambda g: g["loss"])
    place = str(worst["group"]).strip()
    left_out = f"; {len(groups) - len(shown)} more are in the JSON" if len(groups) > len(shown) else ""
    return bars(
        {str(g["group"]).strip(): g["loss"] for g in shown},
        alt=f"the largest error by {name} is at {place} ({worst['loss']:.4g})",
        x=_METRICS[metric],
        caption=f"By {name}: largest at {place} ({worst['loss']:.4g}){left_out}.",
    )


def _calibration(calibration: dict[str, Any]) -> Figure:
    bins, error = calibration["bins"], calibration["expected_calibration_error"]
    sure = [b["predicted"] for b in bins]
    return lines(
        {"right": (sure, [b["observed"] for b in bins]), "as sure as right": ([0, 1], [0, 1])},
        alt=f"expected calibration error {error:.3f}",
        caption=f"How often it is right, by how sure it is: expected calibration error {error:.3f}.",
        x="how sure",
        y="how often right",
        from_zero=True,
        dashed=["as sure as right"],
    )


def _coverage(by_level: dict[str, list[dict[str, Any]]]) -> Figure:
    curves = {
        f"{level} %": (list(range(len(rows))), [row["coverage"] for row in rows]) for level, rows in by_level.items()
    }
    return lines(
        curves,
        alt="share of true values inside the intervals over time",
        caption="Share of true values inside the intervals, over time.",
        x="windows from",
        y="coverage",
        labels=[row["from"][:10] for row in next(iter(by_level.values()))],
    )


def _worst(worst: list[dict[str, Any]]) -> Table:
    head = list(worst[0])
    rows = [[f"{row[name]:.4g}" if name == "loss" else str(row[name]) for name in head] for row in worst]
    return Table(head, rows, "the examples with the largest errors", left=len(head) - 1, folded=True)


def _percent(shares: Any) -> str:
    return f"{100 * float(np.mean(shares)):.0f} %" if len(shares) else "no gate"


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _or(value: int | None) -> str:
    return "not measurable" if value is None else str(value)
