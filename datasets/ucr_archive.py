"""Sets of the UCR archive (Dau et al. 2018): two .tsv files each, to be put in place by hand."""

from collections.abc import Mapping
from typing import Any

from .download import fetch
from .panel_files import join_splits, read_panel

_PAGE = "https://www.cs.ucr.edu/~eamonn/time_series_data_2018/"


def read_ucr_set(name: str, sha256: Mapping[str, str]) -> dict[str, Any]:
    """Read the training and the test set.

    Args:
        name: as the archive calls it, such as GunPoint.
        sha256: of the plain files: TRAIN, TEST.

    Returns:
        Arguments of ``PanelFrame.from_arrays``.

    Raises:
        InputError: a file isn't there, or has been changed.
    """
    splits = []
    for split, checksum in sha256.items():
        file = f"{name}/{name}_{split}.tsv"
        splits.append(read_panel(fetch(f"ucr/{file}", f"{_PAGE} ({file} in the archive)", checksum, by_hand=True)))
    return join_splits(*splits)
