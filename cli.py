"""The command line: parse, call, print."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Words

from . import __version__, datasets
from .atomic import replacing
from .errors import InputError

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
    str,
    typer.Argument(
        help="A data set's name (see `recurra datasets`) or a file: CSV, Parquet, JSON lines, .npz, .ts or .txt."
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        help="forecast, classification, regression, tagging or language-model; by default what the columns ask for."
    ),
]
# Columns of a series.
Time = Annotated[
    str | None, typer.Option(help="Time column; parts such as year,month,day,hour; or none for row numbers.")
]
Target = Annotated[list[str] | None, typer.Option(help="Column to forecast; several with commas or repeated.")]
Id = Annotated[str | None, typer.Option(help="Column that tells the series, or the sequences, apart.")]
Past = Annotated[list[str] | None, typer.Option(help="Covariates known only up to now.")]
Future = Annotated[list[str] | None, typer.Option(help="Covariates known ahead.")]
Freq = Annotated[str | None, typer.Option(help="Step of time, such as h or MS; otherwise inferred.")]
# Columns of texts and panels.
Text = Annotated[str | None, typer.Option(help="Column of texts.")]
Label = Annotated[str | None, typer.Option(help="Column of classes to tell; of a language model, to be told.")]
Value = Annotated[str | None, typer.Option(help="Column of numbers to tell, one for each text or sequence.")]
Tags = Annotated[str | None, typer.Option(help="Column of the class of each step.")]
Values = Annotated[str | None, typer.Option(help="Column of lists of numbers, one sequence a row.")]
Channels = Annotated[list[str] | None, typer.Option(help="Columns of numbers, one step a row.")]
Test = Annotated[Path | None, typer.Option(help="A second file like the first: the official test part.")]
Split = Annotated[str | None, typer.Option(help="Column that says train or test.")]
# How series are read.
Horizon = Annotated[int | None, typer.Option(help="Steps to forecast; by default one season.")]
Lookback = Annotated[int | None, typer.Option(help="Steps to read; by default two seasons.")]
Season = Annotated[
    int | None, typer.Option(help="Steps in a season; 1 for none. By default found in the autocorrelation.")
]
Missing = Annotated[str | None, typer.Option(help="Missing inputs: interpolate (the default), ffill or error.")]
Calendar = Annotated[list[str] | None, typer.Option(help="Calendar features: day, week, year.")]
Transform = Annotated[str | None, typer.Option(help="log: work on logarithms of positive targets.")]
# How texts and panels are read.
Tokens = Annotated[
    str | None, typer.Option(help="word, char or space; by default char where most texts are single words.")
]
VocabularySize = Annotated[int | None, typer.Option(help="The most tokens known; by default 20,000.")]
MinCount = Annotated[int | None, typer.Option(help="Times a word must occur to be known; by default 2.")]
Length = Annotated[
    int | None,
    typer.Option(
        help="Steps read of each text or sequence, by default what 95 % of them need; of a language model, steps that "
        "the error is sent back."
    ),
]
Keep = Annotated[str | None, typer.Option(help="Of longer texts, read the first (the default) or the last steps.")]
Validation = Annotated[
    str | None,
    typer.Option(help="Examples that stop the training: random, or the last of each class where neighbours are alike."),
]
Balanced = Annotated[bool | None, typer.Option("--balanced", help="Let rare classes count more in training.")]
Vectors = Annotated[Path | None, typer.Option(help="Word vectors in GloVe's format for the embeddings to begin with.")]
# How models are trained.
Loss = Annotated[str | None, typer.Option(help="Training loss of numbers: mae (the default), mse or huber.")]
Epochs = Annotated[int | None, typer.Option(help="The most epochs of a training; by default 100 for forecasts.")]
Patience = Annotated[int | None, typer.Option(help="Epochs without improvement that end a training.")]
BatchSize = Annotated[int | None, typer.Option(help="Windows or examples in a training step.")]
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
    context: typer.Context,
    source: Source,
    task: Task = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    past: Past = None,
    future: Future = None,
    freq: Freq = None,
    text: Text = None,
    label: Label = None,
    value: Value = None,
    tags: Tags = None,
    values: Values = None,
    channels: Channels = None,
    test: Test = None,
    split: Split = None,
    horizon: Horizon = None,
    lookback: Lookback = None,
    season: Season = None,
    missing: Missing = None,
    calendar: Calendar = None,
    transform: Transform = None,
    tokens: Tokens = None,
    vocabulary_size: VocabularySize = None,
    min_count: MinCount = None,
    length: Length = None,
    keep: Keep = None,
    balanced: Balanced = None,
    validation: Validation = None,
    vectors: Vectors = None,
    loss: Loss = None,
    max_epochs: Epochs = None,
    patience: Patience = None,
    batch_size: BatchSize = None,
    budget: Budget = None,
    set_: Given = None,
    families: Annotated[
        list[str] | None, typer.Option(help="Of linear, dense, simple_rnn, gru, lstm; by default all.")
    ] = None,
    baselines: Annotated[
        list[str] | None, typer.Option(help="Of the task's baselines (see docs/models.md); by default all.")
    ] = None,
    folds: Annotated[int | None, typer.Option(help="Cutoffs, or parts, that are tested in turn; by default 3.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Repetitions of each training; by default 3.")] = None,
    configs: Annotated[
        int | None, typer.Option(help="Settings tried of each family, chosen on validation rows.")
    ] = None,
    test_size: Annotated[
        int | None, typer.Option(help="Rows of a series tested after each cutoff; by default a tenth.")
    ] = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; by default runs/NAME.")
    ] = None,
    export: Export = None,
) -> None:
    """Train every family under equal conditions and say whether a recurrent network is worth its cost."""
    given = _given(context)
    frame = _load(source, given, task)
    folder = out_folder or Path("runs") / _name(source)
    with _starting():
        from . import comparison, reports
        from .export import save_model
        from .reports.live import show
    with show(say) as on_progress, _interruptible(folder):
        result = comparison.compare(
            frame, task=task, out=folder, refit=export is not None, on_progress=on_progress, **given
        )
    plots = reports.write_plots(result, folder)
    for part in (
        reports.notes(result),
        reports.class_counts(result),
        reports.leaderboard(result),
        reports.tests_table(result),
        reports.verdict_panel(result),
    ):
        if part is not None:
            out.print(part)
    files = ["comparison.json", "comparison.csv", *(plot.name for plot in plots)]
    out.print(f"results: {folder}/{', '.join(files)}", soft_wrap=True)
    if export is not None and result.predictor is not None:
        with say.status("exporting ..."):
            path = save_model(result.predictor, export, frame, **result.provenance())
        trained = next(line["model"] for line in result.said["summary"] if line["kind"] == "family")
        if trained != result.verdict["best"]:
            better = f"{result.verdict['best']} was better, but is no network to be exported"
            out.print(f"exported is {trained}, the best trained family; {better}", soft_wrap=True)
        _exported(path, export, source, frame, result.said["task"])


@app.command()
def fit(
    context: typer.Context,
    source: Source,
    family: Annotated[str, typer.Option(help="linear, dense, simple_rnn, gru or lstm.")],
    task: Task = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    past: Past = None,
    future: Future = None,
    freq: Freq = None,
    text: Text = None,
    label: Label = None,
    value: Value = None,
    tags: Tags = None,
    values: Values = None,
    channels: Channels = None,
    test: Test = None,
    split: Split = None,
    horizon: Horizon = None,
    lookback: Lookback = None,
    season: Season = None,
    missing: Missing = None,
    calendar: Calendar = None,
    transform: Transform = None,
    tokens: Tokens = None,
    vocabulary_size: VocabularySize = None,
    min_count: MinCount = None,
    length: Length = None,
    keep: Keep = None,
    balanced: Balanced = None,
    validation: Validation = None,
    vectors: Vectors = None,
    loss: Loss = None,
    max_epochs: Epochs = None,
    patience: Patience = None,
    batch_size: BatchSize = None,
    budget: Budget = None,
    set_: Given = None,
    seed: Annotated[int, typer.Option(help="Of weights and order.")] = 0,
    export: Export = None,
) -> None:
    """Train one family on all rows and export it."""
    given = _given(context)
    frame = _load(source, given, task)
    export = export or Path("saved_models") / _name(source)
    with _starting():
        from . import comparison
        from .export import save_model
        from .reports.live import show
    with show(say) as on_progress:
        fitted = comparison.fit(frame, family=family, task=task, seed=seed, on_progress=on_progress, **given)
    for note in fitted.notes:
        out.print(f"- {note}", markup=False, soft_wrap=True)
    history = fitted.history
    unit = "scaled units" if fitted.task in ("forecast", "regression") else "nats"
    out.print(
        f"{family}: validation loss {history.best_loss:.4g} ({unit}) after epoch {history.best_epoch} of "
        f"{len(history.losses)}, {history.seconds:.1f} s, ended by {history.stopped_by}",
        soft_wrap=True,
    )
    with say.status("exporting ..."):
        path = save_model(fitted.predictor, export, frame, training=fitted.training)
    _exported(path, export, source, frame, fitted.task)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="An exported model: its folder, or one version's.")],
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="Of a forecast the newest rows, of known series or new ones; otherwise what is to be answered. Or a "
            "data set's name.",
        ),
    ] = None,
    texts: Annotated[
        list[str] | None, typer.Option("--text", help="A text to be answered, in place of a file; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .csv or .parquet file; by default CSV on standard output.")
    ] = None,
) -> None:
    """Forecast, or answer for texts and sequences, from the exported model alone."""
    if output is not None and output.suffix not in (".csv", ".parquet"):
        raise InputError(f"-o {output} ends in {output.suffix!r}; .csv or .parquet was expected")
    if (source is None) == (texts is None):
        raise InputError("predict takes either a file or --text; received " + ("both" if texts else "neither"))
    with _starting():
        from .export import load_model
    with say.status("predicting ..."):
        exported = load_model(model)
        if texts is not None and exported.info["data"].get("inputs") not in ("text", "corpus", "lines"):
            raise InputError(f"{model} reads no single texts, so --text says nothing to it; give it a file")
        answer = exported.predict(texts if texts is not None else source)
    for note in exported.info.get("interval_notes", []):
        say.print(f"- {note}", markup=False, soft_wrap=True)
    if output is None:
        answer.to_csv(sys.stdout, index=False)
        return
    with _writing(output) as path:
        answer.to_csv(path, index=False) if output.suffix == ".csv" else answer.to_parquet(path, index=False)
    say.print(f"{len(answer):,} rows written to {output}")


@app.command()
def generate(
    model: Annotated[Path, typer.Argument(help="An exported language model: its folder, or one version's.")],
    prompt: Annotated[str, typer.Option(help="The text to be continued.")] = "",
    label: Annotated[
        str | None, typer.Option(help="Class that the text belongs to, where the model was told one.")
    ] = None,
    length: Annotated[int, typer.Option(help="The most tokens to write.")] = 100,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest token; 1 draws as the model believes; between is safer.")
    ] = 0.8,
    top: Annotated[int, typer.Option(help="Next tokens to rank, with their probabilities; 0 for none.")] = 5,
    among: Annotated[int | None, typer.Option(help="Draw among so many of the likeliest tokens only.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    samples: Annotated[int, typer.Option(help="Texts to write.")] = 1,
) -> None:
    """Continue a text with an exported language model, and rank what may come next."""
    for name, number, least in (("length", length, 1), ("top", top, 0), ("samples", samples, 1)):
        if number < least:
            raise InputError(f"--{name} must be at least {least}; received {number}")
    with _starting():
        from .export import ExportedLanguage, load_model
    exported = load_model(model)
    if not isinstance(exported, ExportedLanguage):
        raise InputError(f"{model} is a model for {exported.info['task']} and writes no text; use `recurra predict`")
    for number in range(samples):
        with say.status("writing ..."):
            text = exported.generate(
                prompt, length=length, temperature=temperature, top=among, seed=seed + number, condition=label
            )
        out.print(text, markup=False, soft_wrap=True)
    if top:
        ranked = exported.next_tokens(prompt, top=top, condition=label)
        out.print("next, after the prompt:")
        table = Table(box=None, pad_edge=False)
        table.add_column("token")
        table.add_column("probability", justify="right")
        for token, probability in ranked.itertuples(index=False):
            table.add_row(Words(repr(token) if token.isspace() else token), f"{probability:.4f}")
        out.print(table)


@app.command()
def remember(
    task: Annotated[
        str,
        typer.Argument(
            help="recall (what the first symbol was), adding (the sum of two marked numbers) or copy (ten symbols)."
        ),
    ] = "recall",
    distances: Annotated[
        list[str] | None, typer.Option(help="Steps to be bridged; by default 5,10,20,50,100,200.")
    ] = None,
    families: Annotated[list[str] | None, typer.Option(help="Models; by default dense, simple_rnn, gru, lstm.")] = None,
    seeds: Annotated[int, typer.Option(help="Repetitions of each training.")] = 1,
    max_epochs: Epochs = None,
    patience: Patience = None,
    budget: Budget = None,
    set_: Given = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; by default runs/remember_TASK.")
    ] = None,
) -> None:
    """Train families on longer and longer made sequences, and see where each one forgets."""
    given: dict[str, Any] = {"families": _split(families), "max_epochs": max_epochs, "patience": patience}
    given["config"] = set_
    if distances is not None:
        try:
            given["distances"] = [int(d) for d in _split(distances) or []]
        except ValueError as error:
            raise InputError(f"--distances takes whole numbers such as 5,50; received {','.join(distances)}") from error
    folder = out_folder or Path("runs") / f"remember_{task}"
    with _starting():
        from . import comparison, reports
        from .reports.live import show
    with _interruptible(folder), show(say) as on_progress:
        result = comparison.remember(
            task,
            seeds=seeds,
            budget=budget,
            on_progress=on_progress,
            out=folder,
            **{name: value for name, value in given.items() if value is not None},
        )
    files = reports.write_remembering(result, folder)
    out.print(reports.remembering_table(result))
    out.print(f"results: {', '.join(map(str, files))}", soft_wrap=True)


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
    given = {"time": time, "target": _split(target), "id": id, "freq": freq}
    frame = _load(source, {name: value for name, value in given.items() if value is not None}, "forecast")
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


def _given(context: typer.Context) -> dict[str, Any]:
    """What was given of the settings and column roles, by name."""
    given = {name: value for name, value in context.params.items() if name not in _NO_SETTINGS}
    # an option that may be repeated is an empty list where it was not given
    given = {name: value for name, value in given.items() if value is not None and value not in ((), [])}
    given |= {name: _split(given[name]) for name in _LISTS if name in given}
    if "calendar" in given:
        given["calendar"] = tuple(given["calendar"])
    given |= {name: str(given[name]) for name in ("test", "vectors") if name in given}
    if pairs := given.pop("set_", None):
        given["config"] = pairs
    return given


# Parameters of a command that are no settings of a comparison.
_NO_SETTINGS = ("source", "task", "family", "seed", "out_folder", "export")
_LISTS = ("target", "past", "future", "channels", "calendar", "families", "baselines")


def _load(source: str, given: dict[str, Any], task: str | None = None) -> Any:
    """Read the source, and take the column roles out of what was given."""
    roles = {name: given.pop(name) for name in datasets.ROLES if name in given}
    with say.status(f"reading {source} ..."):
        return datasets.load(source, task=task, **roles, missing="error" if given.get("missing") == "error" else "keep")


def _split(values: list[str] | None) -> list[str] | None:
    """["a,b", "c"] → ["a", "b", "c"]."""
    if values is None:
        return None
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _name(source: str) -> str:
    """runs/NAME and saved_models/NAME for a data set or a file: data/sales.csv.gz → sales."""
    return Path(source).name.split(".")[0] or "run"


def _exported(path: Path, export: Path, source: str, frame: Any, task: str) -> None:
    out.print(f"exported: {path}", soft_wrap=True)
    if task == "language-model":
        told = getattr(frame, "targets", None)
        label = "" if told is None else f" --label {told.values[0]}"
        out.print(f'write with it: recurra generate {export}{label} --prompt "..."', soft_wrap=True)
    else:
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
