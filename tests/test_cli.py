"""The command line, as its user meets it: real processes, real files."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
RECURRA = Path(sys.executable).parent / "recurra"
TINY = ["--families", "linear,gru", "--baselines", "naive,seasonal_naive", "--folds", "2", "--seeds", "1"]
TINY += ["--max-epochs", "2", "--horizon", "3", "--lookback", "9", "--season", "7", "--set", "units=4"]


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
    return folder


@pytest.fixture(scope="module")
def compared(desk):
    roles = ["--time", "day", "--target", "sold", "--id", "shop", "--past", "weather"]
    arguments = ["compare", "sales.csv", *roles, *TINY, "--export", "saved_models/sales"]
    return arguments, recurra(*arguments, cwd=desk)


def test_compare_says_what_it_found_and_writes_it_down(desk, compared):
    _, done = compared
    said = json.loads((desk / "runs/sales/comparison.json").read_text())
    assert set(said["verdict"]) == {"worth_it", "best", "text"}
    assert said["data"]["series"] == 2
    told = " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stdout).split())
    assert " ".join(said["verdict"]["text"].split()) in told
    assert "1 of 280 values of `sold`" in told
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
    assert "holds another comparison: its horizon is 3, now it is 2; choose another --out" in done.stderr


def test_ctrl_c_says_what_is_kept_and_the_same_command_goes_on(desk):
    arguments = ["compare", "ar2", *TINY[:-2], "--seeds", "2", "--out", "runs/stopped"]
    process = subprocess.Popen([str(RECURRA), *arguments], cwd=desk, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("[4/"):
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 130
    assert "recurra: stopped; what was finished is kept in runs/stopped, the same command goes on" in rest
    assert "Traceback" not in rest
    kept = sorted((desk / "runs/stopped/trials").glob("*.json"))
    assert len(kept) >= 3
    assert "[1/" not in recurra(*arguments, cwd=desk).stderr


def test_predict_writes_csv_or_parquet_or_prints(desk, compared):
    assert compared[1].returncode == 0
    recurra("predict", "saved_models/sales", "sales.csv", "-o", "out.csv", cwd=desk)
    recurra("predict", "saved_models/sales/1", "sales.csv", "-o", "out.parquet", cwd=desk)
    csv, parquet = pd.read_csv(desk / "out.csv"), pd.read_parquet(desk / "out.parquet")
    assert list(csv) == ["shop", "day", "sold", "sold-lo-80", "sold-hi-80", "sold-lo-95", "sold-hi-95"]
    assert csv["day"].tolist() == ["2024-05-20", "2024-05-21", "2024-05-22"] * 2
    np.testing.assert_allclose(csv["sold"], parquet["sold"])
    printed = recurra("predict", "saved_models/sales", "sales.csv", cwd=desk).stdout
    assert printed == (desk / "out.csv").read_text()


def test_fit_exports_one_family(desk):
    done = recurra(
        "fit", "ar2", "--family", "linear", "--horizon", "2", "--lookback", "4", "--max-epochs", "1", cwd=desk
    )
    assert "linear: validation loss" in done.stdout
    assert (desk / "saved_models/ar2/1/saved_model.pb").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "nothing.csv"], "There is no file nothing.csv"),
        (["compare", "co3"], "did you mean co2 "),
        (["windows", "sales.csv", "--target", "solt"], "did you mean `sold`?"),
        (["windows", "sales.csv", "--id", "shop", "--horizon", "200"], "fewer than one window of"),
        (["predict", "saved_models/none", "sales.csv"], "there is no exported model at saved_models/none"),
        (["predict", "saved_models/none", "sales.csv", "-o", "out.xls"], ".csv or .parquet was expected"),
        (["compare", "ar2", "--families", "lstn"], "there is no 'lstn'; choose from linear, dense"),
        (["compare", "ar2", "--budget", "soon"], "--budget takes a time such as 90s, 10m or 1h; received 'soon'"),
        (["compare", "ar2", "--loss", "foo"], "--loss takes mae, mse, huber; received 'foo'"),
        (["compare", "ar2", "--set", "unit=3"], "no chosen family has a setting 'unit'"),
        (["fit", "ar2", "--family", "lstm", "--set", "units"], "--set takes NAME=VALUE"),
        (["fit", "ar2", "--family", "linear", "--calendar", "week"], "calendar features need time stamps"),
        (["fit", "ar2", "--family", "linear", "--transform", "log"], "the logarithm needs positive values"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(desk, arguments, words):
    before = sorted(desk.rglob("*"))
    done = recurra(*arguments, cwd=desk, expect=2)
    assert words in done.stderr
    assert done.stdout == ""
    assert len([line for line in done.stderr.splitlines() if line.startswith("recurra: ")]) == 1
    assert sorted(desk.rglob("*")) == before


def test_datasets_and_version(desk):
    assert "co2" in recurra("datasets", cwd=desk).stdout
    assert re.fullmatch(r"recurra \d+\.\d+\.\d+\n", recurra("--version", cwd=desk).stdout)


def test_windows_shows_the_first_and_last_window_of_every_part(desk):
    done = recurra("windows", "ar2", "--horizon", "2", "--lookback", "4", "--season", "1", "--folds", "1", cwd=desk)
    first = done.stdout.splitlines()[1].split()
    assert first == ["0", "train", "2395", "series", "0", "3", "4", "5"]


def test_every_command_and_option_is_in_the_docs():
    from recurra.cli import app

    docs = "\n".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert f"recurra {name}" in docs
    options = subprocess.run([str(RECURRA), "compare", "--help"], capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"--[a-z][a-z-]+", options)) - {"--help"}:
        assert option in docs, f"{option} is not in the docs"
