"""The command line: parse, call, print."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from . import __version__, datasets
from .atomic import check_writable, replacing
from .command_options import AUDIT, COMPARE, FIT, as_flags, given_options, with_options
from .display.visible_text import visible
from .errors import InputError
from .seeds import LARGEST_SEED, check_seed
from .serving.command import serve
from .terminal import (
    command,
    err,
    interruptible,
    out,
    print_error,
    print_line,
    print_misuse,
    print_notes,
    replace_unknown_characters,
    starting,
    write,
)

if TYPE_CHECKING:
    from .comparison import Comparison, FitResult
    from .frames import Frame
    from .predictor import Predictor
    from .tasks import Task

app = typer.Typer(
    help="Does your sequence data need a memory? Train recurrent and simpler models under equal conditions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
Source = Annotated[
    str,
    typer.Argument(
        help="A data set's name (see `recurra datasets`), a file (CSV, Parquet, JSON lines, Excel, .npz, .ts, .arff, "
        "CoNLL or .txt), or a folder of Parquet files."
    ),
]

_WHERE = "Where it runs"
Jobs = Annotated[
    int | None,
    typer.Option(
        help="Trainings that run at once, each in a process of its own; -1: as many as there are cores; by default 1.",
        rich_help_panel=_WHERE,
    ),
]
Backend = Annotated[
    str | None,
    typer.Option(
        help="What runs them: loky (processes on this machine, the default), dask or ray.", rich_help_panel=_WHERE
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Address of a running Dask or Ray cluster, such as tcp://10.0.0.1:8786; by default one is started here.",
        rich_help_panel=_WHERE,
    ),
]


@app.callback(invoke_without_command=True)
def _about(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        out.print(f"recurra {__version__}")
        raise typer.Exit


@app.command()
@with_options(COMPARE)
def compare(
    source: Source,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; by default runs/NAME.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Export the best model that can be exported as the next version under this folder."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page for a browser, in one file that needs no network.")
    ] = None,
    jobs: Jobs = None,
    backend: Backend = None,
    scheduler: Scheduler = None,
    **options: Any,
) -> None:
    """Train every family under equal conditions and say whether a recurrent network is worth its cost."""
    given = given_options(options)
    asked = {name: value for name, value in given.items() if name in AUDIT}
    task = given.pop("task", None)
    frame = _load(source, given, task)
    folder = out_folder or Path("runs") / _name(source)
    _check_places(out=folder, export=export, report=_folder_of(report))
    with starting():
        from . import comparison, reports
        from .comparison.engines import engine
        from .comparison.terminal_progress import show
    with engine(backend, scheduler, jobs) as n_jobs, show(err) as on_progress, interruptible(folder):
        result = comparison.compare(
            frame, task=task, out=folder, refit=export is not None, n_jobs=n_jobs, on_progress=on_progress, **given
        )
    plots = reports.write_plots(result, folder)
    for part in reports.terminal_report(result, rewrite=as_flags):
        out.print(part)
    files = ["comparison.json", "comparison.csv", *(plot.name for plot in plots)]
    print_line(f"results: {folder}/{', '.join(files)}")
    if report is not None:
        print_line(f"report: {_write_report(result, report, source, asked)}")
    if export is not None:
        _export_best(result, export, source, folder)


@app.command()
@with_options(FIT)
def fit(
    source: Source,
    family: Annotated[
        str, typer.Option(help="A family such as lstm, with settings of its own such as lstm:units=32, or a baseline.")
    ],
    seed: Annotated[int, typer.Option(help="Of weights and order.")] = 0,
    export: Annotated[
        Path | None, typer.Option(help="Folder for the exported model; by default saved_models/NAME.")
    ] = None,
    **options: Any,
) -> None:
    """Fit one family or baseline to all rows and export it."""
    given = given_options(options)
    task = given.pop("task", None)
    frame = _load(source, given, task)
    export = export or Path("saved_models") / _name(source)
    _check_places(export=export)
    with starting():
        from . import comparison
        from .comparison.terminal_progress import show
        from .export import save_model
    with show(err) as on_progress:
        fitted = comparison.fit(frame, family=family, task=task, seed=seed, on_progress=on_progress, **given)
    for note in fitted.notes:
        print_line(f"- {as_flags(note)}")
    _print_training(fitted, family)
    if (why := fitted.predictor.model.why_no_graph) is not None:
        fitted.predictor.save(export)
        print_line(f"{family} cannot be exported: {why}")
        print_line(f"it is saved in {export}; predict with it: {command('predict', export, source)}")
        return
    with err.status("exporting ..."):
        path = save_model(fitted.predictor, export, frame, training=fitted.training)
    _print_exported(path, export, source, frame, fitted.task)


def _print_training(fitted: FitResult, family: str) -> None:
    """How the network's training went, and how a mix weighs its parts: the loss is of the network alone."""
    from .models import split_mix

    history, network = fitted.history, split_mix(family)[0]
    unit = "nats" if fitted.task.training.loss == "crossentropy" else "scaled units"
    if history is not None:
        print_line(
            f"{network}: validation loss {history.best_loss:.4g} ({unit}) after epoch {history.best_epoch} of "
            f"{len(history.losses)}, {history.seconds:.1f} s, stopped by {history.stopped_by}"
        )
    if (weights := fitted.training.get("weights")) is not None:
        print_line(f"{family}: weighted: {', '.join(f'{name} {weight:.3g}' for name, weight in weights.items())}")


