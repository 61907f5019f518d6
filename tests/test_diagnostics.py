"""Diagnostics against cases whose truth is known."""

import json
import re
import shutil

import keras
import numpy as np
import pandas as pd
import pytest

import recurra
from recurra import diagnostics, models
from recurra.cli import main
from recurra.datasets import synthetic_sequences
from recurra.diagnostics.examples import Examples, series_examples
from recurra.diagnostics.gates import lyapunov
from recurra.diagnostics.occlusion import older_replaced
from recurra.diagnostics.order import shuffled
from recurra.export import load_model, save_model
from recurra.models import recurrent
from recurra.pipelines import RowRange, SeriesPipeline, ShuffledBatches
from recurra.spec import ForecastOutput, SequenceSpec, ValuesInput

LOOKBACK = 40


def autoregression(coefficients, rows=3200, seed=0):
    """y[t] = Σ coefficient · y[t - lag] + e[t] with standard normal e."""
    noise = np.random.default_rng(seed).normal(size=rows + 200)
    y = noise.copy()
    for t in range(max(coefficients, default=1), len(y)):
        y[t] = noise[t] + sum(c * y[t - lag] for lag, c in coefficients.items())
    return y[200:]


def as_frame(y, start=0):
    table = pd.DataFrame({"t": np.arange(start, start + len(y)), "y": y})
    return recurra.SeriesFrame.from_table(table, time="t", target="y")


@pytest.fixture(scope="module")
def inspected():
    """Linear models of series whose best memory is known, inspected on rows that they were not trained on."""
    truths = {"second lag leads": {1: 0.3, 2: 0.6}, "lag 30": {30: 0.9}, "white noise": {}}
    found = {}
    for name, coefficients in truths.items():
        y = autoregression(coefficients)
        task = recurra.tasks.Forecast(horizon=1, lookback=LOOKBACK, season=1)
        fitted = recurra.fit(as_frame(y[:2800]), family="linear", task=task, max_epochs=12)
        found[name] = diagnostics.inspect(fitted.predictor, as_frame(y[2760:], 2760))
    return found


# ------------------------------------------------------------------------------------------------ memory horizon


@pytest.mark.parametrize(("name", "truth"), [("second lag leads", 2), ("lag 30", 30)])
def test_both_witnesses_find_the_lag_that_leads(inspected, name, truth):
    memory = inspected[name].memory
    assert memory["horizon"] == memory["horizon_occlusion"]
    assert truth <= memory["horizon"] <= truth + 5
    assert truth <= memory["horizon_gradient"] <= truth + 6
    assert np.argmax(memory["influence"]) + 1 == truth
    assert memory["suggested_lookback"] >= truth


def test_in_white_noise_nothing_helps_although_the_gradient_says_otherwise(inspected):
    memory = inspected["white noise"].memory
    assert memory["horizon"] == 0
    assert memory["horizon_gradient"] > 20  # every trained network has a profile
    assert memory["agree"] is False
    assert inspected["white noise"].verdict["worth_it"] is False
    assert memory["text"].startswith(("Nothing in the past helps", "That the past helps cannot be shown"))


def test_over_few_windows_a_past_without_which_the_loss_is_far_higher_is_not_called_useless():
    y = np.sin(np.arange(260) * 2 * np.pi / 12) + 0.05 * np.random.default_rng(0).normal(size=260)
    task = recurra.tasks.Forecast(horizon=12, lookback=24, season=12)
    fitted = recurra.fit(as_frame(y[:200]), family="linear", task=task, max_epochs=12)
    memory = diagnostics.inspect(fitted.predictor, as_frame(y[176:230], 176)).memory  # 19 windows, which overlap
    assert memory["occlusion"][0]["loss"] > 1.5 * memory["occlusion"][-1]["loss"]
    assert memory["horizon"] > 0


def test_the_shares_are_one_a_step_and_sum_to_one(inspected):
    for found in inspected.values():
        assert len(found.memory["influence"]) == LOOKBACK
        assert sum(found.memory["influence"]) == pytest.approx(1)
        assert [o["kept"] for o in found.memory["occlusion"]][-1] == LOOKBACK


def test_the_horizon_is_the_least_number_of_kept_steps_within_a_hundredth(inspected):
    memory = inspected["lag 30"].memory
    full = memory["occlusion"][-1]["loss"]
    assert min(o["kept"] for o in memory["occlusion"] if o["loss"] <= 1.01 * full) == memory["horizon"]


