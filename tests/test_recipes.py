"""CONTRIBUTING's recipes are complete: each is followed with a toy one in a copy of the package, file by file."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {"benchmarks", "build", "dist", "docs", "notebooks", "runs", "saved_models", "tests"}

FAMILY = '''
"""A toy family: the mean of a window, times a weight."""

from typing import Annotated

import keras

from .forecaster import ShareTargets, WindowNorm, forecaster
from .settings import at_least

GRID = {"learning_rate": [1e-2], "window_norm": [None]}


def toy_forecaster(
    spec, *, window_norm: WindowNorm = None, share_targets: ShareTargets = True, width: Annotated[int, at_least(1)] = 2
):
    def core(values, future, outputs):
        return keras.layers.Dense(outputs)(keras.layers.Dense(width)(keras.layers.Flatten()(values)))

    return forecaster("toy", spec, core, window_norm=window_norm, share_targets=share_targets)
'''

TASK = '''
"""A toy task: a number for each text or sequence, judged by its logarithm."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..evaluation import Metric, Wording
from .regression import Regression

_LOG = Metric(
    "log_error",
    "log error",
    lambda y_true, y_pred: float(np.mean(np.abs(np.log1p(np.abs(y_true)) - np.log1p(np.abs(y_pred))))),
    caption="log error: of the logarithms",
    with_spread=True,
    phrase="a log error",
)


@dataclass(frozen=True)
class Toy(Regression):
    name: ClassVar[str] = "toy"
    metrics: ClassVar = (_LOG, *Regression.metrics)
    wording: ClassVar[Wording] = Wording(_LOG, ("mean",), "sequence", "more test examples")

    @classmethod
    def accepts(cls, frame):
        return frame.task == "regression"
'''

DATASET = '''
"""A toy data set. Source, licence, checksum, size: made here."""

import numpy as np
import pandas as pd

from .record import Dataset


def read():
    days = pd.date_range("2020-01-01", periods=120, freq="D")
    return pd.DataFrame({"ds": days, "y": np.sin(np.arange(120.0))})


DATASET = Dataset(
    name="toy_wave",
    description="a sine",
    rows=120,
    source="made here",
    short_source="made here",
    licence="CC0",
    download=False,
    loader=read,
    roles={"time": "ds", "target": "y"},
)
'''

FORMAT = '''
"""A toy format: cells between bars."""

import io

import pandas as pd


def read_bars(data, path, as_text):
    table = pd.read_csv(io.BytesIO(data), sep="|")
    table.attrs = {"notes": []}
    return table
'''

METRIC = '''

def toy_largest_error(y_true, y_pred):
    """Largest absolute error."""
    import numpy

    return float(numpy.nanmax(numpy.abs(y_true - y_pred)))
