"""Inputs for a trained model: read as the training data were."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from ..frames.series.reading import Reading
from .corpus_files import read_corpus
from .files import is_known
from .frame_choice import read_series
from .parquet_folders import is_parquet_folder
from .row_streams import larger_than_memory
from .text_streams import read_texts_in_streams

_VALUES = "values"


def load_series(
    source: str | Path, roles: Mapping[str, Any], reading: Reading, memory: str | int | None = None
) -> SeriesFrame:
    """Read the newest rows of series from a file or a named data set.

    Args:
        source: a data set's name, or a file.
        roles: the columns of the training data, and ``freq``.
        reading: what was settled when they were read.
        memory: what the rows may take; see :func:`recurra.load`.
    """
    from . import load

    if Path(source).is_file() or is_known(source) or is_parquet_folder(source):
        return read_series(source, roles, reading=reading, memory=memory)
    frame = load(source, task="forecast", memory=memory, **roles)
    if not isinstance(frame, SeriesFrame):
        raise InputError(f"{source} holds no series, which the model forecasts; give a table with its columns")
    return frame


def load_inputs(
    source: str | Path, inputs: str, roles: Mapping[str, Any], memory: str | int | None = None
) -> TextFrame | PanelFrame:
    """Read texts, lists of tokens or sequences of numbers from a file or a named data set.

    Nothing is guessed from the file that the training data have settled: neither its columns nor how its cells become
    sequences. Targets that stand beside the inputs are not asked for, and leave nothing out; inputs may be empty.

    Args:
        source: a data set's name, or a file.
        inputs: what the model reads: "text", "tokens" or "values".
        roles: the columns of the inputs in the training data, and how their cells were read.
        memory: what the rows may take, such as "2GB"; texts that are larger are read in streams.

    Returns:
        A frame without targets.

    Raises:
        InputError: if the source does not hold that kind of inputs, or anything is wrong in it.
    """
    from . import DATASETS, check_source, load
    from .files import read_table
    from .frame_choice import as_text
    from .panel_files import is_panel, read_panel

    if memory is not None and (inputs != "text" or str(source) in DATASETS):
        raise InputError(
            f"{source}: `memory` was given, which applies to files of series or texts, whose rows can be read in "
            "streams; leave it out"
        )
    if str(source) in DATASETS:
        frame = load(
            source, **({"text": roles["text"]} if "text" in roles and DATASETS[str(source)].frame == "text" else {})
        )
        if not isinstance(frame, TextFrame | PanelFrame):
            raise InputError(f"{source} holds no {inputs}, which the model reads; give a table with them")
        return frame
    check_source(source)
    if is_panel(source, peek=not set(roles) - {_VALUES}):
        if inputs != _VALUES:
            raise InputError(f"{source} holds numbers, but the model reads {inputs}; give a table with it")
        panel = read_panel(source, values=roles.get(_VALUES), with_targets=False)
        return PanelFrame.from_arrays(**panel, for_prediction=True)
    if inputs == "text" and (large := larger_than_memory(source, memory)) is not None:
        return read_texts_in_streams(large, roles, for_prediction=True)
    table = read_table(source, as_text=as_text(roles), comma=roles.get("comma", ""))
    return frame_for_prediction(table, inputs, roles, str(source))


def load_prompts(source: str | Path, inputs: str, roles: Mapping[str, Any]) -> TextFrame | CorpusFrame:
    """Read texts to be continued from a file or a named data set.

    Args:
        source: a data set's name, or a file.
        inputs: what the model was trained on: "corpus" (one long text) or "lines" (a text per row).
        roles: the columns of texts and classes in the training data.

    Raises:
        InputError: if the source holds no texts, or anything is wrong in it.
    """
    from . import DATASETS, check_source, load
    from .files import kind_of, read_table
    from .frame_choice import as_text

    if str(source) in DATASETS:
        frame = load(source, task="language-model", **roles)
        if not isinstance(frame, TextFrame | CorpusFrame):
            raise InputError(f"{source} holds no text to be continued; give a file with some")
        return frame
    check_source(source)
    if inputs == "corpus" and kind_of(source) == ".txt":
        return CorpusFrame.from_text(**read_corpus(source), for_prediction=True)
    table = read_table(source, as_text=as_text(roles))
    return TextFrame.from_table(table, **roles, kind="text", for_prediction=True, source=str(source))


def frame_for_prediction(table: Any, inputs: str, roles: Mapping[str, Any], source: str) -> TextFrame | PanelFrame:
    """A table of inputs as a frame, read as the training data were; see :func:`load_inputs`."""
    own = {role: value for role, value in roles.items() if role != "comma"}  # only text files have commas in numbers
    if inputs == _VALUES:
        return PanelFrame.from_table(table, **own, for_prediction=True, source=source)
    return TextFrame.from_table(table, **own, kind=inputs, for_prediction=True, source=source)
