"""The command line, as its user meets it: real processes, real files."""

import io
import json
import re
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
import typer
from command_line import one_after_another, succeed
from typer.testing import CliRunner

from recurra.cli import app
from recurra.command_options import ColumnRoles
from recurra.comparison import CompareSettings
from recurra.tasks import TASKS

ROOT = Path(__file__).resolve().parents[1]
RECURRA = Path(sys.executable).parent / "recurra"
ROLES = ["--time", "day", "--target", "sold", "--id", "shop", "--past-covariates", "weather"]
TINY = ["--families", "linear,gru", "--baselines", "naive,seasonal_naive", "--folds", "2", "--seeds", "1"]
TINY += ["--max-epochs", "2", "--horizon", "3", "--lookback", "9", "--season", "7", "--set", "units=4"]


def settings_with_help():
    """Name → help texts of every setting of the comparison, the tasks and the columns."""
    found = {}
    for made in (CompareSettings, ColumnRoles, *TASKS.values()):
        hints = get_type_hints(made, include_extras=True)
        for field in fields(made):
            _, text = get_args(hints[field.name])
            found.setdefault(field.name, []).append(text)
    return found


SETTINGS = settings_with_help()


def flag(name):
    return "--set" if name == "config" else f"--{name.replace('_', '-')}"


