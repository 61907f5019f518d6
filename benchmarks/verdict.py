"""How often is the verdict right? Problems of which the truth is known by construction, drawn again and again.

    python benchmarks/verdict.py --draws 20

Each draw is new data and a real comparison with tiny networks. Finished draws are kept in ``--kept`` (a file of JSON
lines), so a run that was stopped goes on where it was, and more ``--draws`` add to those there are. The page says how
often the verdict was right, undecided and wrong, and for how many draws a recurrent network was wrongly called worth
its cost, with the one-sided 95 % bound (Clopper and Pearson) beside the nominal 5 %.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import report
from scipy.stats import beta

import recurra
from recurra.comparison import run as run_module
from recurra.comparison.trainers import Trainers
from recurra.frames import Frame, PanelFrame, TextFrame

Source = pd.DataFrame | Frame
Random = np.random.Generator
YES, NO, OPEN = "yes", "no", "cannot tell"
ANSWERS = {True: YES, False: NO, None: OPEN}
COMMON = {"families": ["linear", "dense", "gru"], "seeds": 1, "folds": 1, "progress": False}
SERIES = {"time": "none", "horizon": 1, "lookback": 8, "season": 1, "baselines": ["naive", "drift"]}
SERIES |= {"test_size": 500, "max_origins": 500, "max_epochs": 40, "patience": 6, "batch_size": 64}
SERIES |= {"config": {"units": 16, "learning_rate": 1e-2}}
PANEL = {"max_epochs": 40, "patience": 8, "batch_size": 32, "config": {"units": 16, "learning_rate": 1e-2}}
TEXTS = {**PANEL, "mix": "auto", "config": {"units": 16, "embedding": 16, "learning_rate": 1e-2}}
ROWS = 1800


@dataclass(frozen=True)
class Problem:
    """Data whose right verdict is known.

    Attributes:
        truth: the right verdict.
        why: why it is.
        draw: makes the data.
        settings: of the comparison, over the common ones.
    """

    truth: str
    why: str
    draw: Callable[[Random], Source]
    settings: dict[str, Any] = field(default_factory=dict)


def recursion(step: Callable[[np.ndarray, int, Random], float], rows: int = ROWS) -> Callable[[Random], pd.DataFrame]:
    """A series in which `step(y, t, random)` gives y[t]."""

    def draw(random: Random) -> pd.DataFrame:
        y = np.zeros(rows + 50)
        for t in range(2, len(y)):
            y[t] = step(y, t, random)
        return pd.DataFrame({"y": y[50:]})

    return draw


def random_walk(drift: float = 0.0, rows: int = ROWS) -> Callable[[Random], pd.DataFrame]:
    """Cumulated noise."""
    return lambda random: pd.DataFrame({"y": np.cumsum(drift + random.normal(size=rows))})


def season(random: Random) -> pd.DataFrame:
    """A pattern of twelve steps and noise."""
    pattern = random.normal(size=12)
    return pd.DataFrame({"y": np.tile(pattern, ROWS // 12) + 0.3 * random.normal(size=ROWS // 12 * 12)})


def trend(random: Random) -> pd.DataFrame:
    """A straight line and noise."""
    return pd.DataFrame({"y": 0.05 * np.arange(ROWS) + random.normal(size=ROWS)})


def volatile(random: Random) -> pd.DataFrame:
    """Noise whose size depends on the one before (ARCH): its mean cannot be predicted."""
    y = np.zeros(ROWS)
    for t in range(1, ROWS):
        y[t] = np.sqrt(0.5 + 0.5 * y[t - 1] ** 2) * random.normal()
    return pd.DataFrame({"y": y})


def tent(y: np.ndarray, t: int, random: Random) -> float:
    """Chaos of one step: the next value is a function of the last one."""
    last = y[t - 1] or random.random()
    return float(np.clip(1 - abs(1 - 1.9 * last) + 0.01 * random.normal(), 0.01, 0.99))


def latched(random: Random) -> pd.DataFrame:
    """The level was set by the last marker, up to 40 steps ago; what is seen in between is noise."""
    marker = (random.random(ROWS) < 0.05).astype(float) * random.choice([-1.0, 1.0], size=ROWS)
    level, y = 1.0, np.zeros(ROWS)
    for t in range(1, ROWS):
        level = marker[t - 1] or level
        y[t] = level * (t % 3 == 0) + 0.1 * random.normal()
    return pd.DataFrame({"y": y, "marker": marker, "phase": [f"p{t % 3}" for t in range(ROWS)]})


def panel(n: int, label: Callable[[np.ndarray, Random], Any], task: str, *, steps: tuple[int, int] = (10, 11)) -> Any:
    """Sequences of noise, and a target that is a function of each."""

    def draw(random: Random) -> PanelFrame:
        values = [random.normal(size=(int(random.integers(*steps)), 2)) for _ in range(n)]
        return PanelFrame.from_arrays(values, [label(v, random) for v in values], task=task)

    return draw


def bits(n: int, tags: Callable[[np.ndarray], np.ndarray], rate: float, steps: int) -> Callable[[Random], PanelFrame]:
    """Sequences of zeros and ones, and a tag for every step."""

    def draw(random: Random) -> PanelFrame:
        values = [(random.random((steps, 1)) < rate).astype(float) for _ in range(n)]
        return PanelFrame.from_arrays(values, [tags(v[:, 0]).tolist() for v in values], task="tagging")

    return draw


def marks(random: Random) -> PanelFrame:
    """The tag of a step is the class of the last mark, which lies up to forty steps back."""
    values, tags = [], []
    for _ in range(150):
        mark = (random.random(40) < 0.08) * random.choice([-1, 1], size=40)
        mark[0] = random.choice([-1, 1])
        places = np.maximum.accumulate(np.where(mark != 0, np.arange(40), 0))
        values.append(mark[:, None].astype(float))
        tags.append([("low", "high")[int(mark[place] > 0)] for place in places])
    return PanelFrame.from_arrays(values, tags, task="tagging")


def marked_sum(random: Random) -> PanelFrame:
    """The sum of the two values that are marked (adding, Hochreiter and Schmidhuber 1997)."""
    values, sums = [], []
    for _ in range(900):
        n = int(random.integers(12, 20))
        v = np.stack([random.uniform(-1, 1, n), np.zeros(n)], axis=1)
        v[random.choice(n, 2, replace=False), 1] = 1
        values.append(v)
        sums.append(float(v[v[:, 1] == 1, 0].sum()))
    return PanelFrame.from_arrays(values, sums, task="regression")


def words(n: int, label: Callable[[list[str]], bool], special: tuple[str, ...]) -> Callable[[Random], TextFrame]:
    """Texts of noise words with some special ones at random places."""

    def draw(random: Random) -> TextFrame:
        rows = []
        for _ in range(n):
            text = [f"w{i}" for i in random.integers(40, size=int(random.integers(8, 16)))]
            for word in random.permutation(special):
                text.insert(int(random.integers(len(text) + 1)), str(word))
            rows.append({"text": " ".join(text), "label": ("no", "yes")[int(label(text))]})
        return TextFrame.from_table(pd.DataFrame(rows), text="text", label="label")

    return draw


def opinion(random: Random) -> TextFrame:
    """A good or a bad word somewhere."""
    rows = []
    for _ in range(500):
        good = random.random() < 0.5
        text = [f"w{i}" for i in random.integers(40, size=10)]
        text[int(random.integers(10))] = "good" if good != (random.random() < 0.1) else "bad"
        rows.append({"text": " ".join(text), "label": ("no", "yes")[int(good)]})
    return TextFrame.from_table(pd.DataFrame(rows), text="text", label="label")


WINDOW = "the last {} steps tell all that can be told, so a window holds it"
PROBLEMS: dict[str, Problem] = {
    "white noise": Problem(NO, "nothing can be predicted", lambda r: pd.DataFrame({"y": r.normal(size=ROWS)})),
    "random walk": Problem(NO, "the last value is the best forecast", random_walk()),
    "random walk with drift": Problem(NO, "the last value and the drift are the best forecast", random_walk(0.2)),
    "pure season": Problem(
        NO,
        "the season is the best forecast",
        season,
        {"lookback": 24, "season": 12, "baselines": ["naive", "seasonal_naive", "theta", "ets"]},
    ),
    "trend": Problem(NO, "a line is linear in any two steps", trend),
    "AR(1)": Problem(NO, WINDOW.format(1), recursion(lambda y, t, r: 0.7 * y[t - 1] + r.normal())),
    "AR(2)": Problem(NO, WINDOW.format(2), recursion(lambda y, t, r: 0.5 * y[t - 1] - 0.6 * y[t - 2] + r.normal())),
    "threshold AR, lookback 8": Problem(
        NO, WINDOW.format(1), recursion(lambda y, t, r: 0.9 * abs(y[t - 1]) - 1 + 0.5 * r.normal())
    ),
    "threshold AR, lookback 24": Problem(
        NO, WINDOW.format(1), recursion(lambda y, t, r: 0.9 * abs(y[t - 1]) - 1 + 0.5 * r.normal()), {"lookback": 24}
    ),
    "ARCH": Problem(NO, "the mean cannot be predicted", volatile),
    "tent map": Problem(NO, WINDOW.format(1), recursion(tent)),
    "quadratic AR(2)": Problem(
        NO, WINDOW.format(2), recursion(lambda y, t, r: 0.8 * np.tanh(y[t - 1] * y[t - 2]) + r.normal())
    ),
    "mean of a sequence": Problem(
        NO, "a weighted sum of the steps", panel(300, lambda v, _: int(v[:, 0].mean() > 0), "classification"), PANEL
    ),
    "last step": Problem(NO, WINDOW.format(1), panel(300, lambda v, _: int(v[-1, 0] > 0), "classification"), PANEL),
    "labels by chance": Problem(
        NO,
        "nothing can be predicted",
        panel(1500, lambda _, r: int(r.integers(2)), "classification"),
        {**PANEL, "max_epochs": 10},
    ),
    "sum of steps": Problem(
        NO, "linear", panel(300, lambda v, r: float(v.sum() + 0.5 * r.normal()), "regression"), PANEL
    ),
    "tag of the step": Problem(
        NO, WINDOW.format(1), bits(100, lambda b: np.where(b > 0, "one", "zero"), 0.5, 20), PANEL
    ),
    "tag of three steps": Problem(
        NO,
        WINDOW.format(3),
        bits(100, lambda b: (b + np.r_[0, b[:-1]] + np.r_[0, 0, b[:-2]] >= 2).astype(int), 0.5, 20),
        PANEL,
    ),
    "a word of opinion": Problem(NO, "the bag of words holds the word", opinion, TEXTS),
    "order of two words": Problem(
        YES,
        "the bag is the same in both classes, and the words stand anywhere",
        words(700, lambda text: text.index("first") < text.index("second"), ("first", "second")),
        TEXTS,
    ),
    "running parity": Problem(
        YES, "a step's tag needs all bits before it", bits(200, lambda b: np.cumsum(b).astype(int) % 2, 0.5, 20), PANEL
    ),
    "last mark": Problem(YES, "the mark lies further back than a tagger's window", marks, PANEL),
    "marked sum": Problem(
        YES,
        "what is to be added stands anywhere, so a sum of products is needed at every place",
        marked_sum,
        {**PANEL, "max_epochs": 80, "loss": "mse"},
    ),
    "latched level": Problem(
        YES,
        "the level was set before the window begins",
        latched,
        {
            "target": ["y"],
            "past_covariates": ["marker"],
            "future_covariates": ["phase"],
            "max_epochs": 40,
            "lookback": 40,
            "config": {"units": 16, "learning_rate": 1e-2, "segment_length": 1, "window_norm": "none"},
        },
    ),
    "labels by chance, 60 sequences": Problem(
        OPEN, "a dozen examples tell nothing", panel(60, lambda _, r: int(r.integers(2)), "classification"), PANEL
    ),
}


def verdict_of(name: str, draw: int) -> dict[str, Any]:
    """One draw of a problem: the verdict and what it took."""
    problem, begun = PROBLEMS[name], time.monotonic()
    source = problem.draw(np.random.default_rng([zlib.crc32(name.encode()), draw]))
    settings = {**COMMON, **(SERIES if isinstance(source, pd.DataFrame) else {}), **problem.settings}
    found = recurra.compare(source, **settings)
    return {
        "problem": name,
        "draw": draw,
        "verdict": ANSWERS[found.verdict["worth_it"]],
        "against": found.test_rows[0]["against"] if found.test_rows else None,
        "effect": found.test_rows[0]["effect"] if found.test_rows else None,
        "samples_needed": found.verdict["samples_needed"],
        "seconds": time.monotonic() - begun,
    }


def summarised(draws: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per problem."""
    rows = []
    for name, problem in PROBLEMS.items():
        found = [draw["verdict"] for draw in draws if draw["problem"] == name]
        if not found:
            continue
        right, undecided = found.count(problem.truth), found.count(OPEN) if problem.truth != OPEN else 0
        rows.append(
            {
                "problem": name,
                "truth": problem.truth,
                "why": problem.why,
                "draws": len(found),
                "right": right,
                "undecided": undecided,
                "wrong": len(found) - right - undecided,
                "wrong yes": found.count(YES) if problem.truth != YES else 0,
                "seconds per draw": float(np.mean([d["seconds"] for d in draws if d["problem"] == name])),
            }
        )
    return rows


