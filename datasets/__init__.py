"""Data sets: named ones and files become frames with column roles.

``load`` takes either. Named sets that do not come with an installed library are downloaded on first use, checked by
sha256 and kept in ``$RECURRA_DATA``. Nothing here promises that an upstream address stays valid.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import InputError
from ..frames import Frame
from . import (
    airline_passengers,
    beijing_pm25,
    co2,
    daily_min_temperatures,
    digits,
    docstrings,
    elnino,
    etth1,
    ettm1,
    imdb,
    japanese_vowels,
    m4_hourly,
    monthly_sunspots,
    mr,
    names,
    newsgroups20,
    ptb,
    sst2,
    sunspots,
    synthetic,
    synthetic_sequences,
    tinyshakespeare,
    ucr_ecg200,
    ucr_gunpoint,
    ucr_italypowerdemand,
    ucr_syntheticcontrol,
    ucr_trace,
    weather,
    word_sentiment,
)
from .files import is_known, read_table
from .frame_choice import ROLES, load_file, load_named, load_table
from .model_inputs import frame_for_prediction, load_inputs, load_prompts, load_series
from .parquet_folders import in_words
from .record import Dataset
from .vectors import read_vectors

DATASETS: dict[str, Dataset] = {
    "co2": co2.DATASET,
    "sunspots": sunspots.DATASET,
    "elnino": elnino.DATASET,
    "airline_passengers": airline_passengers.DATASET,
    "monthly_sunspots": monthly_sunspots.DATASET,
    "daily_min_temperatures": daily_min_temperatures.DATASET,
    "beijing_pm25": beijing_pm25.DATASET,
    "etth1": etth1.DATASET,
    "ettm1": ettm1.DATASET,
    "m4_hourly": m4_hourly.DATASET,
    "weather": weather.DATASET,
    "ar2": synthetic.AR2,
    "random_walk": synthetic.RANDOM_WALK,
    "distant_event": synthetic.DISTANT_EVENT,
    "docstrings": docstrings.DATASET,
    "digits": digits.DATASET,
    "binary_addition": synthetic_sequences.BINARY_ADDITION,
    "recall": synthetic_sequences.RECALL,
    "order": synthetic_sequences.ORDER,
    "adding": synthetic_sequences.ADDING,
    "copy": synthetic_sequences.COPY,
    "imdb": imdb.DATASET,
    "sst2": sst2.DATASET,
    "mr": mr.DATASET,
    "newsgroups20": newsgroups20.DATASET,
    "word_sentiment": word_sentiment.DATASET,
    "names": names.DATASET,
    "tinyshakespeare": tinyshakespeare.DATASET,
    "ptb": ptb.DATASET,
    "japanese_vowels": japanese_vowels.DATASET,
    "ucr_gunpoint": ucr_gunpoint.DATASET,
    "ucr_italypowerdemand": ucr_italypowerdemand.DATASET,
    "ucr_ecg200": ucr_ecg200.DATASET,
    "ucr_syntheticcontrol": ucr_syntheticcontrol.DATASET,
    "ucr_trace": ucr_trace.DATASET,
}

__all__ = [
    "DATASETS",
    "ROLES",
    "Dataset",
    "frame_for_prediction",
    "in_words",
    "list_datasets",
    "load",
    "load_inputs",
    "load_prompts",
    "load_series",
    "read_table",
    "read_vectors",
]


def list_datasets() -> list[str]:
    """Names that ``load`` knows."""
    return sorted(DATASETS)


def load(  # one parameter per role
    source: str | Path | pd.DataFrame,
    *,
    task: str | None = None,
    text: str | None = None,
    label: str | None = None,
    value: str | None = None,
    tags: str | None = None,
    values: str | None = None,
    channels: str | Sequence[str] = (),
    test: str | Path | None = None,
    split: str | None = None,
    group: str | None = None,
    time: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    id: str | Sequence[str] | None = None,
    past_covariates: str | Sequence[str] = (),
    future_covariates: str | Sequence[str] = (),
    freq: str | int | None = None,
    decimal: str | None = None,
    missing: str = "keep",
    memory: str | int | None = None,
) -> Frame:
    """Load a named data set or a file as a frame.

    Which frame it is follows from the set, from the roles, from the task, or from the file: ``text`` makes a TextFrame;
    ``id`` with a target, ``values``, and the endings .npz and .ts make a PanelFrame, as does a .tsv whose first line is
    all numbers (UCR); ``task="language-model"`` makes a CorpusFrame of a .txt, and a TextFrame of a table; a table with
    a column of lists called values is a panel, one with a column called tokens holds texts; all else is a series.

    Args:
        source: a name from :func:`list_datasets`, or a file; to read a file called like a data set, write
            ./co2. Or a table.
        task: what to predict, such as "forecast" or "classification". Default: by the roles.
        text: column of texts or of lists of tokens.
        label: column (in an .npz: array) of classes; for a language model the condition.
        value: column of numbers to predict.
        tags: column of the class of each step, or of lists of them.
        values: column of lists of numbers; in an .npz the array of sequences.
        channels: columns of values, in a table with one row per step.
        test: a second file of the same kind, the held-out test set.
        split: column that holds the words train, validation or test.
        group: column that says which texts or sequences belong together: folds never split a group.
        time: column of time stamps, columns of which dates are composed, or "none"; like the other roles it overrides
            that of a named set, and is described at ``SeriesFrame.from_table``.
        target: columns to forecast.
        id: column that tells the series, or the sequences, apart; of series several columns may.
        past_covariates: columns known only up to now.
        future_covariates: columns known ahead.
        freq: step of time.
        decimal: decimal sign of the numbers in a text file, "." or ",", where the cells leave it open.
        missing: "keep" or "error", for a series.
        memory: what the rows of a Parquet file, or of a folder of them, or of texts in a .csv, may take, such as "2GB"
            (see docs/scaling.md); series and texts that are larger are read in streams. Default: half of the memory
            that is free.

    Returns:
        A SeriesFrame, TextFrame, PanelFrame or CorpusFrame.

    Raises:
        InputError: neither name nor file, roles that contradict each other, or anything wrong in the file.

    Example:
        >>> load("co2").freq
        'W-SAT'
    """
    given: dict[str, Any] = {
        "text": text,
        "label": label,
        "value": value,
        "tags": tags,
        "values": values,
        "channels": channels,
        "test": test,
        "split": split,
        "group": group,
        "time": time,
        "target": target,
        "id": id,
        "past_covariates": past_covariates,
        "future_covariates": future_covariates,
        "freq": freq,
        "decimal": decimal,
    }
    roles = {role: value for role, value in given.items() if _is_given(value)}
    if isinstance(source, pd.DataFrame):
        _check_memory("the table", memory)
        return load_table(source, roles, task, missing)
    if not isinstance(source, str | Path):
        raise InputError(
            f"a {type(source).__name__} was given where a data set's name, a file or a pandas DataFrame was expected; "
            "make a table of it"
        )
    if str(source) in DATASETS:
        _check_memory(str(source), memory)
        return load_named(DATASETS[str(source)], roles, task, missing)
    check_source(source)
    return load_file(source, roles, task, missing, memory)


def _check_memory(source: str, memory: str | int | None) -> None:
    if memory is not None:
        raise InputError(
            f"{source}: `memory` was given, which applies to files alone, whose rows can be read in streams; "
            "leave it out"
        )


def _is_given(value: Any) -> bool:
    return isinstance(value, pd.DataFrame) or value not in (None, (), [])


def check_source(source: str | Path) -> None:
    """Refuse what is neither a data set nor a file, with the nearest names."""
    text = str(source)
    if Path(text).exists() or is_known(text) or "/" in text:
        return
    close = difflib.get_close_matches(text.lower(), DATASETS, n=3, cutoff=0.4)
    near = f"did you mean {' or '.join(close)}?" if close else f"the data sets are {', '.join(list_datasets())}"
    raise InputError(f"{text!r} is neither a data set nor a file; {near}")
