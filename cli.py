"""The command line: parse, call, print."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from . import __version__, datasets
from .atomic import replacing
from .errors import InputError

if TYPE_CHECKING:
    from .frames import SeriesFrame

app = typer.Typer(
    help="Does your sequence data need a memory? Train recurrent and simpler models under equal conditions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
# A copy of standard error: progress stays visible while TensorFlow's start-up is kept quiet.
_stderr = os.fdopen(os.dup(2), "w", encoding="utf-8")
atexit.register(_stderr.close)
say = Console(file=_stderr, highlight=False)
out = Console(highlight=False)

Source = Annotated[
    str, typer.Argument(help="A data set's name (see `recurra datasets`) or a CSV, Parquet or JSON-lines file.")
]
Time = Annotated[
    str | None, typer.Option(help="Time column; parts such as year,month,day,hour; or none for row numbers.")
]
Target = Annotated[list[str] | None, typer.Option(help="Column to forecast; several with commas or repeated.")]
Id = Annotated[str | None, typer.Option(help="Column that tells the series apart.")]
Past = Annotated[list[str] | None, typer.Option(help="Covariates known only up to now.")]
Future = Annotated[list[str] | None, typer.Option(help="Covariates known ahead.")]
Freq = Annotated[str | None, typer.Option(help="Step of time, such as h or MS; otherwise inferred.")]
Horizon = Annotated[int | None, typer.Option(help="Steps to forecast; by default one season.")]
Lookback = Annotated[int | None, typer.Option(help="Steps to read; by default two seasons.")]
Season = Annotated[
    int | None, typer.Option(help="Steps in a season; 1 for none. By default found in the autocorrelation.")
]
Missing = Annotated[str, typer.Option(help="Missing inputs: interpolate, ffill or error.")]
Calendar = Annotated[list[str] | None, typer.Option(help="Calendar features: day, week, year.")]
Transform = Annotated[str, typer.Option(help="log: work on logarithms of positive targets; or none.")]
Loss = Annotated[str, typer.Option(help="Training loss: mae, mse or huber.")]
Epochs = Annotated[int, typer.Option(help="The most epochs of a training.")]
Budget = Annotated[str | None, typer.Option(help="Time for all training together, such as 90s, 10m, 1h.")]
Export = Annotated[
    Path | None, typer.Option(help="Export the (best) trained model as the next version under this folder.")
]
Given = Annotated[
    list[str] | None, typer.Option("--set", help="A model setting for every family that has it, such as units=32.")
]


@app.callback(invoke_without_command=True)
def _about(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        out.print(f"recurra {__version__}")
        raise typer.Exit


@app.command()
def compare(
    source: Source,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    past: Past = None,
    future: Future = None,
    freq: Freq = None,
    horizon: Horizon = None,
    lookback: Lookback = None,
    season: Season = None,
    families: Annotated[
        list[str] | None, typer.Option(help="Of linear, dense, simple_rnn, gru, lstm; by default all.")
    ] = None,
    baselines: Annotated[
        list[str] | None, typer.Option(help="Of naive, seasonal_naive, naive2, drift, theta, ets; by default all.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Cutoffs, each tested on the rows after it.")] = 3,
    seeds: Annotated[int, typer.Option(help="Repetitions of each training.")] = 3,
    configs: Annotated[int, typer.Option(help="Settings tried of each family, chosen on validation rows.")] = 1,
    test_size: Annotated[int | None, typer.Option(help="Rows tested after each cutoff; by default a tenth.")] = None,
    budget: Budget = None,
    missing: Missing = "interpolate",
    calendar: Calendar = None,
    transform: Transform = "none",
    loss: Loss = "mae",
    max_epochs: Epochs = 100,
    set_: Given = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; by default runs/NAME.")
    ] = None,
    export: Export = None,
) -> None:
    """Train every family under equal conditions and say whether a recurrent network is worth its cost."""
    frame = _load(source, time=time, target=target, id=id, past=past, future=future, freq=freq, missing=missing)
    folder = out_folder or Path("runs") / _name(source)
    with _starting():
        from . import comparison, reports
        from .export import save_model
        from .reports.live import show
    given = {"families": _split(families), "baselines": _split(baselines)}
    with show(say) as on_progress, _interruptible(folder):
        result = comparison.compare(
            frame,
            **{name: names for name, names in given.items() if names is not None},
            horizon=horizon,
            lookback=lookback,
            season=season,
            budget=budget,
            out=folder,
            refit=export is not None,
            on_progress=on_progress,
            folds=folds,
            seeds=seeds,
            configs=configs,
            test_size=test_size,
            missing=missing,
            calendar=tuple(_split(calendar) or ()),
            transform=transform,
            loss=loss,
            max_epochs=max_epochs,
            config=_settings(set_),
        )
    plots = reports.write_plots(result, folder)
    for part in (
        reports.notes(result),
        reports.leaderboard(result),
        reports.tests_table(result),
        reports.verdict_panel(result),
    ):
        if part is not None:
            out.print(part)
    out.print(
        f"results: {folder}/comparison.json, comparison.csv, {', '.join(plot.name for plot in plots)}", soft_wrap=True
    )
    if export is not None and result.predictor is not None:
        with say.status("exporting ..."):
            path = save_model(result.predictor, export, frame, **result.provenance())
        family, best = (result.training or {})["family"], result.verdict["best"]
        if best != family:
            better = f"{best} was better, but is fitted to each series anew"
            out.print(f"exported is {family}, the best trained family; {better}", soft_wrap=True)
        _exported(path, export, source)


@app.command()
def fit(
    source: Source,
    family: Annotated[str, typer.Option(help="linear, dense, simple_rnn, gru or lstm.")],
    export: Export = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    past: Past = None,
    future: Future = None,
    freq: Freq = None,
    horizon: Horizon = None,
    lookback: Lookback = None,
    season: Season = None,
    budget: Budget = None,
    missing: Missing = "interpolate",
    calendar: Calendar = None,
    transform: Transform = "none",
    loss: Loss = "mae",
    max_epochs: Epochs = 100,
    seed: Annotated[int, typer.Option(help="Of weights and order.")] = 0,
    set_: Given = None,
) -> None:
    """Train one family on all rows and export it."""
    frame = _load(source, time=time, target=target, id=id, past=past, future=future, freq=freq, missing=missing)
    export = export or Path("saved_models") / _name(source)
    with _starting():
        from . import comparison
        from .export import save_model
        from .reports.live import show
    with show(say) as on_progress:
        fitted = comparison.fit(
            frame,
            family=family,
            horizon=horizon,
            lookback=lookback,
            season=season,
            budget=budget,
            seed=seed,
            on_progress=on_progress,
            missing=missing,
            calendar=tuple(_split(calendar) or ()),
            transform=transform,
            loss=loss,
            max_epochs=max_epochs,
            config=_settings(set_),
        )
    for note in fitted.notes:
        out.print(f"- {note}", markup=False, soft_wrap=True)
    history = fitted.history
    out.print(
        f"{family}: validation loss {history.best_loss:.4g} (scaled units) after epoch {history.best_epoch} of "
        f"{len(history.losses)}, {history.seconds:.1f} s, ended by {history.stopped_by}",
        soft_wrap=True,
    )
    with say.status("exporting ..."):
        path = save_model(fitted.predictor, export, frame, training=fitted.training)
    _exported(path, export, source)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="An exported model: its folder, or one version's.")],
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="The newest rows, of known series or new ones; or a data set's name.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .csv or .parquet file; by default CSV on standard output.")
    ] = None,
) -> None:
    """Forecast the steps after the last rows of each series, from the exported model alone."""
    if output is not None and output.suffix not in (".csv", ".parquet"):
        raise InputError(f"-o {output} ends in {output.suffix!r}; .csv or .parquet was expected")
    with _starting():
        from .export import load_model
    with say.status("predicting ..."):
        exported = load_model(model)
        forecast = exported.predict(source)
    for note in exported.info["interval_notes"]:
        say.print(f"- {note}", markup=False, soft_wrap=True)
    if output is None:
        forecast.to_csv(sys.stdout, index=False)
        return
    with _writing(output) as path:
        forecast.to_csv(path, index=False) if output.suffix == ".csv" else forecast.to_parquet(path, index=False)
    say.print(f"{len(forecast):,} rows written to {output}")


@app.command("datasets")
def list_datasets() -> None:
    """List the data sets that can be used by name."""
    table = Table(box=None, pad_edge=False)
    for column in ("name", "rows", "download"):
        table.add_column(column, no_wrap=True, justify="right" if column == "rows" else "left")
    for column in ("task", "source", "licence"):
        table.add_column(column)
    for name in datasets.list_datasets():
        record = datasets.DATASETS[name]
        download = "yes" if record.download else "no"
        table.add_row(name, f"{record.rows:,}", download, record.task, record.source, record.licence)
    out.print(table)


@app.command()
def windows(
    source: Source,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    freq: Freq = None,
    horizon: Horizon = None,
    lookback: Lookback = None,
    season: Season = None,
    folds: Annotated[int, typer.Option(help="Cutoffs.")] = 3,
) -> None:
    """Print the first and last window of every fold, so that an off-by-one can be seen."""
    frame = _load(source, time=time, target=target, id=id, past=None, future=None, freq=freq, missing="keep")
    from .pipelines import derive_window, rolling_origin, window_table

    horizon, lookback, _, notes = derive_window(frame, horizon=horizon, lookback=lookback, season=season)
    for note in notes:
        say.print(f"· {note}", soft_wrap=True)
    cut = rolling_origin(frame, horizon=horizon, lookback=lookback, n_folds=folds)
    out.print(window_table(frame, cut, lookback=lookback, horizon=horizon).to_string(index=False), soft_wrap=True)


@contextmanager
def _starting() -> Iterator[None]:
    """Import TensorFlow without its messages, which are about its build and not about the user's data.

    They come from before its logging is set up, so TF_CPP_MIN_LOG_LEVEL alone does not stop them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = os.dup(2)
    with say.status("starting TensorFlow ..."), open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()  # looks for a GPU now, and says so now
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _interruptible(folder: Path) -> Iterator[None]:
    """Say on Ctrl-C what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        say.print(f"recurra: stopped; what was finished is kept in {folder}, the same command goes on", soft_wrap=True)
        raise typer.Exit(130) from None


def _load(source: str, *, missing: str, **roles: Any) -> SeriesFrame:
    for name in ("target", "past", "future"):
        roles[name] = _split(roles[name])
    given = {name: value for name, value in roles.items() if value}
    with say.status(f"reading {source} ..."):
        return datasets.load(source, **given, missing="error" if missing == "error" else "keep")


def _split(values: list[str] | None) -> list[str] | None:
    """["a,b", "c"] → ["a", "b", "c"]."""
    if values is None:
        return None
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _settings(pairs: list[str] | None) -> dict[str, Any] | None:
    """["units=32", "dropout=0.1"] → {"units": 32, "dropout": 0.1}."""
    if not pairs:
        return None
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputError(f"--set takes NAME=VALUE, such as units=32; received {pair!r}")
        settings[name.strip()] = _value(text.strip())
    return settings


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _name(source: str) -> str:
    """runs/NAME and saved_models/NAME for a data set or a file: data/sales.csv.gz → sales."""
    return Path(source).name.split(".")[0] or "run"


def _exported(path: Path, export: Path, source: str) -> None:
    out.print(f"exported: {path}", soft_wrap=True)
    out.print(f"predict with it: recurra predict {export} {source}", soft_wrap=True)


@contextmanager
def _writing(output: Path) -> Iterator[Path]:
    try:
        with replacing(output) as path:
            yield path
    except OSError as error:
        raise InputError(f"cannot write {output}: {error.strerror}; choose another -o") from error


def main() -> None:
    """Run the command line: what a user can mend is one sentence and exit code 2."""
    try:
        app(standalone_mode=True)
    except InputError as error:
        say.print(f"recurra: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
