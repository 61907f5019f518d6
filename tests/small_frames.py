"""Small data on which baselines and networks are joined; see test_mixes.py and test_offset.py."""

import numpy as np
import pandas as pd

from recurra.frames import PanelFrame


def sentences(n=120):
    """A table of texts whose last word says the class and the number."""
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(30)]
    labels = rng.integers(2, size=n)
    texts = [" ".join([*rng.choice(words, 6), "good" if y else "bad"]) for y in labels]
    return pd.DataFrame({"text": texts, "label": np.where(labels, "pos", "neg"), "stars": labels + 1.5})


def panel(task):
    """Sequences of three to six steps; what is asked for is the sign of each step, their sum, or its sign."""
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(n, 2)) for n in rng.integers(3, 7, size=90)]
    if task == "tagging":
        return PanelFrame.from_arrays(values, [["up" if x > 0 else "down" for x in v[:, 0]] for v in values], task=task)
    totals = [float(v.sum()) for v in values]
    return PanelFrame.from_arrays(values, totals if task == "regression" else [int(t > 0) for t in totals], task=task)
