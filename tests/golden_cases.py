"""Small fixed data of every task, and what is predicted from them: what the golden outputs were made of."""

import numpy as np
import pandas as pd

from recurra.frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame


def wave():
    random = np.random.default_rng(1)
    steps = np.arange(120)
    y = 20 + 0.05 * steps + 3 * np.sin(steps * np.pi / 6) + 0.3 * random.normal(size=120)
    y[[7, 40, 41, 95]] = np.nan
    return pd.DataFrame({"month": pd.date_range("2010-01-01", periods=120, freq="MS"), "y": y})


def shops():
    random = np.random.default_rng(2)
    parts = []
    for i, shop in enumerate(["north", "south", "west"]):
        n = 70 + 5 * i
        price = 2 + random.random(n)
        holiday = (np.arange(n) % 7 == 0).astype(float)
        units = (10**i) * (5 + 2 * holiday - price + 0.2 * random.normal(size=n))
        sky = np.where(random.random(n) < 0.5, "clear", "rain")
        parts.append(
            pd.DataFrame(
                {
                    "shop": shop,
                    "day": pd.date_range("2020-01-01", periods=n, freq="D"),
                    "units": units + 20.0,
                    "visits": 2 * units + 30.0,
                    "price": price,
                    "sky": sky,
                    "holiday": holiday,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


WORDS = {
    "pos": ["good", "great", "fine", "lovely", "bright", "happy"],
    "neg": ["bad", "awful", "poor", "gloomy", "dull", "sad"],
    "neu": ["plain", "usual", "common", "middling", "grey", "even"],
}
FILL = ["the", "a", "film", "was", "very", "and", "with", "of", "it", "seemed", ",", ".", "to", "some", "people"]


def texts(n=90):
    random = np.random.default_rng(3)
    rows = []
    for i in range(n):
        label = ("pos", "neg", "neu")[i % 3]
        words = list(random.choice(FILL, size=int(random.integers(4, 12)))) + list(random.choice(WORDS[label], size=2))
        random.shuffle(words)
        rows.append(
            {
                "text": " ".join(words),
                "label": label,
                "stars": {"pos": 5.0, "neg": 1.0, "neu": 3.0}[label] + 0.1 * (i % 4),
            }
        )
    return pd.DataFrame(rows)


def panel(n=40):
    random = np.random.default_rng(4)
    values, label, level = [], [], []
    for i in range(n):
        length = int(random.integers(6, 14))
        speed = 0.5 if i % 2 else 1.5
        x = np.stack([np.sin(speed * np.arange(length)), random.normal(size=length)], axis=1)
        if i % 9 == 0:
            x[2, 1] = np.nan
        values.append(x)
        label.append("slow" if i % 2 else "fast")
        level.append(float(speed + np.nanmean(x)))
    return values, label, level


def tagged(n=40):
    random = np.random.default_rng(5)
    rows = []
    for _ in range(n):
        tokens = list(random.choice(["(", "a", "b", ")", "c"], size=int(random.integers(4, 10))))
        depth, tags = 0, []
        for token in tokens:
            depth += (token == "(") - (token == ")")
            tags.append("in" if depth > 0 else "out")
        rows.append({"tokens": [str(t) for t in tokens], "tags": tags})
    return rows


def tagged_values(n=30):
    random = np.random.default_rng(6)
    values, tags = [], []
    for _ in range(n):
        x = random.integers(0, 2, size=(int(random.integers(5, 10)), 1)).astype(float)
        values.append(x)
        tags.append((np.cumsum(x[:, 0]) % 2).astype(int).tolist())
    return values, tags


def corpus():
    random = np.random.default_rng(7)
    who, what, where = (
        ["the cat", "a dog", "the old man", "my sister"],
        ["sat", "ran", "slept", "sang"],
        ["on the mat", "in the rain", "by the sea"],
    )
    return " . ".join(f"{random.choice(who)} {random.choice(what)} {random.choice(where)}" for _ in range(260))


def lines(n=60):
    random = np.random.default_rng(8)
    rows = []
    for i in range(n):
        ends = ("ski", "ov") if i % 2 else ("ini", "elli")
        rows.append(
            {
                "name": "".join(random.choice(list("abdekmorst"), size=4)) + str(random.choice(ends)),
                "origin": "east" if i % 2 else "south",
            }
        )
    return pd.DataFrame(rows)


SMALL = {"folds": 2, "seeds": 1, "max_epochs": 2, "config": {"units": 4}, "configs": 1, "refit_folds": "none"}


def continued_shops():
    """The shops, and what is known of the two days after their end."""
    table = shops()
    ahead = table.groupby("shop").tail(2).copy()
    ahead["day"] += pd.Timedelta(days=2)
    ahead[["units", "visits", "price"]] = np.nan
    ahead["sky"] = None
    return shop_frame(pd.concat([table, ahead]))


def shop_frame(table):
    roles = {"past_covariates": ["price", "sky"], "future_covariates": ["holiday"]}
    return SeriesFrame.from_table(table, time="day", target=["units", "visits"], id="shop", **roles)


def cases():
    """Name → frame, settings, and what is predicted."""
    values, label, level = panel()
    steps, tags = tagged_values()
    some = list(texts()["text"][:6])
    wave_frame = SeriesFrame.from_table(wave(), time="month", target="y")
    window = {"horizon": 3, "lookback": 24, "season": 12, "calendar": ("year",), "seeds": 2}
    every = {
        "families": ["linear", "dense", "simple_rnn", "gru", "lstm"],
        "baselines": ["naive", "seasonal_naive", "naive2", "drift", "theta", "ets"],  # those there were then
    }
    many = {"horizon": 2, "lookback": 8, "season": 7, "transform": "log", "baselines": ["naive", "seasonal_naive"]}
    classes = {"families": ["dense", "gru"], "baselines": ["majority", "logistic_flattened"]}
    language = {"task": "language-model", "families": ["linear", "dense", "lstm"], "mix": "none"}
    lined = {"task": "language-model", "tokens": "char", "families": ["gru"], "mix": "none"}
    token_frame = TextFrame.from_records(tagged(), text="tokens", tags="tags")
    text_frame = TextFrame.from_table(texts(), text="text", label="label")
    star_frame = TextFrame.from_table(texts(), text="text", value="stars")
    name_frame = TextFrame.from_table(lines(), text="name", label="origin")
    tag_frame = PanelFrame.from_arrays(steps, tags, task="tagging")
    return {
        "forecast": (wave_frame, {**window, **every}, wave_frame),
        "forecast_many": (shop_frame(shops()), {**many, "families": ["linear", "gru"]}, continued_shops()),
        "text_classification": (text_frame, {"families": ["linear", "dense", "lstm"], "mix": "none"}, some),
        "panel_classification": (PanelFrame.from_arrays(values, label), classes, values[:5]),
        "text_regression": (star_frame, {"families": ["dense", "simple_rnn"]}, some),
        "panel_regression": (PanelFrame.from_arrays(values, level), {"families": ["linear", "lstm"]}, values[:5]),
        "token_tagging": (
            token_frame,
            {"families": ["linear", "dense:feedback=1", "gru"]},
            [row["tokens"] for row in tagged()[:4]],
        ),
        "value_tagging": (tag_frame, {"families": ["dense", "lstm"]}, steps[:4]),
        "language_corpus": (
            CorpusFrame.from_text(text=corpus(), source="corpus"),
            {**language, "bptt_steps": 12, "parallel_streams": 4},
            ["the cat sat", "a dog"],
        ),
        "language_lines": (name_frame, lined, None),
    }
