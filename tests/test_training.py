"""Training: the same from the same seed, stopped in time, resumed after a kill; and what a predictor keeps."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from recurra import models
from recurra.comparison import compare
from recurra.errors import InputError
from recurra.frames import SeriesFrame
from recurra.pipelines import RowRange, SeriesPipeline, single_split
from recurra.pipelines.window_batches import WindowBatches
from recurra.predictor import Predictor
from recurra.predictor.forecast import ForecastNetwork, ForecastSchema
from recurra.training import Elementwise, FitOptions, Trainer, predict_batches
from recurra.training.averaged_adam import AveragedAdam
from recurra.training.halving import better_half, rounds
from recurra.training.learning_rates import CANDIDATES

NAN = np.nan
EPOCHS = 5


class Job:
    """A frame, cut and scaled, and the arguments of a training on it."""

    def __init__(self, *columns):
        n = len(columns[0])
        ids = np.repeat([f"s{i}" for i in range(len(columns))], n)
        table = pd.DataFrame({"unique_id": ids, "y": np.concatenate(columns)})
        self.frame = SeriesFrame.from_table(table, time="none", id="unique_id")
        self.fold = single_split(self.frame, horizon=2, lookback=8, validation_size=20)
        self.pipeline = SeriesPipeline(lookback=8, horizon=2).fit(self.frame, self.fold.train)
        self.train = self.batches(self.fold.train)
        self.validation = self.batches(self.fold.validation)
        self.arguments = (self.train, self.validation)

    def batches(self, selection):
        return self.pipeline.batches(self.pipeline.encode(self.frame), selection)

    def trainer(self, family="linear", **options):
        # with dropout, whose random numbers must be resumed too
        config = {} if family == "linear" else {"units": 4, "segment_length": 2, "dropout": 0.3}
        options = {"max_epochs": EPOCHS, "batch_size": 16, "learning_rate": 0.01} | options
        return Trainer(lambda: models.build(family, self.pipeline.spec, **config), **options)


def wave(n=120, seed=0, missing=0.0):
    random = np.random.default_rng(seed)
    y = 10 + np.sin(np.arange(n) / 3) + random.normal(0, 0.3, size=n)
    return np.where(random.random(n) < missing, NAN, y)


def weights_of(trainer):
    return [v.numpy() for v in trainer.model.variables]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def job():
    return Job(wave())


@pytest.fixture(scope="module")
def gru(job):
    """A GRU, its trainer, the history and weights of seed 0."""
    trainer = job.trainer("gru")
    history = trainer.fit(*job.arguments, FitOptions(seed=0))
    return trainer, history, weights_of(trainer)


# The same from the same seed


def test_the_same_seed_gives_the_same_bits(job, gru):
    trainer, first, weights = gru
    other = trainer.fit(*job.arguments, FitOptions(seed=1))
    assert other.losses != first.losses
    assert not same(weights_of(trainer), weights)
    again = trainer.fit(*job.arguments, FitOptions(seed=0))  # in a trainer that has been used before
    assert again.losses == first.losses
    assert same(weights_of(trainer), weights)


def test_a_resumed_training_continues_as_if_unbroken(job, gru, tmp_path, monkeypatch):
    monkeypatch.setattr("recurra.training.state.CHECKPOINT_SECONDS", 0.0)  # after every epoch, however short
    _, unbroken, weights = gru
    checkpoint = tmp_path / "state.npz"

    def interrupt(epoch, loss):
        assert loss == unbroken.losses[epoch - 1]
        if epoch == 2:
            raise KeyboardInterrupt

    fresh, epochs = job.trainer("gru"), []
    with pytest.raises(KeyboardInterrupt):
        fresh.fit(*job.arguments, FitOptions(seed=0, checkpoint=checkpoint, on_epoch=interrupt))
    fresh.model = None  # as in another process: nothing is left but the file
    resumed = fresh.fit(
        *job.arguments, FitOptions(seed=0, checkpoint=checkpoint, on_epoch=lambda epoch, _: epochs.append(epoch))
    )
    assert epochs == list(range(3, EPOCHS + 1))
    assert resumed.losses == unbroken.losses
    assert (resumed.best_epoch, resumed.best_loss) == (unbroken.best_epoch, unbroken.best_loss)
    assert same(weights_of(fresh), weights)
    # a finished one has nothing left to do
    finished = fresh.fit(
        *job.arguments, FitOptions(seed=0, checkpoint=checkpoint, on_epoch=lambda epoch, _: epochs.append(epoch))
    )
    assert epochs == list(range(3, EPOCHS + 1))
    assert finished.losses == unbroken.losses
    assert same(weights_of(fresh), weights)


def test_a_short_training_writes_no_checkpoint(job, tmp_path, monkeypatch):
    monkeypatch.setattr("recurra.training.state.CHECKPOINT_SECONDS", 3600.0)
    written = []
    options = FitOptions(checkpoint=tmp_path / "state.npz", on_epoch=lambda *_: written.extend(tmp_path.iterdir()))
    assert len(job.trainer().fit(*job.arguments, options).losses) == EPOCHS
    assert written == []


# What is done only once


def test_folds_and_seeds_share_what_is_compiled_and_read(monkeypatch):
    traced, read = [], []
    step, dataset = keras.Model.train_step, WindowBatches.dataset
    monkeypatch.setattr(keras.Model, "train_step", lambda model, data: traced.append(model) or step(model, data))
    monkeypatch.setattr(WindowBatches, "dataset", lambda own, **how: read.append(own) or dataset(own, **how))
    table = pd.DataFrame({"y": wave(90)})
    frame = SeriesFrame.from_table(table, time="none")
    own = {"horizon": 2, "lookback": 8, "season": 1, "config": {"units": 4, "segment_length": 2}}
    compare(frame, families=["linear", "gru"], baselines=["naive"], folds=3, seeds=2, max_epochs=2, **own)
    assert (
        len(traced) == len(set(map(id, traced))) == 2
    )  # a training graph for each family, not for each of 12 trainings
    assert len(read) == 12 + 3 * 2  # each training set, and once for each fold its validation and test set


def test_callbacks_see_every_epoch_with_its_losses(job):
    seen = []
    watcher = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, dict(logs))))
    history = job.trainer().fit(*job.arguments, FitOptions(callbacks=(watcher,)))
    assert [epoch for epoch, _ in seen] == list(range(EPOCHS))
    assert [logs["val_loss"] for _, logs in seen] == history.losses
    assert seen[-1][1]["loss"] < seen[0][1]["loss"]


# When it ends


def test_the_best_weights_are_given_back(job):
    trainer = job.trainer(max_epochs=8, learning_rate=0.3)  # so fast that it goes up again
    history = trainer.fit(*job.arguments, FitOptions(seed=0))
    assert history.best_epoch == 1 + int(np.argmin(history.losses)) < 8
    assert history.best_loss == min(history.losses)
    target, weight = job.validation.targets()
    forecast = predict_batches(trainer.model, job.validation)
    assert np.mean(np.abs(forecast - target) * weight) == pytest.approx(history.best_loss, rel=1e-6)


def with_course(monkeypatch, losses):
    """Make the validation losses those of a list."""
    course = iter(losses)
    monkeypatch.setattr("recurra.training.state.TrainingState._validation_loss", lambda _: next(course))


def test_patience_ends_a_training(job, monkeypatch):
    with_course(monkeypatch, [5.0, 4.0, 4.5, 3.0, 3.1, 3.0, 3.2, 0.0])
    trainer = job.trainer(max_epochs=20, patience=3, learning_rate=0.016)
    history = trainer.fit(*job.arguments, FitOptions(seed=0))
    assert history.losses == [5.0, 4.0, 4.5, 3.0, 3.1, 3.0, 3.2]  # an equal loss is no better one
    assert (history.best_epoch, history.best_loss, history.stopped_by) == (4, 3.0, "patience")
    # halved after each epoch without improvement: a third of the patience is one epoch
    assert float(trainer.model.optimizer.learning_rate) == pytest.approx(0.016 / 2**4)
    weights = weights_of(trainer)
    with_course(monkeypatch, [5.0, 4.0, 4.5, 3.0])
    shorter = job.trainer(max_epochs=4, patience=3, learning_rate=0.016)
    assert shorter.fit(*job.arguments, FitOptions(seed=0)).stopped_by == "max_epochs"
    assert same(weights_of(shorter), weights)  # those of the best epoch


# Averaged weights


def test_the_average_is_that_of_numpy():
    random = np.random.default_rng(0)
    variable = keras.Variable(random.normal(size=3).astype("float32"))
    optimizer = AveragedAdam(0.1, ema=0.8)
    average = np.zeros(3)
    for t in range(60):
        optimizer.apply([keras.ops.convert_to_tensor(random.normal(size=3).astype("float32"))], [variable])
        decay = min(0.8, t / (t + 9))
        average = decay * average + (1 - decay) * variable.numpy()
    assert optimizer.averages[0].numpy() == pytest.approx(average, abs=1e-5)
    assert np.abs(variable.numpy() - average).max() > 0.01
    copied = AveragedAdam.from_config(optimizer.get_config())
    assert (copied.ema, float(copied.learning_rate)) == (0.8, pytest.approx(0.1))


def test_averaged_weights_are_judged_and_given_back(job):
    trainer = job.trainer("gru", ema=0.9)
    history = trainer.fit(*job.arguments, FitOptions(seed=0))
    plain = job.trainer("gru").fit(*job.arguments, FitOptions(seed=0))
    assert len(history.losses) == len(plain.losses)
    assert history.losses != plain.losses
    target, weight = job.validation.targets()
    forecast = predict_batches(trainer.model, job.validation)
    assert np.mean(np.abs(forecast - target) * weight) == pytest.approx(history.best_loss, rel=1e-6)


def test_an_average_does_not_disturb_the_training(job):
    seen = []

    def watched(**options):
        trainer = job.trainer("gru", max_epochs=2, patience=9, **options)
        watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(weights_of(trainer)))
        trainer.fit(*job.arguments, FitOptions(seed=0, callbacks=(watch,)))
        return trainer

    watched()
    averaged = watched(ema=0.9)
    for plain, other in zip(seen[:2], seen[2:], strict=True):
        assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(plain, other, strict=True))
    assert not same(weights_of(averaged), seen[-1])  # but the average is what comes out


def test_a_resumed_training_knows_its_average(job, tmp_path):
    options = {"ema": 0.9, "decay": 0.7, "decay_after": 2}
    whole = job.trainer("gru", **options)
    unbroken = whole.fit(*job.arguments, FitOptions(seed=0))

    def interrupt(epoch, _):
        if epoch == 3:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        job.trainer("gru", **options).fit(*job.arguments, FitOptions(seed=0, checkpoint=checkpoint, on_epoch=interrupt))
    other = job.trainer("gru", **options)
    resumed = other.fit(*job.arguments, FitOptions(seed=0, checkpoint=checkpoint))
    assert resumed.losses == unbroken.losses
    assert same(weights_of(other), weights_of(whole))
    # the same trainer again begins without a past
    assert whole.fit(*job.arguments, FitOptions(seed=0)).losses == unbroken.losses


def test_a_refit_gives_back_the_average_too(job):
    trainer = job.trainer(ema=0.9, max_epochs=3)
    history = trainer.fit(*job.arguments, FitOptions(seed=0))
    weights = weights_of(trainer)
    trainer.refit(job.train, *job.arguments, history, FitOptions(seed=0))  # the same rows once more: the same weights
    assert same(weights_of(trainer), weights)


def test_a_schedule_lowers_the_rate_whatever_the_loss_does(job, monkeypatch):
    with_course(monkeypatch, [5.0, 4.0, 4.5, 4.6, 3.0])
    trainer = job.trainer(max_epochs=5, patience=3, learning_rate=0.016, decay=0.5, decay_after=2)
    trainer.fit(*job.arguments, FitOptions(seed=0))
    assert float(trainer.model.optimizer.learning_rate) == pytest.approx(0.016 / 2**4)


def test_without_a_finite_loss_the_first_weights_stay(job, monkeypatch):
    with_course(monkeypatch, [float("inf")] * 4)
    trainer = job.trainer(patience=2)
    history = trainer.fit(*job.arguments, FitOptions(seed=7))
    assert (history.best_epoch, history.stopped_by, len(history.losses)) == (0, "patience", 2)
    keras.utils.set_random_seed(7)
    assert same(weights_of(trainer), [v.numpy() for v in trainer._build().variables])


def test_the_budget_ends_a_training(job):
    trainer = job.trainer(max_epochs=10_000, patience=10_000)
    history = trainer.fit(*job.arguments, FitOptions(seed=0, budget=1e-9))
    assert history.stopped_by == "budget"
    assert len(history.losses) == 1
    assert np.isfinite(history.best_loss)
    assert all(np.isfinite(w).all() for w in weights_of(trainer))


# What is missing


def test_missing_values_do_not_poison():
    job = Job(wave(missing=0.3))
    trainer = job.trainer()
    history = trainer.fit(*job.arguments, FitOptions(seed=0))
    assert np.isfinite(history.losses).all()
    assert all(np.isfinite(w).all() for w in weights_of(trainer))


def test_a_missing_target_costs_nothing():
    truth, forecast = np.zeros((1, 2, 1), "float32"), np.array([[[3.0], [999.0]]], "float32")
    weight = np.array([[[1.0], [0.0]]], "float32")
    assert float(Elementwise("mae")(truth, forecast, sample_weight=weight)) == 1.5  # 3 and nothing, over two steps


@pytest.mark.parametrize(("kind", "expected"), [("mse", 4 / 3), ("huber", (0.5 + 0.5 + 0.0) / 3)])
def test_spreads_are_taken_off_errors_before_they_are_squared(kind, expected):
    # a small series, one a thousand times as large, and a missing value
    size = 2.0**0.5 if kind == "mse" else 1.0
    truth = np.zeros((3, 1, 1), "float32")
    forecast = size * np.array([1.0, 1000.0, 7.0], "float32").reshape(3, 1, 1)
    weight = 1 / np.array([1.0, 1000.0, np.inf], "float32").reshape(3, 1, 1)
    assert float(Elementwise(kind)(truth, forecast, sample_weight=weight)) == pytest.approx(expected, rel=1e-6)
    total, count = Elementwise(kind).weighted(truth, forecast, weight)
    assert (total, count) == (pytest.approx(3 * expected, rel=1e-6), 2)


@pytest.mark.parametrize(("kind", "wanted"), [("mae", [0.5, 2.0]), ("mse", [0.25, 4.0]), ("huber", [0.125, 1.5])])
def test_losses_literally(kind, wanted):
    loss = Elementwise(kind).call(np.array([[[1.0], [1.0]]]), np.array([[[1.5], [-1.0]]]))
    np.testing.assert_allclose(np.ravel(loss), wanted)


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match=r"must be mae, mse, huber or crossentropy\. Received: 'mape'"):
        Trainer(lambda: None, loss="mape")


# What a predictor keeps


@pytest.fixture(scope="module")
def many():
    """Two series, one ten times the other, and a trained predictor for both."""
    job = Job(wave(), 10 * wave())
    trainer = job.trainer()
    trainer.fit(*job.arguments, FitOptions(seed=0))
    network = ForecastNetwork(job.pipeline, trainer.model).calibrated(job.validation)
    return job, Predictor(ForecastSchema.of(job.pipeline, job.frame), network, "forecast")


def test_a_predictor_is_kept_and_read_again(many, tmp_path):
    job, predictor = many
    predictor.save(tmp_path / "kept")
    again = Predictor.load(tmp_path / "kept")
    pd.testing.assert_frame_equal(again.predict(job.frame), predictor.predict(job.frame), check_exact=True)
    assert again.model.intervals.levels == predictor.model.intervals.levels
    with pytest.raises(InputError, match="no saved predictor"):
        Predictor.load(tmp_path / "elsewhere")


def test_a_prediction_is_a_row_a_step_with_intervals_around_it(many):
    job, predictor = many
    table = predictor.predict(job.frame)
    assert list(table.columns) == ["unique_id", "row", "y", "y-lo-80", "y-hi-80", "y-lo-95", "y-hi-95"]
    assert table["unique_id"].tolist() == ["s0", "s0", "s1", "s1"]
    assert table["row"].tolist() == [120, 121, 120, 121]
    for inner, outer in (("y", "80"), ("y-lo-80", "95")):
        assert (table[f"y-lo-{outer}"] <= table[inner]).all()
    assert (table["y"] <= table["y-hi-80"]).all()
    assert (table["y-hi-80"] <= table["y-hi-95"]).all()


def test_of_many_series_the_intervals_scale_with_the_window(many):
    job, predictor = many
    table = predictor.predict(job.frame)
    small, large = table[:2].select_dtypes("float"), table[2:].select_dtypes("float")
    np.testing.assert_allclose(large, 10 * small, rtol=1e-3)


def test_windows_are_predicted_as_the_latest_rows_are(many):
    job, predictor = many
    # windows of the last ten rows, whose targets are the last two, against the rows before them as the newest ones
    windows = job.batches(RowRange(job.frame.lengths - 2, job.frame.lengths))
    assert len(windows) == 2
    outputs = predictor.model.predict_windows(windows)
    table = predictor.predict(job.frame.head(job.frame.lengths - 2))
    for name, column in (("forecast", "y"), ("forecast-lo-80", "y-lo-80"), ("forecast-hi-95", "y-hi-95")):
        np.testing.assert_allclose(outputs[name].ravel(), table[column], rtol=1e-4)


def test_as_many_series_as_steps_are_forecast_each_from_its_own(many):
    # two series for two steps ahead: see the order of summands in recurra.models.forecaster
    job, predictor = many
    together = predictor.predict(job.frame)
    alone = [predictor.predict(job.frame.select([name])) for name in job.frame.ids]
    np.testing.assert_allclose(together["y"], pd.concat(alone)["y"], rtol=1e-5)


# A real kill

SETTINGS = {
    "families": ["linear", "gru"],
    "baselines": ["naive"],
    "horizon": 2,
    "lookback": 8,
    "season": 1,
    "folds": 1,
    "seeds": 2,
    "max_epochs": EPOCHS,
    "config": {"units": 4, "segment_length": 2},
}
# The process stands still in the middle of the last training, so that the kill comes there on any machine.
VICTIM = """
import json, sys, time
import recurra.training
from recurra.comparison import compare