def test_squares_not_absolute_values_make_the_horizon():
    shares = np.array([0.6, 0.36] + [0.001] * 40)
    assert diagnostics.horizon(shares / shares.sum()) == 2
    assert diagnostics.horizon(np.sqrt(shares) / np.sqrt(shares).sum()) > 20
    assert diagnostics.horizon(None) is None


def test_the_first_token_is_remembered_to_the_end():
    table = synthetic_sequences.recall(4, train=500, test=150)
    frame = recurra.TextFrame.from_table(table, text="tokens", label="label", split="split")
    family = "lstm:pooling=last+segment_length=1+units=12+learning_rate=0.02"
    fitted = recurra.fit(frame, family=family, max_epochs=8)
    found = diagnostics.inspect(fitted.predictor, frame)
    assert found.memory["horizon"] == 5
    assert found.memory["suggested_lookback"] == 5  # there is no more to read
    assert found.order["matters"] is True
    assert found.order["value"] > 0.2
    [layer] = found.gates["layers"]
    assert layer["cell"] == "lstm"
    assert len(layer["keep"]) == len(layer["half_life"]) == layer["units"] == 12


def test_adding_reads_to_the_first_step():
    frame = recurra.PanelFrame.from_arrays(**synthetic_sequences.adding(6, train=800, test=150))
    fitted = recurra.fit(frame, family="gru:pooling=last+units=16+learning_rate=0.02", max_epochs=12)
    found = diagnostics.inspect(fitted.predictor, frame)
    assert found.memory["horizon"] == 6
    assert found.memory["horizon_gradient"] >= 5
    losses = [o["loss"] for o in found.memory["occlusion"]]
    assert losses == sorted(losses, reverse=True)  # each step more is needed


# ------------------------------------------------------------------------------------------------ what is replaced


def windows(values, **kwargs):
    values = np.asarray(values, "float32")
    n = len(values)
    made = {"lengths": np.full(n, values.shape[1]), "place": np.arange(n), "groups": np.zeros(n, int), **kwargs}
    return Examples({"values": values}, "values", predict=lambda i: i["values"], loss=lambda p: p, network=None, **made)


def test_replaced_steps_leave_no_jump_in_a_random_walk_and_no_trace_in_noise():
    random = np.random.default_rng(0)
    walk = windows(random.normal(size=(400, 30, 1)).cumsum(axis=1) + 50 * random.normal(size=(400, 1, 1)))
    replaced = older_replaced(walk, 10, np.random.default_rng(1))
    jumps = np.abs(replaced[:, 20] - replaced[:, 19])
    assert np.median(jumps) < 6  # 50 apart, the levels of two walks would differ by some 40
    np.testing.assert_array_equal(replaced[:, 20:], walk.steps[:, 20:])
    noise = windows(random.normal(size=(400, 30, 1)))
    replaced = older_replaced(noise, 10, np.random.default_rng(1))
    assert replaced[:, :20].std() == pytest.approx(1, abs=0.05)
    own, other = noise.steps[:, :20].ravel(), replaced[:, :20].ravel()
    assert abs(np.corrcoef(own, other)[0, 1]) < 0.05


def test_replaced_tokens_come_from_another_text_and_padding_stays():
    tokens = np.array([[3, 4, 5, 0], [6, 7, 8, 9]], "int32")
    some = Examples(
        {"tokens": tokens},
        "tokens",
        np.array([3, 4]),
        lambda i: i["tokens"],
        lambda p: p,
        None,
        place=np.arange(2),
        groups=np.zeros(2, int),
    )
    replaced = older_replaced(some, 1, np.random.default_rng(0))
    assert replaced[0].tolist()[2:] == [5, 0]
    assert set(replaced[0, :2]) <= {6, 7, 8, 9}
    assert replaced[1, 3] == 9


def test_shuffling_keeps_padding_the_newest_steps_and_all_values():
    tokens = np.array([[3, 4, 5, 6, 7, 0, 0]], "int32")
    some = Examples(
        {"tokens": tokens},
        "tokens",
        np.array([5]),
        lambda i: i["tokens"],
        lambda p: p,
        None,
        place=np.arange(1),
        groups=np.zeros(1, int),
    )
    for seed in range(5):
        mixed = shuffled(some, 2, np.random.default_rng(seed))[0]
        assert mixed.tolist()[3:] == [6, 7, 0, 0]
        assert sorted(mixed[:3]) == [3, 4, 5]


# ------------------------------------------------------------------------------------------------ gates


