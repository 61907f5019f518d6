"""Before a yes: simpler models are tried once more, with other windows and as many settings as recurrent ones had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..models import is_recurrent, known_settings, parse_variant, split_mix
from .trials import Outcome, Trial

if TYPE_CHECKING:
    from .run import Run

# Longer windows than this are no longer a simple model of tags or tokens.
_WIDEST = 64


def try_rivals(run: Run, simpler: Sequence[str], outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[str]]:
    """Try feed-forward networks and the best baseline with more configurations.

    Args:
        run: the comparison.
        simpler: its models without a state, the best first.
        outcomes: of its trials; of a baseline that is chosen anew the former ones are no longer.

    Returns:
        Outcomes of what was tried, and sentences about it; nothing where there is nothing more to try.
    """
    n = run.settings.configs_of_a_family * sum(is_recurrent(name) for name in run.settings.families)
    networks = _try_networks(run, network_variants(run, simpler, n))
    baseline = next((name for name in map(_baseline_of(run), simpler) if name is not None), None)
    chosen_anew = [] if baseline is None else _try_baseline(run, baseline, outcomes, n)
    notes = [_note_on_networks(networks)] if networks else []
    if chosen_anew:
        notes.append(
            f"before a recurrent network was called worth its cost, {n} configurations of {baseline}, the best "
            "baseline, were tried in each fold (or all that it has): as many as of all recurrent families together"
        )
    return [*networks, *chosen_anew], notes


def network_variants(run: Run, simpler: Sequence[str], n: int) -> list[str]:
    """Variants of feed-forward families that were not tried yet.

    All that have a window are tried with others: of forecasts shorter ones, each with and without window normalisation,
    otherwise up to `n` shorter and longer ones. The best family is tried with settings until it has `n` configurations.
    """
    kind, families = run.experiment.task.output_kind, run.settings.families
    found = [name for family in families for name in _window_variants(run, family, n)]
    best = next((split_mix(name)[0] for name in simpler if split_mix(name)[0] in families), None)
    if best is not None:
        configs = run.configs_of(best, 0, n)
        untried = configs[run.settings.configs_of_a_family :]
        found += [_named(best, kind, configs[0], config) for config in untried]
    return [name for name in dict.fromkeys(found) if not is_recurrent(name)]  # outputs that are fed back are a state


def _window_variants(run: Run, name: str, n: int) -> list[str]:
    kind = run.experiment.task.output_kind
    family, own = parse_variant(name, kind)
    if is_recurrent(name) or "window" in own or "window" not in known_settings(family, kind):
        return []
    if kind not in ("forecast", "tags", "next_token"):
        return []  # a window is one of two ways to read a text, and `reading` is among the settings
    sign = "+" if own else ":"
    if kind != "forecast":
        usual = run.configs_of(name, 0, 1)[0]["window"]
        return [f"{name}{sign}window={window}" for window in _around(usual, least=1 if kind == "tags" else 2)[:n]]
    norms = [""] if "window_norm" in own else ["", "+window_norm=none"]
    windows, widest = [], run.experiment.prepare(0).spec.inputs.length
    while widest > 1:
        widest //= 2
        windows.append(widest)
    return [f"{name}{sign}window={window}{norm}" for window in windows for norm in norms]


def _around(usual: int, *, least: int) -> list[int]:
    """Twice a window, half of it, four times, a quarter, ...: as far as there are such."""
    found, factor = [], 2
    while usual * factor <= _WIDEST or usual // factor >= least:
        found += [window for window in (usual * factor, usual // factor) if least <= window <= _WIDEST]
        factor *= 2
    return found


def _named(name: str, kind: str, default: dict[str, Any], config: dict[str, Any]) -> str:
    """The variant with the settings in which a configuration differs from the default."""
    own = parse_variant(name, kind)[1]
    changed = [f"{key}={_written(value)}" for key, value in config.items() if value != default[key]]
    return "+".join([f"{name}{'+' if own else ':'}{changed[0]}", *changed[1:]]) if changed else name


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _try_networks(run: Run, variants: Sequence[str]) -> list[Outcome]:
    """Train variants with the first seed on the first fold, and the best on its validation part on all of them."""
    run.total += len(variants) + (run.n_folds * run.settings.seeds - 1 if variants else 0)
    tried = {name: run.attempt(Trial(name, 0), run.configs_of(name, 0, 1)[0]) for name in variants}
    if not tried:
        return []
    best = min(tried, key=lambda name: tried[name][0].row["validation_loss"])
    places = [(fold, seed) for fold in range(run.n_folds) for seed in range(run.settings.seeds)][1:]
    again = [run.attempt(Trial(best, fold, seed), run.configs_of(best, fold, 1)[0]) for fold, seed in places]
    outcomes = [outcome for found in (*tried.values(), *again) for outcome in found]
    for outcome in outcomes:
        outcome.row["chosen"] = split_mix(outcome.row["model"])[0] == best
    return outcomes


def _note_on_networks(outcomes: Sequence[Outcome]) -> str:
    tried = dict.fromkeys(outcome.row["model"] for outcome in outcomes if outcome.row["kind"] == "family")
    best = next(outcome.row["model"] for outcome in outcomes if outcome.row["chosen"])
    return (
        f"before a recurrent network was called worth its cost, {len(tried)} feed-forward ones with other windows and "
        f"settings were tried on the first fold; the best on its validation part, {best}, takes part in the comparison"
    )


def _baseline_of(run: Run) -> Callable[[str], str | None]:
    """From the name of a model the baseline that it is, or that it is mixed with."""
    return lambda name: name if name in run.settings.baselines else split_mix(name)[1]


def _try_baseline(run: Run, name: str, outcomes: Sequence[Outcome], n: int) -> list[Outcome]:
    """Choose a baseline's configuration anew among `n`, in every fold in which it has more than were tried."""
    found = []
    for fold in range(run.n_folds):
        former = [o for o in outcomes if (o.row["model"], o.row["fold"]) == (name, fold)]
        tried = max((len(o.row.get("configs_tried", ())) or 1 for o in former), default=n)
        if len(run.experiment.prepare(fold).baseline_configs(name, n)) <= tried:
            continue
        run.total += 1
        found.append(run.baseline(name, fold, among=n))
        for outcome in former:
            outcome.row["chosen"] = False
    return found
