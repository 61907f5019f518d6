"""Is a recurrent network worth its cost on this data? Yes, no, or cannot tell, and at what price."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from .metric import Metric, Wording
from .significance import TestRow

SIGNIFICANT = 0.05
# One model: its name, metrics and price.
SummaryRow = Mapping[str, Any]


class Effort(TypedDict):
    """How hard the recurrent families were tried.

    Keys:
        configs: configurations tried of each.
        baseline_configs: the most that were tried of a baseline.
        beat_default: folds and families in which another configuration than the default did best on validation data.
        chances: folds and families in which one could.
        seeds, folds: repetitions of each training, and test sets.
        trainings: of recurrent families.
        cut_short: how many of them were ended by something else than the validation loss: by "budget" or "max_epochs".
    """

    configs: int
    baseline_configs: NotRequired[int]
    beat_default: int
    chances: int
    seeds: int
    folds: int
    trainings: int
    cut_short: dict[str, int]


class Verdict(TypedDict):
    """Whether a recurrent network is worth its cost.

    Keys:
        worth_it: True, False, or None: cannot tell.
        best: model with the lowest error, recurrent or not.
        text: a few sentences.
        effort: how hard the recurrent families were tried, where that is known.
        samples_needed: where it cannot tell, how many forecast origins or examples would decide with a chance of 80 %,
            if effect and spread stay as they are; None otherwise, and where that cannot be said.
        memory_adds: where networks contain a baseline (mixed with it, or by an offset), each recurrent one against the
            best feed-forward one that contains it, and against the baseline alone.
    """

    worth_it: bool | None
    best: str
    text: str
    samples_needed: int | None
    effort: NotRequired[Effort]
    memory_adds: NotRequired[list[TestRow]]


def judge(
    summary: Sequence[SummaryRow],
    tests: Sequence[TestRow],
    *,
    wording: Wording,
    recurrent: Sequence[str],
    minimum_effect: float = 0.02,
    effort: Effort | None = None,
    memory_adds: Sequence[TestRow] | None = None,
) -> Verdict:
    """Say in plain words whether a recurrent family earns its keep, and what it costs.

    A small p-value alone is no reason to keep a network, and a large one no proof that it is useless. So:

    - *yes* (True): some recurrent family beats the best simpler model, significantly (Holm, 5 %) and by at
      least ``minimum_effect``. One that contains a baseline must also beat, significantly, the best feed-forward
      network that contains it and the baseline alone: it would otherwise be paid for their work.
    - *no* (False): every recurrent family is significantly worse, or the one-sided 95 % upper bound of its advantage
      lies below ``minimum_effect``: whatever advantage it may have is too small to matter. All must pass, so this
      conclusion needs no correction for their number.
    - *cannot tell* (None): neither; the text says what would help.

    Args:
        summary: one row per model and baseline: ``model``, the task's main metric (mean over folds and seeds), and
            where known its spread over seeds (``mase_sd``), ``parameters``, ``train_seconds``, ``predict_ms``
            (milliseconds per forecast, sequence or token). A row with ``parameters`` counts as trained.
            None and NaN are unknown.
        tests: one row per recurrent family, as :func:`recurra.evaluation.compare_losses` makes them for forecasts and
            :func:`recurra.evaluation.compare_paired_losses` for other tasks: ``model``, ``against`` (the best simpler
            model), ``effect`` (fraction by which the mean loss is lower), ``effect_low``, ``effect_high``, ``p_holm``.
            Tests of other models are ignored.
        wording: the task's metric to judge by, and its words.
        memory_adds: tests of recurrent networks that contain a baseline, against the best feed-forward network that
            contains it and against the baseline.
        recurrent: names of the recurrent families.
        minimum_effect: smallest fraction of the loss worth a network's trouble; 0.02 is 2 %.
        effort: how hard the recurrent families were tried; "no" after one configuration reads differently from "no"
            after twenty.

    Returns:
        ``worth_it`` (True, False, None), ``best`` (model with the lowest error, recurrent or not), ``text``
        (a few sentences), and ``effort`` where it was given.

    Raises:
        ValueError: a metric of which more is better, no model with it, a test of a model that is not in the summary.

    Example:
        >>> rows = [{"model": "ets", "mase": 1.0}, {"model": "lstm", "mase": 0.8, "parameters": 900}]
        >>> test = {"model": "lstm", "against": "ets", "effect": 0.2, "p_holm": 0.01}
        >>> test |= {"effect_low": 0.1, "effect_high": 0.3}
        >>> judge(rows, [test], wording=recurra.tasks.Forecast.wording, recurrent=["lstm"])["worth_it"]
        True

    Source: intervals against a smallest effect of interest as in Schuirmann (1987), Journal of
    Pharmacokinetics and Biopharmaceutics 15.
    """
    scored = wording.metric
    if scored.higher_is_better:
        raise ValueError(f"`wording` must have a metric of which less is better. Received: {scored.name!r}")
    ranked = sorted((row for row in summary if _is_number(row.get(scored.name))), key=lambda row: row[scored.name])
    if not ranked:
        raise ValueError(f"`summary` has no model with {scored.in_words()}. Received: {list(summary)}")
    rows = {row["model"]: row for row in ranked}
    tests = [test for test in tests if test["model"] in recurrent]
    strangers = {name for test in tests for name in (test["model"], test["against"])} - set(rows)
    if strangers:
        raise ValueError(f"`tests` name models without {scored.in_words()} in `summary`. Received: {sorted(strangers)}")
    untested = [name for name in rows if name in recurrent and name not in {t["model"] for t in tests}]
    carried = {
        test["model"] for test in memory_adds or () if not (_is_significant(test) and _known(test["effect"]) > 0)
    }
    winners = [test for test in tests if _wins(test, minimum_effect) and test["model"] not in carried]
    worth_it = _decide(tests, winners, minimum_effect, all_tested=not untested)
    sentences = [
        *_story(worth_it, tests, winners, rows, wording=wording, minimum_effect=minimum_effect),
        *memory_in_words(memory_adds or (), rows, scored),
        *_trivial_unbeaten(ranked, minimum_effect, wording=wording),
        *(effort_in_words(effort, worth_it=worth_it) if effort is not None else ()),
    ]
    verdict: Verdict = {
        "worth_it": worth_it,
        "best": ranked[0]["model"],
        "text": " ".join(sentences),
        "samples_needed": None if worth_it is not None else _needed_by_all(tests, minimum_effect),
    }
    if effort is not None:
        verdict["effort"] = effort
    if memory_adds is not None:
        verdict["memory_adds"] = list(memory_adds)
    return verdict


def best_mix(memory_adds: Sequence[TestRow], rows: Mapping[str, SummaryRow], metric: str) -> list[TestRow]:
    """Of tests that say what memory adds, those of the recurrent network with the lowest `metric`."""
    known = [test for test in memory_adds if _is_number(test["effect"]) and test["model"] in rows]
    best = min((test["model"] for test in known), key=lambda name: rows[name][metric], default=None)
    return [test for test in known if test["model"] == best]


def memory_in_words(
    memory_adds: Sequence[TestRow], rows: Mapping[str, SummaryRow], scored: Metric[Any, Any]
) -> list[str]:
    """What memory adds to the simple model, of the best recurrent network that contains it, in a sentence."""
    of_best = best_mix(memory_adds, rows, scored.name)
    if not of_best:
        return []
    against = [f"{_compared(_known(test['effect']))} that of {test['against']}{_interval(test)}" for test in of_best]
    return [f"What memory adds: the {scored.noun} of {of_best[0]['model']} is {' and '.join(against)}."]


def _interval(test: TestRow) -> str:
    low, high = test["effect_low"], test["effect_high"]
    return "" if low is None or high is None else f" (95 % interval {_range(low, high)})"


def effort_in_words(effort: Effort, *, worth_it: bool | None) -> list[str]:
    """How hard the recurrent families were tried, and what of that might change the answer."""
    if not effort["trainings"]:
        return []
    folds = "one fold" if effort["folds"] == 1 else f"each of {effort['folds']} folds"
    how_often = f"with {_counted(effort['seeds'], 'seed')} in {folds}"
    if effort["configs"] == 1:
        tried = f"Of each recurrent family only the default configuration was tried, {how_often}"
        if effort.get("baseline_configs", 1) > 1:
            tried += f" (of a baseline up to {effort['baseline_configs']})"
    else:
        best = (
            f"another than the default was best on validation data in {effort['beat_default']} of {effort['chances']}"
        )
        tried = f"Of each recurrent family {effort['configs']} configurations were tried, {how_often}; {best} choices"
    cut = sum(effort["cut_short"].values())
    if cut:
        were = "was" if cut == 1 else "were"
        by = " or ".join(f"the {_LIMITS[limit]}" for limit, count in effort["cut_short"].items() if count)
        tried += f"; {cut} of {_counted(effort['trainings'], 'training')} {were} ended early, by {by}"
    changes = ["more configurations of each (such as 8)"] if effort["configs"] == 1 else []
    changes += ["longer trainings"] if cut else []
    if worth_it is True or not changes:
        return [f"{tried}."]
    return [f"{tried}. A stronger recurrent network might change the answer: try {' and '.join(changes)}."]


_LIMITS = {"budget": "budget", "max_epochs": "limit of epochs"}


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _decide(
    tests: Sequence[TestRow], winners: Sequence[TestRow], minimum_effect: float, *, all_tested: bool
) -> bool | None:
    if winners:
        return True
    # A family that was not tested might be the one that is worth it.
    if tests and all_tested and all(_hopeless(test, minimum_effect) for test in tests):
        return False
    return None


def _wins(test: TestRow, minimum_effect: float) -> bool:
    return _is_significant(test) and _known(test["effect"]) >= minimum_effect


def _hopeless(test: TestRow, minimum_effect: float) -> bool:
    worse = _is_significant(test) and _known(test["effect"]) < 0
    return worse or _known(test.get("effect_bound", test["effect_high"])) < minimum_effect


def _is_significant(test: TestRow) -> bool:
    return _is_number(test["effect"]) and _known(test["p_holm"]) < SIGNIFICANT


def _story(
    worth_it: bool | None,
    tests: Sequence[TestRow],
    winners: Sequence[TestRow],
    rows: dict[str, SummaryRow],
    *,
    wording: Wording,
    minimum_effect: float,
) -> list[str]:
    """The verdict, the evidence, the price, and what would help."""
    if not tests:
        return ["Cannot tell: no recurrent family was tested against a simpler model."]
    if winners:
        test = max(winners, key=lambda test: _known(test["effect"]))
    else:
        test = min(tests, key=lambda test: rows[test["model"]][wording.metric.name])
    model, other = rows[test["model"]], rows[test["against"]]
    opening = {
        True: f"Yes: {model['model']} is worth its cost on this data.",
        False: f"No: no recurrent family is worth its cost on this data; use {other['model']}.",
        None: f"Cannot tell whether {model['model']}, the best recurrent family, is worth its cost here.",
    }[worth_it]
    story = [opening, _evidence(test, model, other, wording.metric), _price(model, other, wording)]
    if worth_it is not None:
        return story
    return [*story, _help(test, model, other, minimum_effect, wording=wording)]


def _evidence(test: TestRow, model: SummaryRow, other: SummaryRow, scored: Metric[Any, Any]) -> str:
    start = (
        f"{model['model']} has {scored.in_words()} of {_spread(model, scored)} against {_spread(other, scored)}"
        f"{scored.suffix} for {other['model']}, the best simpler model"
    )
    effect, p = _known(test["effect"]), _known(test["p_holm"])
    if math.isnan(effect) or math.isnan(p):
        return f"{start}; whether that is chance could not be tested ({test.get('note') or 'no p-value'})."
    if other[scored.name] == 0:
        return f"{start}, which makes no {scored.noun} at all: nothing can be better."
    return (
        f"{start}: its {scored.noun} is {'as high' if _is_nothing(effect) else _change(effect)} "
        f"(95 % interval: {_range(_known(test['effect_low']), _known(test['effect_high']))}), {_p_in_words(p)}."
    )


def _p_in_words(p: float) -> str:
    if p < 0.001:
        return "p < 0.001 after Holm's correction: practically never a matter of chance"
    digits = f"p = {p:.3f} after Holm's correction"
    if p >= SIGNIFICANT:
        return f"{digits}: chance alone may well do that"
    return f"{digits}: chance alone would do that about {max(round(1000 * p), 1)} times in 1,000"


def _spread(row: SummaryRow, scored: Metric[Any, Any]) -> str:
    value, sd = format(row[scored.name], scored.decimals), row.get(f"{scored.name}_sd")
    return f"{value} ± {format(sd, scored.decimals)}" if _is_number(sd) else value


def _price(model: SummaryRow, other: SummaryRow, wording: Wording) -> str:
    """Parameters, training seconds, prediction milliseconds; as multiples too where the other has them."""
    items = []
    for key, form, unit in (
        ("parameters", ",.0f", "parameters"),
        ("train_seconds", ",.3g", "s of training"),
        ("predict_ms", ",.3g", f"ms per {wording.unit_of_work} in batches"),
    ):
        cost, reference = model.get(key), other.get(key)
        if cost is None or not _is_number(cost):
            continue
        times = f" ({cost / reference:,.3g} times)" if reference and _is_number(reference) else ""
        items.append(f"{format(cost, form)} {unit}{times}")
    if not items:
        return f"The price of {model['model']} was not measured."
    compared = f", compared with {other['model']}" if any("times" in item for item in items) else ""
    return f"The price of {model['model']}: {', '.join(items)}{compared}."


def _help(test: TestRow, model: SummaryRow, other: SummaryRow, minimum_effect: float, *, wording: Wording) -> str:
    """What to do about not knowing."""
    advice, main = wording.more_data, wording.metric.name
    sd = model.get(f"{main}_sd")
    if _is_number(sd) and sd > abs(model[main] - other[main]):
        advice += " and more seeds, since its spread is larger than its distance to the simpler model"
    if (needed := samples_needed(test, minimum_effect)) is not None:
        advice += f"; about {needed:,} in place of {test['n']:,} would do, if effect and spread stay as they are"
    aim = f"an advantage of {_percent(minimum_effect)} that matters from one that doesn't"
    if _is_significant(test) and 0 < _known(test["effect"]) < minimum_effect:
        aim = f"whether its real but small advantage reaches the {_percent(minimum_effect)} that would matter"
        return f"To find out {aim}: {advice}."
    return f"To tell {aim}: {advice}."


def samples_needed(test: TestRow, minimum_effect: float) -> int | None:
    """How many samples would decide with a chance of 80 %, if effect and spread stay as they are.

    An effect below the margin would have to be shown to be below it (one-sided, 5 %), one above to differ from nothing
    (two-sided, 5 %); the standard error falls with the root of the number.

    Returns:
        A number of two digits; None where the test has no interval, or more than 1,000 times as many would be needed.

    Source: Chow, Shao and Wang (2008), Sample size calculations in clinical research, 2nd edition, chapter 3.
    """
    effect, low, high = _known(test["effect"]), _known(test["effect_low"]), _known(test["effect_high"])
    error = max(high - effect, effect - low) / _NORMAL[0.975]
    below = effect < minimum_effect
    distance = minimum_effect - effect if below else effect
    factor = ((_NORMAL[0.95 if below else 0.975] + _NORMAL[0.8]) * error / distance) ** 2 if distance > 0 else math.nan
    if not 0 < factor <= _MOST_TIMES or not test.get("n"):
        return None
    needed = max(factor, 1) * test["n"]
    return int(float(f"{needed:.2g}"))


def _needed_by_all(tests: Sequence[TestRow], minimum_effect: float) -> int | None:
    """What the family that needs most would need, of those that are undecided."""
    undecided = [test for test in tests if not _hopeless(test, minimum_effect)]
    needed = [samples_needed(test, minimum_effect) for test in undecided]
    known = [number for number in needed if number is not None]
    return max(known) if known and len(known) == len(needed) else None


# Quantiles of the normal distribution.
_NORMAL = {0.8: 0.8416, 0.95: 1.6449, 0.975: 1.96}
_MOST_TIMES = 1000


def _trivial_unbeaten(ranked: Sequence[SummaryRow], minimum_effect: float, *, wording: Wording) -> list[str]:
    """Whatever the verdict: that training a network at all was useless.

    On pure noise the best of several models is slightly better than naive by chance, so that does not count.
    """
    scored = wording.metric
    key, decimals = scored.name, scored.decimals
    trained = next((row for row in ranked if row.get("parameters")), None)
    trivial = next((row for row in ranked if row["model"] in wording.trivial), None)
    if trained is None or trivial is None or trained[key] < trivial[key] * (1 - minimum_effect):
        return []
    ahead = f" by the {_percent(minimum_effect)} that would matter" if trained[key] < trivial[key] else ""
    return [
        f"No network beats {trivial['model']}{ahead} ({scored.title} {format(trivial[key], decimals)} "
        f"against {format(trained[key], decimals)} for {trained['model']})."
    ]


def _range(low: float, high: float) -> str:
    """An interval in words, the smaller change first where both go the same way."""
    if low * high <= 0:
        return f"{_change(low)} to {_change(high)}"
    small, large = sorted((abs(low), abs(high)))
    return f"{_percent(small)} to {_change(large if low > 0 else -large)}"


def _is_nothing(effect: float) -> bool:
    """Whether it would be written as 0.0 %, which is neither lower nor higher."""
    return _percent(abs(effect)) == _percent(0)


def _compared(effect: float) -> str:
    return "as high as" if _is_nothing(effect) else f"{_change(effect)} than"


def _change(effect: float) -> str:
    return f"{_percent(abs(effect))} {'lower' if effect > 0 else 'higher'}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


def _known(value: float | None) -> float:
    """A finite number, or NaN, which is neither above nor below anything."""
    return value if value is not None and math.isfinite(value) else math.nan


def _is_number(value: float | None) -> bool:
    return not math.isnan(_known(value))