@pytest.mark.parametrize("layer", [recurrent.LSTM, recurrent.GRU, recurrent.SimpleRNN])
def test_the_gates_give_the_layers_own_output(layer):
    keras.utils.set_random_seed(1)
    own = layer(5, return_sequences=True, bias_initializer="normal")
    x = np.random.default_rng(0).normal(size=(3, 7, 2)).astype("float32")
    expected = np.asarray(own(x))
    states = diagnostics.unroll(own, x)
    np.testing.assert_allclose(states["hidden"], expected, atol=1e-5)
    if layer is recurrent.LSTM:
        np.testing.assert_allclose(states["output"] * np.tanh(states["cell"]), expected, atol=1e-5)
        kept = states["forget"][:, 1:] * states["cell"][:, :-1] + states["input"][:, 1:] * states["candidate"][:, 1:]
        np.testing.assert_allclose(kept, states["cell"][:, 1:], atol=1e-9)
    if layer is recurrent.GRU:
        kept = states["update"][:, 1:] * states["hidden"][:, :-1]
        kept += (1 - states["update"][:, 1:]) * states["candidate"][:, 1:]
        np.testing.assert_allclose(kept, states["hidden"][:, 1:], atol=1e-9)


def test_a_forget_bias_has_the_half_life_that_chrono_initialisation_gives_it():
    spec = SequenceSpec(ValuesInput(50, 1), ForecastOutput(1))
    network = models.build("lstm", spec, units=4, segment_length=1, window_norm="none")
    layer = next(layer for layer in network.layers if isinstance(layer, keras.layers.LSTM))
    kernel, recurrent_kernel, bias = layer.get_weights()
    time = np.array([2.0, 5.0, 20.0, 2000.0])
    bias[4:8] = np.log(time - 1)
    layer.set_weights([kernel * 0, recurrent_kernel * 0, bias])
    some = windows(np.random.default_rng(0).normal(size=(20, 50, 1)))
    [found] = diagnostics.gates_of(network, some)
    np.testing.assert_allclose(found.keep, 1 - 1 / time, rtol=1e-5)
    assert found.half_life[0] == pytest.approx(1)
    assert found.half_life[2] == pytest.approx(np.log(0.5) / np.log(0.95), rel=1e-4)
    assert found.half_life[3] is None  # longer than the 50 steps read
    assert found.saturated_high.tolist() == [0, 0, 1, 1]


def test_the_growth_of_a_plain_state_is_the_logarithm_of_its_weight():
    layer = recurrent.SimpleRNN(3, return_sequences=True)
    x = np.zeros((2, 40, 1), "float32")
    layer(x)
    layer.set_weights([np.zeros((1, 3)), 0.8 * np.eye(3), np.zeros(3)])
    assert lyapunov(layer, x) == pytest.approx(np.log(0.8), abs=1e-6)


def test_one_examples_gates_are_the_units_of_every_step():
    spec = SequenceSpec(ValuesInput(12, 1), ForecastOutput(1))
    network = models.build("gru", spec, units=4, segment_length=1)
    some = windows(np.random.default_rng(0).normal(size=(3, 12, 1)))
    states = diagnostics.gates_of_example(network, some, 2)
    [name] = states
    assert {key: value.shape for key, value in states[name].items()} == dict.fromkeys(
        ("update", "reset", "candidate", "hidden"), (12, 4)
    )


def test_memory_inside_the_layer_is_told_apart_from_pooling():
    keras.utils.set_random_seed(0)
    frame = recurra.PanelFrame.from_arrays(**synthetic_sequences.adding(20, train=40, test=10))
    data = recurra.tasks.Regression().open(frame).prepare(0)
    network = models.build("simple_rnn", data.spec, units=4, segment_length=1, pooling="mean")
    layer = next(layer for layer in network.layers if isinstance(layer, keras.layers.SimpleRNN))
    kernel, recurrent_kernel, bias = layer.get_weights()
    layer.set_weights([kernel, recurrent_kernel * 0, bias])  # it forgets everything at once
    some = windows(np.random.default_rng(0).normal(size=(30, 20, 2)))
    some.inputs["lengths"] = np.full(30, 20, "int32")
    [inside] = diagnostics.inside_layers(network, some)
    assert inside["horizon_gradient"] == 1
    assert diagnostics.horizon(diagnostics.influence_by_lag(network, some)) >= 19  # pooling reaches every step


# ------------------------------------------------------------------------------------------------ cost, errors


