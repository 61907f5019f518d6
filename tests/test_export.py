"""Exported models: raw values in, the user's units out, whole or not at all."""

import json
import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import recurra
from recurra.errors import InputError
from recurra.export import load_model, save_model
from recurra.frames import SeriesFrame

ROLES = {
    "time": "day",
    "target": "sold",
    "id": "shop",
    "past_covariates": ["weather"],
    "future_covariates": ["holiday"],
}


def table(days=60, ahead=5):
    """Two shops with a gap, a text covariate, and a holiday flag known some days ahead."""
    rng = np.random.default_rng(0)
    parts = []
    for shop, size in (("north", 10.0), ("south", 400.0)):
        n = days + ahead
        sold = size * (2 + np.sin(np.arange(n) * 2 * np.pi / 7) + 0.1 * rng.normal(size=n))
        sold[[5, 20, 21]] = np.nan
        sold[days:] = np.nan
        parts.append(
            pd.DataFrame(
                {
                    "shop": shop,
                    "day": pd.date_range("2024-01-01", periods=n),
                    "sold": sold,
                    "weather": rng.choice(["sun", "rain"], n),
                    "holiday": rng.integers(0, 2, n).astype(float),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def fitted(**settings):
    frame = SeriesFrame.from_table(table(), **ROLES)
    settings = {"horizon": 4, "lookback": 8, "season": 7, "max_epochs": 2, "config": {"units": 4}} | settings
    return recurra.fit(frame, **settings)


@pytest.fixture(scope="module")
def gru():
    return fitted(family="gru", calendar=("week",), transform="log")


@pytest.fixture(scope="module")
def exported(gru, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved_models") / "shops"
    save_model(gru.predictor, path, gru.frame, training=gru.training)
    return path


def test_the_exported_model_forecasts_as_the_trained_one(gru, exported):
    ours = gru.predictor.predict(gru.frame)
    theirs = load_model(exported).predict(table())
    assert list(theirs) == ["shop", "day", "sold", "sold-lo-80", "sold-hi-80", "sold-lo-95", "sold-hi-95"]
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-4)
    assert theirs["day"].min() == pd.Timestamp("2024-03-01")
    assert theirs.groupby("shop", observed=True)["sold"].mean()["south"] > 100  # in the user's units
    assert (theirs["sold-lo-95"] <= theirs["sold-lo-80"]).all()
    assert (theirs["sold-lo-80"] <= theirs["sold"]).all()


def test_the_signature_names_its_tensors_and_takes_any_batch(gru, exported):
    signature = tf.saved_model.load(str(exported / "1")).signatures["serving_default"]
    _, inputs = signature.structured_input_signature
    shapes = {name: (spec.dtype, spec.shape.as_list()) for name, spec in inputs.items()}
    assert shapes == {
        "values": (tf.float64, [None, 8, 4]),  # sold, weather=rain, weather=sun, holiday
        "future": (tf.float64, [None, 4, 1]),
        "time": (tf.int64, [None, 12]),
    }
    raw = gru.predictor.schema.pipeline.raw(gru.frame)
    both = signature(**{name: tf.constant(value) for name, value in raw.items()})
    one = signature(**{name: tf.constant(value[1:]) for name, value in raw.items()})
    assert set(both) == {"forecast", "forecast-lo-80", "forecast-hi-80", "forecast-lo-95", "forecast-hi-95"}
    assert both["forecast"].shape == (2, 4, 1)
    np.testing.assert_allclose(both["forecast"][1:], one["forecast"], rtol=1e-5)


def test_plain_tensorflow_can_serve_it(gru, exported):
    """In a process that knows nothing of this package."""
    raw = gru.predictor.schema.pipeline.raw(gru.frame)
    given = json.dumps({name: value.tolist() for name, value in raw.items()})
    script = """
import json, sys, tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
kinds = {"values": tf.float64, "future": tf.float64, "time": tf.int64}
out = serve(**{k: tf.constant(v, kinds[k]) for k, v in json.loads(sys.stdin.read()).items()})
assert not any(name.split(".")[0] == "recurra" for name in sys.modules)
print(json.dumps(out["forecast"].numpy().tolist()))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(exported / "1")], input=given, capture_output=True, text=True, check=True
    )
    expected = gru.predictor.serve(raw)["forecast"]
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), expected, rtol=1e-4)


def test_it_needs_neither_xla_nor_custom_operations(exported):
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((exported / "1" / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    known = set(dir(tf.raw_ops))
    calls = {"PartitionedCall", "StatefulPartitionedCall"}
    assert {node.op for node in nodes} - known - calls == set()
    marked = [node for node in [*nodes, *graph.library.function] if "XlaMustCompile" in " ".join(node.attr)]
    assert [m for m in marked if any(v.b for k, v in m.attr.items() if "XlaMustCompile" in k)] == []


def test_what_stands_beside_it(exported):
    extra = exported / "1" / "assets.extra"
    said = json.loads((extra / "recurra.json").read_text())
    columns = [(column["name"], column["categories"]) for column in said["schema"]["pipeline"]["columns"]]
    assert columns == [("sold", None), ("weather", ["rain", "sun"]), ("holiday", None)]
    assert said["training"]["family"] == "gru"
    assert said["data"]["freq"] == "D"
    card = (extra / "model_card.md").read_text()
    assert "Channels: `sold`, `weather=rain`, `weather=sun`, `holiday`." in card
    assert "Forecasts the next 4 steps (D) of `sold` from the last 8." in card

    from tensorflow_serving.apis import prediction_log_pb2

    records = list(tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests")))
    request = prediction_log_pb2.PredictionLog.FromString(records[0].numpy()).predict_log.request
    assert request.model_spec.name == "shops"
    assert tf.make_ndarray(request.inputs["values"]).shape == (1, 8, 4)


def test_versions_count_up_and_the_same_model_makes_no_second_one(gru, tmp_path):
    path = tmp_path / "m"
    assert save_model(gru.predictor, path, gru.frame).name == "1"
    assert save_model(gru.predictor, path, gru.frame).name == "1"
    other = fitted(family="linear", config=None)
    assert save_model(other.predictor, path, other.frame).name == "2"
    assert load_model(path).path.name == "2"
    assert load_model(path / "1").path.name == "1"


def test_a_model_that_disagrees_gets_no_version(gru, tmp_path, monkeypatch):
    real = tf.saved_model.save

    def save_other_weights(module, *args, **kwargs):
        kept = [weight.numpy() for weight in module.weights]
        for weight in module.weights:
            weight.assign(weight * 1.1)
        real(module, *args, **kwargs)
        for weight, value in zip(module.weights, kept, strict=True):
            weight.assign(value)

    monkeypatch.setattr(tf.saved_model, "save", save_other_weights)
    with pytest.raises(RuntimeError, match="disagrees with the trained one"):
        save_model(gru.predictor, tmp_path / "m", gru.frame)
    assert list((tmp_path / "m").iterdir()) == []


def test_a_killed_export_leaves_the_earlier_version(exported):
    script = """
import os, signal, sys
import pandas as pd
from recurra import fit
from recurra.export import save, save_model
save.write_warmup = lambda *args: os.kill(os.getpid(), signal.SIGKILL)  # the files are there, the version is not
fitted = fit("ar2", family="linear", horizon=2, lookback=4, season=1, max_epochs=1)
save_model(fitted.predictor, sys.argv[1], fitted.frame)
"""
    before = sorted(child.name for child in exported.iterdir() if child.name.isdecimal())
    done = subprocess.run([sys.executable, "-c", script, str(exported)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(child.name for child in exported.iterdir() if child.name.isdecimal()) == before
    assert load_model(exported).path.name == before[-1]


def test_what_is_wrong_with_new_rows_is_said(exported, tmp_path):
    model = load_model(exported)
    short = table()
    short = short[(short["shop"] == "south") & (short["day"] < "2024-01-04")]
    with pytest.raises(InputError, match="series 'south' has 3 rows, but the model reads the last 8"):
        model.predict(short)
    with pytest.raises(InputError, match="no column is called 'sold'"):
        model.predict(table().rename(columns={"sold": "amount"}))
    with pytest.raises(InputError, match="'holiday' is known ahead but has no value at 2024-03-03"):
        model.predict(table(ahead=2))
    with pytest.raises(InputError, match="there is no exported model at"):
        load_model(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no exported model"):
        load_model(tmp_path / "empty")


def test_a_series_never_seen_is_forecast(exported):
    new = table()
    new = new[new["shop"] == "north"].assign(shop="west", sold=lambda t: t["sold"] * 3)
    forecast = load_model(exported).predict(new)
    assert forecast["shop"].unique().tolist() == ["west"]
    assert np.isfinite(forecast["sold"]).all()


def test_a_file_in_the_place_of_the_folder_is_said(gru, tmp_path):
    (tmp_path / "m").write_text("mine", encoding="utf-8")
    for path in (tmp_path / "m", tmp_path / "m" / "below"):
        with pytest.raises(InputError, match="cannot write the model to"):
            save_model(gru.predictor, path, gru.frame)
    assert (tmp_path / "m").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_said(gru, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot write the model to"):
        save_model(gru.predictor, tmp_path / "m", gru.frame)


def test_a_full_disk_leaves_the_earlier_version_and_is_said_in_a_sentence(gru, exported):
    """Files may not grow beyond some bytes: what is written fails in the middle, as on a disk that is full."""
    before = sorted(path.name for path in exported.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"cannot write the model to .*: File too large; make room, or choose"):
            save_model(gru.predictor, exported, gru.frame, training={"seed": 1})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in exported.iterdir()) == before
    assert load_model(exported).predict(table()) is not None