def totals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The error rates over all problems of one truth; of a wrong yes with the one-sided 95 % bound."""
    found = []
    for truth in (NO, YES, OPEN):
        own = [row for row in rows if row["truth"] == truth]
        n = sum(row["draws"] for row in own)
        if not n:
            continue
        wrong = sum(row["wrong yes"] for row in own)
        bound = 1.0 if wrong == n else float(beta.ppf(0.95, wrong + 1, n - wrong))
        shares = {key: sum(row[key] for row in own) / n for key in ("right", "undecided", "wrong")}
        line = {"truth": truth, "problems": len(own), "draws": n, **shares}
        found.append(line if truth == YES else {**line, "wrong yes": wrong / n, "at most (95 %)": bound})
    return found


def share_trainers() -> Callable[[str], None]:
    """Compile a problem's networks once for all its draws; a draw differs in data alone, and weights are drawn anew."""
    kept: dict[str, Trainers] = {}
    current = [""]
    run_module.Trainers = lambda task, settings: kept.setdefault(current[0], Trainers(task, settings))

    def begin(name: str) -> None:
        current[0] = name
        kept.clear()

    return begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20, help="of each problem, those kept included")
    parser.add_argument("--only", nargs="*", default=[], choices=[*PROBLEMS], metavar="PROBLEM", help="these problems")
    parser.add_argument("--kept", type=Path, default=Path("runs/verdict.jsonl"), help="file of finished draws")
    parser.add_argument("--no-page", action="store_true", help="print the figures and write no page")
    arguments = parser.parse_args()
    arguments.kept.parent.mkdir(parents=True, exist_ok=True)
    lines = arguments.kept.read_text(encoding="utf-8").splitlines() if arguments.kept.exists() else []
    draws = [json.loads(line) for line in lines]
    done, begin = {(draw["problem"], draw["draw"]) for draw in draws}, share_trainers()
    for name in arguments.only or PROBLEMS:
        begin(name)
        for number in range(arguments.draws):
            if (name, number) in done:
                continue
            draws.append(verdict_of(name, number))
            print(draws[-1], flush=True)
            with arguments.kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(draws[-1]) + "\n")
    rows = summarised(draws)
    if arguments.no_page:
        print("\n".join(report.table(totals(rows)) + report.table(rows)))
        return
    notes = [
        "The truth holds by construction. Networks are tiny (16 units) and trained once; each draw is new data and one "
        "fold with a test set of its own.",
        "undecided: the verdict is cannot tell where the truth is yes or no. wrong yes: a recurrent network is called "
        "worth its cost where it is not; at most: one-sided 95 % bound of its rate (Clopper and Pearson).",
        "Where the truth is cannot tell, there are too few samples to decide; a no there is counted as wrong.",
    ]
    report.write(
        "verdict", "How often the verdict is right", {"by truth": totals(rows), "by problem": rows}, notes=notes
    )


if __name__ == "__main__":
    main()