@app.command()
def predict(
    model: Annotated[
        Path, typer.Argument(help="A model's folder: an exported one, one version of it, or a saved one.")
    ],
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="For a forecast the newest rows, of known series or new ones; otherwise texts or sequences. Or a "
            "data set's name.",
        ),
    ] = None,
    texts: Annotated[
        list[str] | None, typer.Option("--text", help="A text in place of a file; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .csv or .parquet file; by default CSV on standard output.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="What the rows of Parquet, or of texts in a .csv, may take, such as 2GB: series and texts that are "
            "larger are read in streams; by default half of the free memory."
        ),
    ] = None,
) -> None:
    """Predict from the model alone, without its training data."""
    if output is not None and output.suffix not in (".csv", ".parquet"):
        raise InputError(f"`output` must end in .csv or .parquet; received {str(output)!r}")
    if output is not None and source is not None and Path(source).resolve() in output.resolve().parents:
        raise InputError(
            f"`output` is in the folder that is read, {source}, where it would be taken for data the next time; write "
            "it elsewhere"
        )
    if (source is None) == (texts is None):
        raise InputError("give either a file or `text`; received " + ("both" if texts else "neither"))
    with err.status("predicting ..."):
        predictor = _load_predictor(model)
        from .predictor.table_files import write_csv, write_parquet

        if texts is not None and not {"text", "tokens"} & set(predictor.schema.signature()):
            raise InputError(f"{model} does not read single texts, so `text` does not apply to it; give it a file")
        frame = _read_for(predictor, texts if texts is not None else source, memory)
        tables = predictor.tables(frame)
        first = next(tables)
    print_notes([*frame.notes, *predictor.notes])
    tables = chain([first], tables)  # each is computed when the one before is written
    if output is None:
        write_csv(tables, sys.stdout)
        return
    with _writing(output) as path:
        rows = write_csv(tables, path) if output.suffix == ".csv" else write_parquet(tables, path)
    err.print(Text(f"{rows:,} rows written to {output}"), soft_wrap=True)


def _read_for(predictor: Predictor[Any], source: Any, memory: str | None) -> Any:
    from .predictor.forecast import ForecastSchema
    from .predictor.sequences import SequenceSchema

    if memory is None:
        return predictor.read(source)
    if not isinstance(predictor.schema, ForecastSchema | SequenceSchema):
        raise InputError(
            "`memory` applies to forecasts and to classes or numbers of texts, whose rows can be read in streams; "
            "leave it out"
        )
    return predictor.schema.read(source, memory=memory)


