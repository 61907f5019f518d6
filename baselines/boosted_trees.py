"""Gradient-boosted trees for forecasts, on lags, covariates and the place in the season."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..grid import Grid
from .graph_ops import GraphConstants, run_eagerly
from .many_series import ManySeries
from .scaling import fill_gaps
from .series_rows import SeriesRows

if TYPE_CHECKING:
    import tensorflow as tf

GRID: Grid = {"lags": [24, 8], "max_leaf_nodes": [15, 31, 7], "learning_rate": [0.1, 0.05]}
TREES, MAX_DEPTH = 100, 8
# Pairs of a window and a step ahead that are learnt from: a fit takes a second or two.
MAX_ROWS = 20_000
# With fewer, or with a history too short for a window, it is the last value.
FEWEST_ROWS = 40
# Pairs that are predicted at once.
CHUNK = 50_000
_DAY, _YEAR = 86_400, 31_556_952


def forecast_trees(
    rows: SeriesRows, origins: Sequence[np.ndarray], *, horizon: int, season: int, window: int, **config: Any
) -> list[np.ndarray]:
    """Forecasts of :func:`fit_trees`, learnt from the rows before the first origin of each series."""
    fitted = fit_trees(
        rows.head([known[0] if len(known) else 0 for known in origins]),
        horizon=horizon,
        season=season,
        window=window,
        **config,
    )
    found = fitted.predict(rows.windows(origins, window=window, horizon=horizon))["forecast"]
    by_series = np.split(found, np.cumsum([len(known) for known in origins])[:-1])
    for values, known, forecasts in zip(rows.values, origins, by_series, strict=True):
        for target in range(rows.targets):  # a window without any value: what was known before it
            last = ManySeries.of_one(values[:, target], known).known(known[:, None] - 1)
            forecasts[:, :, target] = np.where(np.isnan(forecasts[:, :, target]), last, forecasts[:, :, target])
    return by_series


def fit_trees(
    rows: SeriesRows,
    *,
    horizon: int,
    season: int,
    window: int,
    lags: int = 24,
    max_leaf_nodes: int = 15,
    learning_rate: float = 0.1,
) -> BoostedTrees:
    """Fit gradient-boosted regression trees to windows of all series together.

    One model for each target, and one for all steps ahead: the step is an input, so no forecast is read again, and no
    error with it. What it reads: the newest `lags` values, the values one and two seasons before the step, the mean of
    the window, the newest value of every other channel, the covariates known ahead of the step, its place in the
    season, and with a calendar hour, weekday and day of the year. Values of the target are differences to the newest
    one (with several series in units of the window's standard deviation), because a tree cannot leave the range that it
    has seen. Gaps are filled as for networks. Trained on absolute errors.

    Arguments:
        rows: all known rows.
        horizon: steps to forecast.
        season: rows of one cycle, 1 for none.
        window: rows that are read.
        lags: newest values read, at most the window.
        max_leaf_nodes: leaves of a tree.
        learning_rate: weight of each of 100 trees.

    Returns:
        A fitted baseline, a graph.

    Source: Friedman (2001), Greedy function approximation: a gradient boosting machine, Annals of Statistics 29; grown
    by scikit-learn's HistGradientBoostingRegressor.
    """
    shape = {"horizon": horizon, "season": season, "targets": rows.targets, "lags": min(lags, window)}
    layout = {**shape, "many": len(rows.values) > 1, "ahead": rows.ahead}
    reader = BoostedTrees(layout, [{} for _ in range(rows.targets)])
    starts = [np.arange(window, len(values)) for values in rows.values]
    n = sum(map(len, starts))
    pairs = _some_pairs(n, horizon)
    if not len(pairs):
        return reader
    windows = np.unique(pairs[:, 0])
    chosen, before = [], 0
    for known in starts:
        mine = windows[(windows >= before) & (windows < before + len(known))] - before
        chosen.append(known[mine])
        before += len(known)
    raw = rows.windows(chosen, window=window, horizon=horizon)
    truth = np.concatenate(
        [
            np.pad(values[:, : rows.targets], ((0, horizon), (0, 0)), constant_values=np.nan)[
                known[:, None] + np.arange(horizon)
            ]
            for values, known in zip(rows.values, chosen, strict=True)
        ]
    )  # (windows, horizon, targets)
    place = np.searchsorted(windows, pairs[:, 0]) * horizon + pairs[:, 1]
    forests = []
    for target in range(rows.targets):
        features, offset, unit = reader.features(raw, target)
        wanted = ((truth[:, :, target] - offset) / unit).reshape(-1)[place]
        kept = np.isfinite(wanted)
        forests.append(
            _grow(features.reshape(-1, features.shape[-1])[place][kept], wanted[kept], max_leaf_nodes, learning_rate)
        )
    return BoostedTrees(layout, forests)


def _some_pairs(windows: int, horizon: int) -> np.ndarray:
    """Pairs of a window and a step ahead (pairs, 2): all of them, or so many drawn at random."""
    n = windows * horizon
    chosen = np.arange(n)
    if n > MAX_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(n, MAX_ROWS, replace=False))
    return np.stack([chosen // horizon, chosen % horizon], axis=1)


def _grow(features: np.ndarray, wanted: np.ndarray, max_leaf_nodes: int, learning_rate: float) -> dict[str, np.ndarray]:
    """Trees as arrays (trees, nodes), and what they are added to; nothing where there is too little to learn from."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    if len(wanted) < FEWEST_ROWS or np.ptp(wanted) == 0:
        return {}
    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        learning_rate=learning_rate,
        max_iter=TREES,
        max_leaf_nodes=max_leaf_nodes,
        max_depth=MAX_DEPTH,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(limits=1):  # sums over threads depend on their number, and so would the trees
        model.fit(features, wanted)
    return trees_as_arrays(model)


def trees_as_arrays(model: Any) -> dict[str, np.ndarray]:
    """A fitted HistGradientBoostingRegressor of numbers as arrays: ``start`` (1,), all others (trees, nodes)."""
    trees = [of_iteration[0].nodes for of_iteration in model._predictors]
    most = max(map(len, trees))
    names = {"feature_idx": np.int32, "num_threshold": float, "left": np.int32, "right": np.int32, "value": float}
    names |= {"missing_go_to_left": bool, "is_leaf": bool}
    arrays = {
        name: np.stack([np.pad(nodes[name], (0, most - len(nodes))) for nodes in trees]).astype(dtype)
        for name, dtype in names.items()
    }
    start = np.asarray(model._baseline_prediction, dtype=float).reshape(1)
    return {"start": start, **arrays}


class BoostedTrees:
    """Trees for each target, on windows.

    Args:
        layout: ``horizon``, ``season``, ``targets``, ``lags``, ``ahead`` (channels known ahead) and whether there are
            ``many`` series.
        forests: for each target its arrays, or none where it is the last value.
    """

    kind = "boosted_trees"
    why_no_graph = None

    def __init__(self, layout: Mapping[str, Any], forests: Sequence[Mapping[str, np.ndarray]]) -> None:
        self.layout, self.forests = dict(layout), [dict(forest) for forest in forests]
        self._constants = [GraphConstants(**forest) for forest in self.forests]

    def features(self, raw: Mapping[str, np.ndarray], target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the trees of a target read (windows, horizon, features); its newest value and unit (windows, 1)."""
        return tuple(part.numpy() for part in self._read(_tensors(raw), target))

    def _read(self, raw: Mapping[str, tf.Tensor], target: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        import tensorflow as tf

        horizon, season, many = (self.layout[name] for name in ("horizon", "season", "many"))
        filled = fill_gaps(tf.cast(raw["values"], tf.float64))
        own, window = filled[:, :, target], filled.shape[1]
        offset = own[:, -1:]  # (batch, 1)
        unit = tf.math.reduce_std(own, axis=1, keepdims=True) if many else tf.ones_like(offset)
        unit = tf.where(unit > 0, unit, tf.ones_like(unit))
        own = (own - offset) / unit
        others = tf.concat([filled[:, -1, :target], filled[:, -1, target + 1 :]], axis=1)
        alike = [own[:, -self.layout["lags"] : -1], tf.reduce_mean(own, axis=1, keepdims=True), others]
        alike += [] if many else [offset]  # the level of one series; those of many have none in common
        same = tf.concat(alike, axis=1)  # the same for all steps ahead
        columns = [tf.repeat(same[:, None], horizon, axis=1)]
        steps = np.arange(horizon)
        for cycles in (1, 2):
            back = window + steps - season * (steps // season + cycles)
            if season > 1 and back.min() >= 0:
                columns.append(tf.gather(own, back, axis=1)[:, :, None])
        if self.layout["ahead"]:
            columns.append(tf.cast(raw["future"], tf.float64))
        columns += [place[:, :, None] for place in self._places(raw, tf.shape(own)[0])]
        return tf.concat(columns, axis=2), offset, unit

    def _places(self, raw: Mapping[str, tf.Tensor], batch: tf.Tensor) -> list[tf.Tensor]:
        """Where each step ahead lies: how far, in the season, on the calendar; float64 (batch, horizon) each."""
        import tensorflow as tf

        steps, season = tf.range(self.layout["horizon"], dtype=tf.int64), self.layout["season"]
        places = [tf.repeat(steps[None], batch, axis=0)]
        if season > 1:
            places.append((raw["step"][:, None] + 1 + steps) % season)
        if "time" in raw:
            seconds = raw["time"][:, -self.layout["horizon"] :]
            places += [seconds % _DAY, (seconds // _DAY + 3) % 7, seconds % _YEAR // _DAY]
        return [tf.cast(place, tf.float64) for place in places]

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph on arrays, some windows at once."""
        size = max(1, CHUNK // self.layout["horizon"])
        n = len(raw["values"])
        parts = [
            run_eagerly(self.graph, {name: array[i : i + size] for name, array in raw.items()}, **_DTYPES)["forecast"]
            for i in range(0, max(n, 1), size)
        ]
        return {"forecast": np.concatenate(parts)}

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """``values`` and what else it reads → ``forecast`` (batch, horizon, targets); NaN where a window is empty."""
        import tensorflow as tf

        found = []
        for target, constants in enumerate(self._constants):
            features, offset, unit = self._read(raw, target)
            if not self.forests[target]:
                found.append(tf.repeat(offset, self.layout["horizon"], axis=1))
                continue
            rows = tf.reshape(features, [-1, features.shape[-1]])
            ahead = tf.reshape(descend(constants, rows), [-1, self.layout["horizon"]])
            found.append(offset + unit * ahead)
        return {"forecast": tf.stack(found, axis=2)}

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """``step`` where there is a season."""
        import tensorflow as tf

        return {"step": tf.TensorSpec([None], tf.int64, name="step")} if self.layout["season"] > 1 else {}

    def resources(self) -> list[Any]:
        """The trees."""
        return [variable for constants in self._constants for variable in constants.resources()]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        arrays = {f"{i}_{name}": array for i, forest in enumerate(self.forests) for name, array in forest.items()}
        return {"kind": self.kind, "layout": self.layout}, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> BoostedTrees:
        """What :meth:`state` described."""
        forests: list[dict[str, np.ndarray]] = [{} for _ in range(config["layout"]["targets"])]
        for key, array in arrays.items():
            target, _, name = key.partition("_")
            forests[int(target)][name] = array
        return cls(config["layout"], forests)

    def __repr__(self) -> str:
        return f"boosted_trees, {self.layout['horizon']} steps ahead"


def descend(trees: GraphConstants, rows: tf.Tensor) -> tf.Tensor:
    """Sums of all trees for rows float64 (rows, features): (rows,)."""
    import tensorflow as tf

    names = ("feature_idx", "num_threshold", "left", "right", "value", "missing_go_to_left", "is_leaf")
    feature, threshold, left, right, value, missing, leaf = (tf.reshape(trees[name].value(), [-1]) for name in names)
    shape = tf.shape(trees["left"])
    roots = tf.range(shape[0]) * shape[1]
    node = tf.repeat(roots[None], tf.shape(rows)[0], axis=0)  # (rows, trees)
    for _ in range(MAX_DEPTH):
        read = tf.gather(rows, tf.gather(feature, node), batch_dims=1)
        goes_left = tf.where(tf.math.is_nan(read), tf.gather(missing, node), read <= tf.gather(threshold, node))
        child = roots + tf.where(goes_left, tf.gather(left, node), tf.gather(right, node))
        node = tf.where(tf.gather(leaf, node), node, child)
    return trees["start"].value()[0] + tf.reduce_sum(tf.gather(value, node), axis=1)


_DTYPES = {"future": "float64", "time": "int64"}


def _tensors(raw: Mapping[str, np.ndarray]) -> dict[str, tf.Tensor]:
    import tensorflow as tf

    return {name: tf.convert_to_tensor(array) for name, array in raw.items()}