def test_the_price_is_that_of_the_layers_by_hand():
    spec = SequenceSpec(ValuesInput(16, 1), ForecastOutput(2))
    network = models.build("gru", spec, units=4, segment_length=1)
    some = windows(np.zeros((5, 16, 1)), metric="mase")
    cost = diagnostics.cost_of(network, spec, some)
    assert list(cost["parameters"]["parts"].values()) == [3 * 4 * (1 + 4 + 2), 4 * 2 + 2]
    assert cost["parameters"]["total"] == 84 + 10
    assert cost["multiply_adds"] == 16 * 3 * 4 * (1 + 4) + 4 * 2
    assert cost["input_volume"] == 1 * 16 * 32
    assert [row["multiply_adds"] for row in cost["growth"]] == [484, 968, 1936, 3872]
    assert cost["growth"][0]["parameters"] == cost["growth"][-1]["parameters"]
    assert cost["growth"][0]["dense_parameters"] < cost["growth"][-1]["dense_parameters"]
    assert set(cost["seconds"]) == {"predicted", "measured"}


def test_errors_that_repeat_are_found_and_white_ones_are_not():
    from recurra.diagnostics.error_analysis import residual_autocorrelation

    series = np.zeros(1000, int)
    assert residual_autocorrelation(autoregression({1: 0.5}, 1000), series)["repeats"]
    white = residual_autocorrelation(autoregression({}, 1000), series)
    assert not white["repeats"]
    assert "do not repeat" in white["text"]


def test_the_worst_examples_and_groups_come_first():
    from recurra.diagnostics.error_analysis import by_group, worst

    losses = np.array([0.1, np.nan, 3.0, 1.0])
    assert [row["loss"] for row in worst(losses, {"example": np.arange(4)}, 2)] == [3.0, 1.0]
    hour = np.tile([0, 1], 20)
    groups = by_group(np.where(hour == 1, 2.0, 1.0), {"hour": hour, "alone": np.zeros(40)})
    assert groups == {"hour": [{"group": 0, "n": 20, "loss": 1.0}, {"group": 1, "n": 20, "loss": 2.0}]}