recurra.training.state.CHECKPOINT_SECONDS = 0.0

def on_progress(progress):
    if (progress.trial.model, progress.trial.seed, progress.epoch) == ("gru", 1, 2):
        print("in the middle", flush=True)
        time.sleep(3600)

compare(sys.argv[1], out=sys.argv[2], on_progress=on_progress, **json.loads(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A data file, and the folder of a comparison that was killed in the middle of its last training."""
    folder = tmp_path_factory.mktemp("killed")
    pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=120), "y": wave()}).to_csv(folder / "wave.csv", index=False)
    arguments = [str(folder / "wave.csv"), str(folder / "run"), json.dumps(SETTINGS)]
    command = [sys.executable, "-P", "-c", VICTIM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        process.kill()
        errors = process.stderr.read()
    assert line == "in the middle\n", errors[-2000:]
    assert process.returncode == -signal.SIGKILL
    return folder / "wave.csv", folder / "run"


def without_times(rows):
    return [{k: v for k, v in row.items() if k not in ("train_seconds", "predict_ms")} for row in rows]


def test_a_killed_comparison_resumes_where_it_was(killed, tmp_path):
    source, folder = killed
    trials = folder / "trials"
    finished = {path: path.stat().st_mtime_ns for path in trials.glob("*-config0.*") if "checkpoint" not in path.name}
    assert sorted(path.name for path in finished if path.suffix == ".json") == [
        "gru-fold0-seed0-config0.json",
        "linear-fold0-seed0-config0.json",
        "linear-fold0-seed1-config0.json",
        "naive-fold0-seed0-config0.json",
    ]
    assert [path.name for path in trials.glob("*.checkpoint.npz")] == ["gru-fold0-seed1-config0.checkpoint.npz"]
    seen = []
    compare(source, out=folder, on_progress=lambda p: seen.append((p.trial.key, p.epoch)), **SETTINGS)
    assert seen == [("gru-fold0-seed1-config0", epoch) for epoch in (0, 3, 4, 5)]
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert list(trials.glob("*.checkpoint.npz")) == []

    compare(source, out=tmp_path / "unbroken", **SETTINGS)
    resumed, unbroken = (
        json.loads((place / "comparison.json").read_text(encoding="utf-8")) for place in (folder, tmp_path / "unbroken")
    )
    assert len(resumed["trials"]) == 5
    assert without_times(resumed["trials"]) == without_times(unbroken["trials"])
    for part in ("data", "settings", "notes", "folds", "tests"):
        assert resumed[part] == unbroken[part]


def test_a_folder_answers_one_question_only(killed):
    source, folder = killed
    with pytest.raises(InputError, match="its `max_epochs` is 5, now it is 6; choose another `out`"):
        compare(source, out=folder, **SETTINGS | {"max_epochs": 6})
    other = SeriesFrame.from_table(pd.read_csv(source))
    other = replace(other, table=other.table.assign(y=other.table["y"] + 1))
    with pytest.raises(InputError, match="it is about other data"):
        compare(other, out=folder, **SETTINGS)


# A learning rate that is found


def test_a_found_rate_trains_as_if_it_had_been_given(job):
    trainer = job.trainer("gru", max_epochs=6, learning_rate="find")
    history = trainer.fit(*job.arguments, FitOptions(seed=0))
    weights = weights_of(trainer)
    assert [row["learning_rate"] for row in history.rates] == sorted(CANDIDATES)
    best = min(history.rates, key=lambda row: row["loss"])
    assert (history.learning_rate, history.best_loss) == (best["learning_rate"], best["loss"])
    given = job.trainer("gru", max_epochs=6, learning_rate=history.learning_rate)
    assert given.fit(*job.arguments, FitOptions(seed=0)).losses == history.losses
    assert same(weights_of(given), weights)
    # with a seed of its own again from the start
    assert trainer.fit(*job.arguments, FitOptions(seed=0)).rates == history.rates


def test_a_refit_takes_the_rate_that_was_found(job):
    trainer = job.trainer(max_epochs=4, learning_rate="find")
    history = trainer.fit(*job.arguments, FitOptions(seed=0))
    weights = weights_of(trainer)
    trainer.refit(job.train, *job.arguments, history, FitOptions(seed=0))  # on the same rows: the same training
    assert same(weights_of(trainer), weights)


@pytest.mark.parametrize("killed_after", [2, 9, 14])
def test_a_killed_search_decides_as_an_unbroken_one(job, tmp_path, monkeypatch, killed_after):
    monkeypatch.setattr("recurra.training.state.CHECKPOINT_SECONDS", 0.0)  # after every epoch, however short
    trainer = job.trainer(max_epochs=12, learning_rate="find")  # 36 epochs in all
    unbroken = trainer.fit(*job.arguments, FitOptions(seed=0))
    weights, epochs = weights_of(trainer), []

    def interrupt(epoch, _):
        epochs.append(epoch)
        if len(epochs) == killed_after:
            raise KeyboardInterrupt

    options = FitOptions(seed=0, checkpoint=tmp_path / "state.npz", on_epoch=interrupt)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(*job.arguments, options)
    assert list(tmp_path.iterdir())
    trainer.model = None  # as in another process
    resumed = trainer.fit(*job.arguments, options)
    assert len(epochs) == 36
    assert (resumed.rates, resumed.losses) == (unbroken.rates, unbroken.losses)
    assert same(weights_of(trainer), weights)
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_the_price_of_a_search_is_counted_and_its_budget_kept(job):
    spent = []
    trainer = job.trainer(max_epochs=10_000, patience=10_000, learning_rate="find")
    history = trainer.fit(*job.arguments, FitOptions(budget=1e-9, on_epoch=lambda *_: spent.append(1)))
    assert history.stopped_by == "budget"
    assert (len(spent), len(history.rates)) == (1, 1)  # the first candidate had it all


def test_a_caller_who_has_enough_ends_the_search(job):
    seen = []
    trainer = job.trainer(max_epochs=50, learning_rate="find")
    history = trainer.fit(*job.arguments, FitOptions(on_epoch=lambda *_: len(seen) == 4 or seen.append(1)))
    assert (len(seen), len(history.losses), history.stopped_by) == (4, 5, "callback")


def test_the_target_ends_a_training_and_until_then_every_rate_has_its_chance(job, monkeypatch):
    with_course(monkeypatch, [3.0, 3.0, 3.0, 3.0, 3.1, 3.1, 3.1, 3.1, 2.0, 0.1, 0.0])
    trainer = job.trainer(max_epochs=20, patience=3, learning_rate="find", target_loss=0.5)
    history = trainer.fit(*job.arguments, FitOptions())
    assert history.stopped_by == "target"
    assert (history.learning_rate, history.losses) == (CANDIDATES[2], [2.0, 0.1])
    assert {row["learning_rate"]: row["stopped_by"] for row in history.rates} == {
        CANDIDATES[0]: "patience",
        CANDIDATES[1]: "patience",
        CANDIDATES[2]: "target",
    }


def test_rounds_of_the_search():
    assert rounds(steps_per_epoch=100, most_epochs=50, candidates=3) == [2, 6]
    assert rounds(steps_per_epoch=1000, most_epochs=50, candidates=3) == [1, 3]
    assert rounds(steps_per_epoch=10, most_epochs=30, candidates=3) == [20, 30]
    losses = {0.1: [1.0, 0.2], 0.2: [0.5, 0.9], 0.3: [float("inf"), float("inf")]}
    assert better_half(losses, losses, 1) == [0.1, 0.2]
    assert better_half(losses, [0.1, 0.2], 1) == [0.2]  # what comes later doesn't count
    assert better_half({0.1: [1.0], 0.2: [1.0]}, [0.2, 0.1], 1) == [0.1]


def test_label_smoothing_by_hand():
    logits = np.log([[0.7, 0.2, 0.1]])
    plain, smoothed = (float(Elementwise("crossentropy", part).call(np.array([0]), logits)[0]) for part in (0.0, 0.3))
    assert plain == pytest.approx(-np.log(0.7))
    assert smoothed == pytest.approx(0.7 * plain - 0.3 * np.log([0.7, 0.2, 0.1]).mean())
    with pytest.raises(InputError, match="`label_smoothing` is for classes, and this loss is mae"):
        Elementwise("mae", 0.1)