def recurra(*arguments, cwd, expect=0):
    done = subprocess.run(
        [str(RECURRA), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == expect, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a user's file: two shops, a text covariate, a gap."""
    folder = tmp_path_factory.mktemp("desk")
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=140)
    parts = [
        pd.DataFrame(
            {
                "day": days,
                "shop": shop,
                "sold": size * (3 + np.sin(np.arange(140) * 2 * np.pi / 7)) + rng.normal(size=140),
                "weather": rng.choice(["sun", "rain"], 140),
            }
        )
        for shop, size in (("north", 10), ("south", 200))
    ]
    table = pd.concat(parts)
    table.iloc[30, 2] = np.nan
    table.to_csv(folder / "sales.csv", index=False)
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(scope="module")
def compared(desk):
    arguments = ["compare", "sales.csv", *ROLES, *TINY, "--export", "saved_models/sales"]
    return arguments, recurra(*arguments, cwd=desk)


def test_compare_says_what_it_found_and_writes_it_down(desk, compared):
    _, done = compared
    said = json.loads((desk / "runs/sales/comparison.json").read_text())
    assert {"worth_it", "best", "text", "effort"} <= set(said["verdict"])
    assert said["data"]["series"] == 2
    told = " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stdout).split())
    assert " ".join(said["verdict"]["text"].split()) in told
    assert "1 of 280 values of 'sold'" in told
    for name in ("forecast.png", "error_by_step.png", "error_against_cost.png", "comparison.csv"):
        assert (desk / "runs/sales" / name).stat().st_size > 100
    assert "exported: saved_models/sales/1" in done.stdout
    assert "predict with it: recurra predict saved_models/sales sales.csv" in done.stdout
    assert "gru · fold 2 · seed 1" in done.stderr  # progress, a line a trial where nobody watches


def test_the_same_command_again_trains_nothing_anew(desk, compared):
    arguments, first = compared
    trials = {path: path.stat().st_mtime_ns for path in (desk / "runs/sales/trials").iterdir()}
    again = recurra(*arguments, cwd=desk)
    assert {path: path.stat().st_mtime_ns for path in (desk / "runs/sales/trials").iterdir()} == trials
    assert again.stdout == first.stdout
    assert [p.name for p in (desk / "saved_models/sales").iterdir()] == ["1"]


def test_another_question_in_the_same_folder_is_refused(desk, compared):
    arguments, _ = compared
    done = recurra(*[a if a != "3" else "2" for a in arguments], cwd=desk, expect=2)
    assert "holds another comparison: its --horizon is 3, now it is 2; choose another --out" in done.stderr


def heed_ctrl_c():
    """A job in the background of a script inherits SIGINT as ignored, and hands that on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_says_what_is_kept_and_the_same_command_resumes(desk):
    small = ["--families", "linear", "--baselines", "naive,seasonal_naive", "--folds", "2", "--seeds", "2"]
    small += ["--max-epochs", "2", "--horizon", "3", "--lookback", "9", "--season", "7"]
    arguments = ["compare", "ar2", *small, "--out", "runs/stopped"]
    process = subprocess.Popen(
        [str(RECURRA), *arguments],
        cwd=desk,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509  (no thread of the parent holds a lock that the child needs)
    )
    for line in process.stderr:
        if line.startswith("[4/"):
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 130
    assert "recurra: stopped; what was finished is kept in runs/stopped, the same command resumes it" in rest
    assert "Traceback" not in rest
    kept = sorted((desk / "runs/stopped/trials").glob("*.json"))
    assert len(kept) >= 3
    assert "[1/" not in recurra(*arguments, cwd=desk).stderr


def test_the_winner_predicts_by_the_command_that_was_printed(desk, compared):
    command = re.search(r"predict with it: recurra (.*)", compared[1].stdout)[1]
    printed = pd.read_csv(io.StringIO(recurra(*command.split(), cwd=desk).stdout))
    assert list(printed)[:3] == ["shop", "day", "sold"]
    assert printed["day"].tolist() == ["2024-05-20", "2024-05-21", "2024-05-22"] * 2
    assert np.isfinite(printed["sold"]).all()


def test_predict_prints_what_it_noted_while_reading(desk):
    days = pd.date_range("2020-04-01", periods=60).strftime("%d/%m/%Y")
    pd.DataFrame({"date": days[::-1], "y": range(60)}).to_csv(desk / "backwards.csv", index=False)
    fit = ["fit", "backwards.csv", "--family", "naive", "--horizon", 2, "--export", "saved_models/back"]
    _, done = succeed(fit, ["predict", "saved_models/back", "backwards.csv"], cwd=desk)
    assert "are read as day/month/year" in done.stderr
    assert "they are sorted" in done.stderr
    assert done.stdout.splitlines()[1].startswith("series,2020-05-31,")


def test_predict_writes_csv_or_parquet_or_prints(desk):
    tiny = ["--horizon", 3, "--lookback", 9, "--season", 7, "--max-epochs", 1]
    *_, last = succeed(
        ["fit", "sales.csv", *ROLES, *tiny, "--family", "linear", "--export", "saved_models/linear"],
        ["predict", "saved_models/linear", "sales.csv", "-o", "out.csv"],
        ["predict", "saved_models/linear/1", "sales.csv", "-o", "out.parquet"],
        ["predict", "saved_models/linear", "sales.csv"],
        cwd=desk,
    )
    csv, parquet = pd.read_csv(desk / "out.csv"), pd.read_parquet(desk / "out.parquet")
    assert list(csv) == ["shop", "day", "sold", "sold-lo-80", "sold-hi-80", "sold-lo-95", "sold-hi-95"]
    assert csv["day"].tolist() == ["2024-05-20", "2024-05-21", "2024-05-22"] * 2
    np.testing.assert_allclose(csv["sold"], parquet["sold"])
    assert last.stdout == (desk / "out.csv").read_text()


def test_fit_exports_one_family(desk):
    done = recurra(
        "fit", "ar2", "--family", "linear", "--horizon", "2", "--lookback", "4", "--max-epochs", "1", cwd=desk
    )
    assert "linear: validation loss" in done.stdout
    assert (desk / "saved_models/ar2/1/saved_model.pb").exists()


# What is refused

REFUSED = [
    (["compare", "nothing.csv"], "nothing.csv: no such file; "),
    (["compare", "co3"], "did you mean co2 "),
    (["compare", "empty"], "a folder was found where a file was expected"),
    (["compare", "sales.csv", "--target", "visits"], "no column is called 'visits'; the columns are 'day', 'shop'"),
    (["compare", "sales.csv", "--target", "sold", "--label", "shop"], "--target, which is for a series to forecast"),
    (["windows", "sales.csv", "--target", "solt"], "did you mean 'sold'?"),
    (["windows", "sales.csv", "--id", "shop", "--horizon", "200"], "fewer than one window of"),
    (["compare", "ar2", "--horizon", "5000"], "the longest series has 3000 rows, of which 0 are left for training"),
    (["compare", "ar2", "--task", "guess"], "--task must be one of forecast, classification, regression, tagging"),
    (["compare", "ar2", "--task", "classification"], "the data are for forecast where --task is 'classification'"),
    (["compare", "ar2", "--tokens", "word"], "--tokens does not apply to the task forecast, which has --horizon"),
    (["compare", "ar2", "--folds", "0"], "--folds must be at least 1; received 0"),
    (["compare", "ar2", "--batch-size", "0"], "--batch-size must be at least 1; received 0"),
    (["compare", "ar2", "--missing", "guess"], "--missing must be one of interpolate, ffill, error; received 'guess'"),
    (["compare", "ar2", "--families", "lstmm"], "received 'lstmm'; did you mean lstm?"),
    (["compare", "ar2", "--families", "gru,gru"], "--families must name each model once; received gru, gru"),
    (["compare", "ar2", "--baselines", "naiv"], "--baselines must be some of naive, seasonal_naive, "),
    (["compare", "ar2", "--budget", "soon"], "--budget must be a time such as 90s, 10m or 1h; received 'soon'"),
    (["compare", "ar2", "--loss", "foo"], "--loss must be one of mae, mse, huber; received 'foo'"),
    (["compare", "ar2", "--set", "unit=3"], "received 'unit'"),
    (["fit", "ar2", "--family", "lstm", "--set", "units"], "--set must be NAME=VALUE"),
    (["fit", "ar2", "--family", "lstm:units=few"], "must be a whole number of at least 1; received 'few'"),
    (["fit", "ar2", "--family", "linear", "--calendar", "week"], "calendar features need time stamps"),
    (["fit", "ar2", "--family", "linear", "--transform", "log"], "the logarithm needs positive values"),
    (["predict", "saved_models/none", "sales.csv"], "there is no exported model at saved_models/none"),
    (["predict", "saved_models/none", "sales.csv", "-o", "out.xls"], "--output must end in .csv or .parquet"),
    (
        ["predict", "saved_models/none", "empty", "-o", "empty/out.parquet"],
        "--output is in the folder that is read, empty",
    ),
    (["predict", "saved_models/none"], "give either a file or --text; received neither"),
    (["generate", "saved_models/none"], "there is no exported model at saved_models/none"),
    (["generate", "saved_models/none", "--length", "0"], "--length must be at least 1; received 0"),
    (
        ["compare", "ar2", "--export", "sales.csv/x"],
        "cannot write to sales.csv/x: Not a directory; choose another --export",
    ),
    (["compare", "ar2", "--report", "sales.csv/x.html"], "cannot write to sales.csv: "),
    (["inspect", "saved_models/none", "--json", "sales.csv/x.json"], "cannot write to sales.csv: "),
    (["audit", "ar2", "--json", "sales.csv/x.json"], "cannot write to sales.csv: "),
    (
        ["memory", "recall", "--out", "sales.csv/x"],
        "cannot write to sales.csv/x: Not a directory; choose another --out",
    ),
    (["memory", "chess"], "the memory task must be one of recall, order, adding, copy; received 'chess'"),
    (["memory", "--distances", "far"], "--distances must be whole numbers such as 5,50; received 'far'"),
]


@pytest.fixture(scope="module")
def refused(desk):
    """Exit code, standard output and standard error of each call, and the files before and after all of them."""
    before = sorted(desk.rglob("*"))
    found = one_after_another(*[arguments for arguments, _ in REFUSED], cwd=desk)
    return found, before, sorted(desk.rglob("*"))


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_what_a_user_can_fix_is_one_sentence(refused, number):
    done = refused[0][number]
    error = done.stderr
    assert done.returncode == 2, error
    assert REFUSED[number][1] in error
    notes = [line for line in error.splitlines() if line.startswith("- ")]
    [sentence] = [line for line in error.splitlines() if line not in notes]
    assert sentence.startswith("recurra: ")
    assert [name for name in SETTINGS if f"`{name}`" in error] == []  # they are named as options
    assert done.stdout == ""


def test_what_is_refused_leaves_no_files(refused):
    _, before, after = refused
    assert after == before


def test_the_command_itself_ends_with_code_2(desk):
    done = recurra("compare", "ar2", "--families", "lstn", cwd=desk, expect=2)
    assert done.stderr.startswith("recurra: --families must be some of ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["compare", "ar2", "--hoirzon", "3"], r"no such option: --hoirzon .*--horizon.*; see recurra compare --help"),
        (["fit", "ar2", "--family", "gru", "--seed", "x"], r"invalid value for '--seed': .*; see recurra fit --help"),
        (["predict"], r"missing argument 'model'; see recurra predict --help"),
    ],
)
def test_what_is_no_command_line_is_said_in_one_sentence(arguments, sentence, desk):
    done = recurra(*arguments, cwd=desk, expect=2)
    assert re.fullmatch(f"recurra: {sentence}\n", done.stderr)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["compare"], "source"),
        (["compare", "ar2", "--folds", "two"], "--folds"),
        (["compare", "ar2", "--hoirzon", "3"], "--hoirzon"),
        (["fit", "ar2"], "--family"),
        (["compute", "ar2"], "compute"),
    ],
)
def test_what_is_no_command_line_is_refused_by_name(arguments, name):
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 2
    assert name in done.stderr
    assert "Traceback" not in done.output


# What there is


def test_datasets_and_version(desk):
    assert "co2" in recurra("datasets", cwd=desk).stdout
    assert re.fullmatch(r"recurra \d+\.\d+\.\d+\n", recurra("--version", cwd=desk).stdout)


def test_windows_shows_the_first_and_last_window_of_every_part(desk):
    done = recurra("windows", "ar2", "--horizon", "2", "--lookback", "4", "--season", "1", "--folds", "1", cwd=desk)
    first = done.stdout.splitlines()[1].split()
    assert first == ["0", "train", "2395", "series", "0", "3", "4", "5"]


def shown_options(command):
    """Option → help text, as `--help` prints them on a wide terminal."""
    done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "400", "TERM": "dumb"})
    assert done.exit_code == 0
    rows = re.findall(r"│ +(?:\* +)?(--[a-z-]+)(?:,? +--?[a-z-]+)* +(?:<[^>]+> +)?([^│]*)│", done.output)
    return {option: text.strip() for option, text in rows}


@pytest.fixture(scope="module")
def options():
    return shown_options("compare")


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_an_option_with_help(options, name):
    assert options[flag(name)] in SETTINGS[name]
    assert len(options[flag(name)]) > 10


@pytest.mark.parametrize("command", [c.name or c.callback.__name__ for c in app.registered_commands])
def test_every_option_has_help(command):
    assert {option for option, text in shown_options(command).items() if len(text) < 10} == set()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_in_the_docs_of_the_command_line(name):
    docs = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert re.search(rf"`{flag(name)}[ `]", docs)


def test_every_command_and_option_is_in_the_docs():
    docs = "\n".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert f"recurra {name}" in docs
    shown = subprocess.run([str(RECURRA), "compare", "--help"], capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"--[a-z][a-z-]+", shown)) - {"--help"}:
        assert option in docs, f"{option} is not in the docs"


def test_what_is_on_already_can_be_turned_off():
    command = typer.main.get_command(app).commands["compare"]
    for arguments, value in (([], None), (["--bucket-by-length"], True), (["--no-bucket-by-length"], False)):
        assert command.make_context("compare", ["co2", *arguments]).params["bucket_by_length"] is value