@app.command()
def generate(
    model: Annotated[Path, typer.Argument(help="An exported language model: its folder, or one version's.")],
    prompt: Annotated[str, typer.Option(help="The text to be continued.")] = "",
    label: Annotated[
        str | None, typer.Option(help="Class that the text belongs to, where the model has classes.")
    ] = None,
    length: Annotated[int, typer.Option(help="The most tokens to generate.")] = 100,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest token; 1 samples from the model's probabilities.")
    ] = 0.8,
    show: Annotated[int, typer.Option(help="Next tokens to rank, with their probabilities; 0 for none.")] = 5,
    top_k: Annotated[int | None, typer.Option(help="Sample among so many of the likeliest tokens only.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sampling.")] = 0,
    samples: Annotated[int, typer.Option(help="Texts to generate.")] = 1,
) -> None:
    """Continue a text with an exported language model, and rank what may come next."""
    for name, number, least in (("length", length, 1), ("show", show, 0), ("samples", samples, 1)):
        if number < least:
            raise InputError(f"`{name}` must be at least {least}; received {number}")
    check_seed(seed)
    with starting():
        from .predictor import TextGenerator
    predictor = _load_predictor(model)
    if predictor.task != "language-model":
        raise InputError(f"{model} is a model for {predictor.task} and generates no text; use `recurra predict`")
    generator = TextGenerator(predictor)
    for number in range(samples):
        with err.status("generating ..."):
            text = generator.generate(
                prompt,
                length=length,
                temperature=temperature,
                top_k=top_k,
                seed=(seed + number) % (LARGEST_SEED + 1),
                label=label,
            )
        write(text)
    if show:
        _print_ranking(generator.next_tokens(prompt, top=show, label=label))


@app.command()
def memory(
    task: Annotated[
        str,
        typer.Argument(
            help="recall (what the first symbol was), order (which of two marked symbols came last), adding (the sum "
            "of two marked numbers) or copy (ten symbols)."
        ),
    ] = "recall",
    distances: Annotated[list[str] | None, typer.Option(help="Steps to be bridged; by default 5,10,20,50,100.")] = None,
    families: Annotated[list[str] | None, typer.Option(help="Models; by default dense, simple_rnn, gru, lstm.")] = None,
    seeds: Annotated[int, typer.Option(help="Repetitions of each training.")] = 3,
    max_epochs: Annotated[
        int | None, typer.Option(help="The most epochs of a training, of each learning rate tried; by default 40.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Epochs without improvement that end a training; by default 10.")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Time for all training together, such as 90s, 10m, 1h.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A setting for every family that has it, such as units=32.")
    ] = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; by default runs/memory_TASK.")
    ] = None,
    jobs: Jobs = None,
    backend: Backend = None,
    scheduler: Scheduler = None,
) -> None:
    """Train families on longer and longer synthetic sequences, and see where each one forgets."""
    given = given_options({"families": families, "max_epochs": max_epochs, "patience": patience, "config": set_})
    if distances is not None:
        given["distances"] = _whole_numbers("distances", distances)
    folder = out_folder or Path("runs") / f"memory_{task}"
    _check_places(out=folder)
    with starting():
        from . import diagnostics, reports
        from .comparison.engines import engine
        from .comparison.terminal_progress import show
    with engine(backend, scheduler, jobs) as n_jobs, interruptible(folder), show(err) as on_progress:
        result = diagnostics.measure_memory(
            task, seeds=seeds, budget=budget, n_jobs=n_jobs, on_progress=on_progress, out=folder, **given
        )
    files = reports.write_memory_result(result, folder)
    out.print(reports.memory_table(result, rewrite=as_flags))
    if (gradients := reports.gradient_table(result)) is not None:
        out.print("")
        out.print(gradients)
    print_line(f"results: {', '.join(map(str, files))}")


@app.command()
def inspect(
    model: Annotated[
        Path, typer.Argument(help="A model's folder: an exported one, one version of it, or a saved one.")
    ],
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="Rows like those it was trained on, with what is to be predicted; newer ones are best. By default the "
            "training data.",
        ),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything found into this file.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page for a browser, in one file that needs no network.")
    ] = None,
) -> None:
    """Explain a model: how far it remembers, what order is worth, what its gates keep, its cost, where it is wrong."""
    _check_places(json=_folder_of(json_file), report=_folder_of(report))
    predictor = _load_predictor(model)
    with starting():
        from . import diagnostics, reports
        from .pages import write_page
    with err.status("inspecting ...") as status:
        found = diagnostics.inspect(predictor, source, on_progress=lambda text: status.update(f"{text} ..."))
    for part in reports.inspection_report(found, rewrite=as_flags):
        out.print(part)
    if json_file is not None:
        print_line(f"written: {found.write(json_file)}")
    if report is not None:
        print_line(f"written: {write_page(report, found.to_html(command(*sys.argv[1:])))}")