'''


class House:
    """A copy of the package, and what was touched in it."""

    def __init__(self, root):
        self.root = root
        shutil.copytree(
            ROOT,
            root / "recurra",
            ignore=lambda folder, names: {
                name
                for name in names
                if name.startswith(".") or name == "__pycache__" or (Path(folder) == ROOT and name in OUTSIDE)
            },
        )

    def state(self):
        files = (self.root / "recurra").rglob("*.py")
        return {str(f.relative_to(self.root / "recurra")): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

    def new(self, name, text):
        (self.root / "recurra" / name).write_text(text.lstrip(), encoding="utf-8")

    def insert(self, name, after, line):
        path = self.root / "recurra" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(after) == 1, (name, after)
        path.write_text(text.replace(after, after + line), encoding="utf-8")

    def run(self, code):
        """What a script prints as JSON."""
        env = {**os.environ, "PYTHONPATH": str(self.root), "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], cwd=self.root, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture
def touched(house):
    """How many files a recipe touched: a function that is called at its end."""
    before = house.state()
    return lambda: sorted(name for name, state in house.state().items() if before.get(name) != state)


def test_a_family_is_one_file_and_one_line(house, touched):
    house.new("models/toy.py", FAMILY)
    house.insert("models/__init__.py", "recurrent_language_model, tcn", ", toy")
    why = '"toy reads numbers only"'
    line = f'\n    "toy": Family(_plans(Plan(toy.toy_forecaster, toy.GRID), {why}, {why}, {why})),'
    house.insert("models/__init__.py", "FAMILIES: dict[str, Family] = {", line)
    assert touched() == ["models/__init__.py", "models/toy.py"]
    found = house.run("""
import json, recurra
from recurra.reports import leaderboard
from rich.console import Console
options = dict(horizon=3, lookback=6, season=1, folds=1, seeds=1, max_epochs=1, baselines=["naive"])
result = recurra.compare("ar2", families=["toy:width=3", "toy"], **options)
console = Console(width=100, record=True, file=open("/dev/null", "w"))
console.print(leaderboard(result))
try:
    recurra.compare("ar2", families=["toy:width=0"], **options)
except recurra.InputError as error:
    message = str(error)
print(json.dumps([recurra.list_families(), result.summary_rows, console.export_text(), message]))
""")
    families, rows, table, message = found
    assert families[0] == "toy"
    assert {row["model"] for row in rows} == {"toy:width=3", "toy", "naive"}
    assert next(row for row in rows if row["model"] == "toy")["macs"] > 0
    assert "toy:width=3" in table.replace("\n", "")
    assert "`width`" in message
    assert "at least 1" in message


def test_a_task_is_one_file_and_one_line(house, touched):
    house.new("tasks/toy.py", TASK)
    house.insert("tasks/__init__.py", "from .tagging import Tagging\n", "from .toy import Toy\n")
    house.insert("tasks/__init__.py", '"language-model": LanguageModel,\n', '    "toy": Toy,\n')
    assert touched() == ["tasks/__init__.py", "tasks/toy.py"]
    rows, text, plots, predicted = house.run("""
import json, numpy, recurra
from pathlib import Path
from recurra.export import load_model, save_model
X = numpy.random.default_rng(0).normal(size=(40, 5, 1)).astype("float32")
numpy.savez("panel.npz", X=X, y=X[:, 0, 0])
settings = dict(families=["linear"], folds=2, seeds=1, max_epochs=2, refit_folds="none", out="run", refit=True)
result = recurra.compare("panel.npz", task="toy", **settings)
recurra.write_plots(result, Path("run"))
path = save_model(result.exportable.predictor, "model", result.frame)
predicted = load_model(path).predict(result.frame)
plots = sorted(p.name for p in Path("run").glob("*.png"))
print(json.dumps([result.summary_rows, result.verdict["text"], plots, len(predicted)]))
""")
    assert all("log_error" in row for row in rows)
    assert "log error" in text
    assert "predicted_against_true.png" in plots
    assert predicted == 40


def test_a_metric_is_a_function_and_a_line_in_its_task(house, touched):
    path = house.root / "recurra" / "evaluation" / "forecast_metrics.py"
    path.write_text(path.read_text(encoding="utf-8") + METRIC, encoding="utf-8")
    house.insert(
        "tasks/forecast.py",
        "metrics: ClassVar[tuple[Metric[ForecastTestSet, Outputs], ...]] = (\n        _MASE,\n",
        '        Metric("toy_largest", "largest error", partial(_in_units_plain, toy_largest_error), with_spread=True,'
        ' caption="largest error: a toy"),\n',
    )
    house.insert(
        "tasks/forecast.py",
        "    return None if low is None or high is None else coverage(test.y_true, low, high)\n",
        "\nfrom ..evaluation.forecast_metrics import toy_largest_error\n\n\n"
        "def _in_units_plain(function, test, outputs):\n"
        '    return function(test.y_true, outputs["forecast"])\n\n',
    )
    assert touched() == ["evaluation/forecast_metrics.py", "tasks/forecast.py"]
    row, report, names = house.run("""
import json, recurra
from recurra.comparison import comparison_html
options = dict(horizon=3, lookback=6, season=1, folds=1, seeds=1, max_epochs=1, baselines=["naive"], out="run2")
result = recurra.compare("ar2", families=["linear"], **options)
written = json.load(open("run2/comparison.json"))
print(json.dumps([result.summary_rows[0], comparison_html(result), list(written["summary"][0])]))
""")
    assert row["toy_largest"] > 0
    assert "largest error: a toy" in report
    assert {"toy_largest", "toy_largest_sd"} <= set(names)


def test_a_format_is_a_function_and_a_line(house, touched):
    house.new("datasets/bars.py", FORMAT)
    house.insert("datasets/files.py", "from ..errors import InputError\n", "from .bars import read_bars\n")
    house.insert("datasets/files.py", '    ".ndjson": _read_json_lines,\n', '    ".bars": read_bars,\n')
    assert touched() == ["datasets/bars.py", "datasets/files.py"]
    (house.root / "wave.bars").write_text("ds|y\n2024-01-01|1\n2024-01-02|2\n2024-01-03|3\n", encoding="utf-8")
    (house.root / "wave.xyz").write_text("ds|y\n", encoding="utf-8")
    shape, message = house.run("""
import json, recurra
frame = recurra.load("wave.bars")
try:
    recurra.load("wave.xyz")
except recurra.InputError as error:
    message = str(error)
print(json.dumps([list(frame.table.shape), message]))
""")
    assert shape[0] == 3
    assert ".bars" in message


def test_an_option_is_one_annotated_field(house, touched):
    house.insert(
        "comparison/settings.py",
        'seeds: Annotated[int, "Repetitions of each training."] = 3\n',
        '    toy_limit: Annotated[int, "A toy that nobody reads."] = 7\n',
    )
    assert touched() == ["comparison/settings.py"]
    help_text, settings = house.run("""
import json, recurra
from typer.testing import CliRunner
from recurra.cli import app
shown = CliRunner().invoke(app, ["compare", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
options = dict(horizon=3, lookback=6, season=1, folds=1, seeds=1, max_epochs=1, baselines=["naive"], toy_limit=9)
print(json.dumps([shown, recurra.compare("ar2", families=["linear"], **options).settings]))
""")
    assert "--toy-limit" in help_text
    assert "A toy that nobody reads." in help_text
    assert settings["toy_limit"] == 9


def test_a_data_set_is_one_file_and_one_line(house, touched):
    house.new("datasets/toy_wave.py", DATASET)
    house.insert("datasets/__init__.py", "    tinyshakespeare,\n", "    toy_wave,\n")
    house.insert("datasets/__init__.py", "DATASETS: dict[str, Dataset] = {\n", '    "toy_wave": toy_wave.DATASET,\n')
    assert touched() == ["datasets/__init__.py", "datasets/toy_wave.py"]
    rows, listed = house.run("""
import json, recurra
from typer.testing import CliRunner
from recurra.cli import app
listed = CliRunner().invoke(app, ["datasets"]).output
print(json.dumps([len(recurra.load("toy_wave").table), listed]))
""")
    assert rows == 120
    assert "toy_wave" in listed