# ------------------------------------------------------------------------------------------------ the whole command


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An exported model, its training file and a newer one."""
    folder = tmp_path_factory.mktemp("inspect")
    y = autoregression({1: 0.7}, 500)
    table = pd.DataFrame({"t": np.arange(500), "<b>y</b>": y})
    table[:400].to_csv(folder / "train.csv", index=False)
    table[388:].to_csv(folder / "new.csv", index=False)
    frame = recurra.load(folder / "train.csv", time="t", target="<b>y</b>")
    task = recurra.tasks.Forecast(horizon=2, lookback=12, season=1)
    fitted = recurra.fit(frame, family="simple_rnn:units=8", task=task, max_epochs=4)
    save_model(fitted.predictor, folder / "model", frame, training=fitted.training)
    return folder


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["recurra", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_inspect_writes_json_and_a_page(exported, monkeypatch, tmp_path):
    out, page = tmp_path / "found.json", tmp_path / "page.html"
    assert run(monkeypatch, "inspect", exported / "model", exported / "new.csv", "--json", out, "--report", page) == 0
    found = json.loads(out.read_text())
    assert found["schema_version"] == 1
    assert found["data"]["held_out"] is True
    memory = found["memory"]
    assert {"horizon", "horizon_gradient", "horizon_occlusion", "suggested_lookback"} <= memory.keys()
    assert len(memory["influence"]) == len(memory["influence_before"]) == 12
    assert {"kept", "loss"} == memory["occlusion"][0].keys()
    names = {"value", "low", "high", "loss", "shuffled", "trained_shuffled", "matters", "older_than"}
    assert names <= found["order"].keys()
    [layer] = found["gates"]["layers"]
    assert layer["cell"] == "simple_rnn"
    assert layer["keep"] == []  # there is no gate that keeps
    assert layer["lyapunov"] < 0
    assert found["cost"]["parameters"]["total"] == sum(found["cost"]["parameters"]["parts"].values())
    assert {"mase", "mae", "rmse", "worst", "by"} <= found["errors"].keys()
    assert set(found["verdict"]) == {"worth_it", "best", "text"}
    html = page.read_text()
    assert html.count("<h1>") == 1
    assert 'lang="en"' in html
    assert "width=device-width" in html
    assert found["verdict"]["text"].split(".")[0] in html
    assert not re.search(r"(src|href)=.https?:|@import|url\(", html)
    for picture in re.findall(r"<svg [^>]*>", html):
        assert 'aria-label="' in picture


def test_the_same_model_and_file_give_the_same_numbers(exported):
    model = load_model(exported / "model")
    first, second = (diagnostics.inspect(model, exported / "new.csv").to_dict() for _ in range(2))
    for found in (first, second):
        found["cost"].pop("seconds")
    assert first == second


def test_on_training_rows_nothing_is_said_of_order(exported):
    found = diagnostics.inspect(exported / "model")
    assert found.data["held_out"] is False
    assert found.order["matters"] is None
    assert "trained on" in found.notes[0]


def test_an_export_without_its_network_says_so_in_one_sentence(exported, tmp_path):
    shutil.copytree(exported / "model" / "1", tmp_path / "old")
    shutil.rmtree(tmp_path / "old" / "assets.extra" / "trained")
    found = diagnostics.inspect(tmp_path / "old", exported / "new.csv")
    assert found.memory["horizon"] is None
    assert "export it again" in found.notes[-1]
    assert "<h1>" in found.to_html()


def test_what_cannot_be_inspected_is_one_sentence(exported, monkeypatch, tmp_path):
    assert run(monkeypatch, "inspect", tmp_path / "nothing") == 2
    (tmp_path / "other.csv").write_text("t,z\n1,2\n2,3\n")
    assert run(monkeypatch, "inspect", exported / "model", tmp_path / "other.csv") == 2


def test_windows_of_a_fold_are_those_that_a_comparison_scores():
    frame = as_frame(autoregression({1: 0.5}, 300))
    pipeline = SeriesPipeline(lookback=8, horizon=2).fit(frame)
    network = models.build("linear", pipeline.spec)
    rows = RowRange(np.array([200]), np.array([300]))
    some = series_examples(pipeline, frame, network, rows, held_out=True)
    assert some.place[0] + 8 == 200
    assert some.place[-1] + 10 == 300


def test_shuffled_batches_keep_targets_values_and_padding():
    frame = recurra.PanelFrame.from_arrays([np.arange(1.0, 6), np.arange(1.0, 3), np.arange(1.0, 9)], [0.0, 1.0, 2.0])
    data = recurra.tasks.Regression().open(frame, folds=1).prepare_final()
    batches = data.pipeline.batches(data.encoded, np.arange(3))
    right = next(iter(batches.dataset(batch_size=3)))
    for seed in (0, 1):
        mixed = next(iter(ShuffledBatches(batches, seed).dataset(batch_size=3)))
        np.testing.assert_array_equal(mixed[1], right[1])
        assert not np.array_equal(mixed[0]["values"], right[0]["values"])
        for own, other, n in zip(right[0]["values"], mixed[0]["values"], right[0]["lengths"], strict=True):
            np.testing.assert_array_equal(np.sort(own[:n], axis=0), np.sort(other[:n], axis=0))
            assert not np.any(other[n:])


def test_a_bag_of_words_loses_nothing_when_trained_on_shuffled_texts():
    drawn = np.random.default_rng(0)
    labels = drawn.integers(2, size=400)
    texts = [" ".join(drawn.permutation(["good" if y else "bad", *drawn.choice(list("abcdefg"), 5)])) for y in labels]
    table = pd.DataFrame({"text": texts, "label": labels})
    frame = recurra.TextFrame.from_table(table, text="text", label="label")
    options = {"families": ["gru:units=8"], "baselines": [], "folds": 1, "seeds": 1, "max_epochs": 6, "tokens": "word"}
    result = recurra.compare(frame, **options)
    found = diagnostics.inspect_comparison(result, train_shuffled=True)
    assert found.order["matters"] is not True
    assert abs(found.order["trained_value"]) < 0.05


@pytest.mark.slow
def test_a_language_model_of_random_words_remembers_nothing(tmp_path):
    words = np.random.default_rng(0).choice(
        ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "the", "dog", "run", "away", "."], 6000
    )
    (tmp_path / "novel.txt").write_text(" ".join(words))
    frame = recurra.load(tmp_path / "novel.txt", task="language-model")
    fitted = recurra.fit(frame, family="lstm:units=8", task="language-model", max_epochs=1)
    found = diagnostics.inspect(fitted.predictor, frame)
    assert found.memory["horizon"] == 0
    assert found.memory["horizon_gradient"] >= 1
    assert found.order["matters"] is False
    assert found.errors["perplexity"] == pytest.approx(np.exp(found.errors["cross_entropy"]))