@app.command()
@with_options(AUDIT)
def audit(
    source: Source,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything found into this file.")] = None,
    **options: Any,
) -> None:
    """Look for leaks in the data before anything is trained: exit code 0 without one, 1 with, 2 on bad input.

    For texts and panels --time may name a column of dates.
    """
    given = given_options(options)
    _check_places(json=_folder_of(json_file))
    with starting():
        from . import diagnostics, reports
    with err.status("looking for leaks ...") as status:
        found = diagnostics.audit(source, on_progress=lambda t: status.update(f"{t} ..."), **given)
    for part in reports.audit_report(found, rewrite=as_flags):
        out.print(part)
    if json_file is not None:
        print_line(f"written: {found.write(json_file)}")
    if found.leaks:
        raise typer.Exit(1)


app.command()(serve)


@app.command("datasets")
def list_datasets() -> None:
    """List the data sets that can be used by name."""
    table = Table(box=None, pad_edge=False, expand=False)
    for column in ("name", "task", "rows", "download", "source"):
        table.add_column(column, no_wrap=True, justify="right" if column == "rows" else "left")
    for name in datasets.list_datasets():
        record = datasets.DATASETS[name]
        download = "yes" if record.download else ""
        table.add_row(name, record.task, f"{record.rows:,}", download, record.short_source)
    out.print(table)
    print_line("licences and facts: docs/datasets.md")


@app.command()
def windows(
    source: Source,
    time: Annotated[str | None, typer.Option(help="Time column, as in compare.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Columns to forecast, as in compare.")] = None,
    id: Annotated[str | None, typer.Option(help="Column that tells the series apart.")] = None,
    freq: Annotated[str | None, typer.Option(help="Step of time, such as h or MS; otherwise inferred.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps to forecast; by default one season.")] = None,
    lookback: Annotated[int | None, typer.Option(help="Steps to read; by default two seasons.")] = None,
    season: Annotated[int | None, typer.Option(help="Steps in a season, 1 for none; by default found.")] = None,
    folds: Annotated[int, typer.Option(help="Cutoffs.")] = 3,
) -> None:
    """Print the first and last window of every fold, so that an off-by-one can be seen."""
    given = given_options({"time": time, "target": target, "id": id, "freq": freq})
    frame = _load(source, given, "forecast")
    from .frames import SeriesFrame
    from .pipelines import derive_window, rolling_origin, window_table

    if not isinstance(frame, SeriesFrame):
        raise InputError(f"{source} holds no series, so there are no windows to show")
    horizon, lookback, _, notes = derive_window(frame, horizon=horizon, lookback=lookback, season=season)
    print_notes(notes)
    cut = rolling_origin(frame, horizon=horizon, lookback=lookback, n_folds=folds)
    write(window_table(frame, cut, lookback=lookback, horizon=horizon).to_string(index=False))


def _write_report(result: Comparison, report: Path, source: str, asked: dict[str, Any]) -> Path:
    """The page of a comparison, with its best recurrent model inspected and its data audited."""
    from . import diagnostics
    from .pages import write_page

    with err.status("inspecting ...") as status:

        def say(text: str) -> None:
            status.update(f"{text} ...")

        inspected = diagnostics.inspect_comparison(result, train_shuffled=True, on_progress=say)
        say("looking for leaks in the data")
        audited = diagnostics.audit(source, on_progress=say, **asked)
        parts = [part for part in (inspected, audited) if part is not None]
        return write_page(report, result.to_html(*parts, command=command(*sys.argv[1:])))


