"""A predictor on disk: ``predictor.json`` and what its model learnt, without pickle."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import replacing, umask
from ..errors import InputError
from .forecast import ForecastBaseline, ForecastNetwork, ForecastSchema
from .language_model import LanguageModelBaseline, LanguageModelNetwork, LanguageModelSchema
from .mix import ForecastMix, LanguageModelMix, SequenceMix
from .sequences import SequenceBaseline, SequenceNetwork, SequenceSchema

if TYPE_CHECKING:
    from .protocol import Schema, ServingModel

_FILE = "predictor.json"
# What reading files that are missing, cut off or changed comes to; zip archives have checksums.
_DAMAGE = (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)
Config = dict[str, Any]


def _forecast(schema: Config, model: Config, folder: Path) -> tuple[Schema[Any], ServingModel]:
    own = ForecastSchema.from_config(schema)
    made = {kind.kind: kind for kind in (ForecastNetwork, ForecastMix)}.get(model["kind"], ForecastBaseline)
    return own, made.restored(own, folder, model)


def _sequences(schema: Config, model: Config, folder: Path) -> tuple[Schema[Any], ServingModel]:
    own = SequenceSchema.from_config(schema)
    made = {kind.kind: kind for kind in (SequenceNetwork, SequenceMix)}.get(model["kind"], SequenceBaseline)
    return own, made.restored(own, folder, model)


def _language_model(schema: Config, model: Config, folder: Path) -> tuple[Schema[Any], ServingModel]:
    own = LanguageModelSchema.from_config(schema)
    made = {kind.kind: kind for kind in (LanguageModelNetwork, LanguageModelMix)}.get(
        model["kind"], LanguageModelBaseline
    )
    return own, made.restored(own, folder, model)


# By the kind of the schema: how it is read, and how a whole predictor is.
_SCHEMAS: dict[str, Callable[[Config], Schema[Any]]] = {
    ForecastSchema.kind: ForecastSchema.from_config,
    SequenceSchema.kind: SequenceSchema.from_config,
    LanguageModelSchema.kind: LanguageModelSchema.from_config,
}
_PREDICTORS: dict[str, Callable[[Config, Config, Path], tuple[Schema[Any], ServingModel]]] = {
    ForecastSchema.kind: _forecast,
    SequenceSchema.kind: _sequences,
    LanguageModelSchema.kind: _language_model,
}


def load_schema(config: Config) -> Schema[Any]:
    """The schema that :meth:`Schema.to_config` described; which frame it reads follows from its kind."""
    return _SCHEMAS[config["kind"]](config)


def is_saved(folder: Path) -> bool:
    """Whether a predictor was saved in the folder."""
    return (folder / _FILE).is_file()


def save_parts(schema: Schema[Any], model: ServingModel, task: str, folder: Path) -> None:
    """Write what the model learnt into a subfolder of its own, then ``predictor.json``, which names it.

    The moment that file is replaced, the new predictor takes the place of the one that was in the folder: whoever loads
    it gets one of the two, and a save that is killed leaves the earlier one. Other files in the folder stay.

    Raises:
        InputError: if the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _named_in(folder)
        learnt = Path(tempfile.mkdtemp(prefix=f"learnt-{_here()}-{os.getpid()}-", dir=folder))
    except OSError as error:
        raise InputError(f"cannot write the model to {folder}: {error.strerror}; choose another folder") from error
    try:
        saved = model.save(learnt)
        learnt.chmod(0o777 & ~umask())  # mkdtemp makes folders that only their owner may read
        config = {"task": task, "schema": schema.to_config(), "model": saved, "learnt": learnt.name}
        with replacing(folder / _FILE) as file:
            file.write_text(json.dumps(config, indent=1), encoding="utf-8")
    except BaseException:
        shutil.rmtree(learnt, ignore_errors=True)
        raise
    if earlier is not None:
        shutil.rmtree(earlier, ignore_errors=True)
    for left in folder.glob(f"learnt-{_here()}-*-*"):
        if left != learnt and not _is_running(left.name.split("-")[2]):
            shutil.rmtree(left, ignore_errors=True)  # of a save that was killed


def _here() -> str:
    """The machine's name, without the sign that stands between the parts of a folder's name."""
    return re.sub(r"\W", "_", platform.node()) or "machine"


def _is_running(process: str) -> bool:
    """Whether a process of this machine still runs; a save of another machine is none of ours."""
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except OSError:  # it is there, and another user's
        return True
    return True


def _named_in(folder: Path) -> Path | None:
    """What the predictor in the folder learnt; None if there is none, or one that cannot be read."""
    try:
        name = json.loads((folder / _FILE).read_text(encoding="utf-8"))["learnt"]
        inside = folder / Path(name).name
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return inside if name.startswith("learnt-") else None


def load_parts(folder: Path) -> tuple[Schema[Any], ServingModel, str]:
    """Read what :func:`save_parts` wrote: schema, model and task.

    Raises:
        InputError: if there is no predictor in the folder, or one that is damaged.
    """
    if not is_saved(folder):
        raise InputError(f"{folder} holds no saved predictor: there is no {_FILE} in it")
    try:
        config = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        learnt = folder / Path(config["learnt"]).name
        schema, model = _PREDICTORS[config["schema"]["kind"]](config["schema"], config["model"], learnt)
        return schema, model, str(config["task"])
    except _DAMAGE as error:
        raise InputError(
            f"{folder} holds a damaged predictor, or one of another version of recurra: its files do not belong "
            "together; save it once more"
        ) from error