def _load(source: str, given: dict[str, Any], task: str | None = None) -> Frame:
    """Read the source, and take the column roles out of what was given."""
    roles = {name: given.pop(name) for name in datasets.ROLES if name in given}
    if task is not None:
        from .tasks import task_of_data

        task = task_of_data(task)
    with err.status(Text(f"reading {visible(source)} ...")):
        return datasets.load(source, task=task, **roles, missing="error" if given.get("missing") == "error" else "keep")


def _folder_of(file: Path | None) -> Path | None:
    return None if file is None else file.parent


def _check_places(**folders: Path | None) -> None:
    """Refuse folders that nothing can be written to before anything is trained.

    Args:
        **folders: by the name of the option that they were given as; None where it was not given.
    """
    for option, folder in folders.items():
        if folder is None:
            continue
        try:
            check_writable(folder)
        except OSError as error:
            raise InputError(f"cannot write to {folder}: {error.strerror}; choose another `{option}`") from error


def _name(source: str) -> str:
    """runs/NAME and saved_models/NAME for a data set or a file: data/sales.csv.gz → sales."""
    return Path(source).name.split(".")[0] or "run"


def _whole_numbers(name: str, values: list[str]) -> list[int]:
    parts = [part.strip() for value in values for part in value.split(",") if part.strip()]
    if any(not re.fullmatch(r"\d+", part) for part in parts):
        raise InputError(f"`{name}` must be whole numbers such as 5,50; received {','.join(values)!r}")
    return [int(part) for part in parts]


def _print_ranking(ranked: Any) -> None:
    out.print("next, after the prompt:")
    table = Table(box=None, pad_edge=False)
    table.add_column("token")
    table.add_column("probability", justify="right")
    for token, probability in ranked.itertuples(index=False):
        shown = repr(token) if token.isspace() or not token.isprintable() else token
        table.add_row(Text(shown), f"{probability:.4f}")
    out.print(table)


def _load_predictor(model: Path) -> Predictor[Any]:
    """An exported model, or a predictor that was saved because it cannot be exported."""
    with starting():
        from .export import load_model
        from .predictor import Predictor
        from .predictor.persistence import is_saved
    return Predictor.load(model) if is_saved(model) else load_model(model)


def _export_best(result: Comparison, export: Path, source: str, folder: Path) -> None:
    """Export the winner; where it cannot be a graph, save it beside the results and export the best that can."""
    from .export import save_model

    winner, best = result.refits[0], result.exportable
    if winner is not best:
        saved = folder / "best"
        winner.predictor.save(saved)
        print_line(f"{winner.model} was best but cannot be exported: {winner.predictor.model.why_no_graph}")
        print_line(f"it is saved in {saved}; predict with it: {command('predict', saved, source)}")
    if best is None:
        raise InputError("none of the models can be exported; name a family with `families`")
    if winner is not best:
        print_line(f"exported is {best.model}, the best model that can be")
    with err.status("exporting ..."):
        path = save_model(best.predictor, export, result.frame, **result.provenance(best))
    _print_exported(path, export, source, result.frame, result.task)


def _print_exported(path: Path, export: Path, source: str, frame: Frame, task: Task) -> None:
    print_line(f"exported: {path}")
    if task.name == "language-model":
        targets = getattr(frame, "targets", None)
        label = [] if targets is None else ["--label", targets.values[0]]
        print_line(f'generate with it: {command("generate", export, *label)} --prompt "..."')
    else:
        ahead = ", ".join(getattr(frame, "future_covariates", ()))
        more = f", whose rows have to go on with {ahead} for the steps ahead" if ahead else ""
        print_line(f"predict with it: {command('predict', export, source)}{more}")


@contextmanager
def _writing(output: Path) -> Iterator[Path]:
    try:
        with replacing(output) as path:
            yield path
    except OSError as error:
        raise InputError(f"cannot write {output}: {error.strerror}; choose another `output`") from error


def main() -> None:
    """Run the command line: what a user can fix is one sentence and exit code 2."""
    replace_unknown_characters()
    try:
        sys.exit(app(prog_name="recurra", standalone_mode=False) or 0)
    except InputError as error:
        print_error(as_flags(str(error)))
        sys.exit(2)
    except typer.TyperException as error:
        print_misuse(error)
        sys.exit(2)
    except typer.Abort:
        print_error("stopped")
        sys.exit(1)
