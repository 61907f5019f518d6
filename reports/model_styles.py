"""Colours and dashes of the models, from the registries: a new family or baseline gets the next ones.

Families that are not recurrent are blue, recurrent ones have warm colours, baselines are dull and dashed. The first of
them are Okabe and Ito's (2008), told apart with any common colour blindness; the others were chosen for their distance
from those, seen with each of its forms (Machado et al. 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.colors import to_rgb

from ..comparison.summary_rows import is_recurrent

if TYPE_CHECKING:
    from ..comparison import Comparison

Dashes = tuple[float, ...]

_FEED_FORWARD = ("#56B4E9", "#0072B2", "#1F3B73", "#7B8FE8", "#0B5563", "#A6CEE3")
_RECURRENT = ("#E69F00", "#D55E00", "#B0528F", "#7F2704", "#F2C14E", "#7A0177")
# The simplest is the darkest.
_BASELINE = ("#4D4D4D", "#8C6D46", "#A39A3E", "#9A9A9A", "#3F8F83", "#5B7F3B", "#8A7090", "#6F7F96")
_DASHES: tuple[Dashes, ...] = (
    (3, 1.2, 1.2, 1.2),
    (4, 2),
    (6, 1.5, 1.2, 1.5),
    (1.2, 1.2),
    (2.5, 1.5),
    (5, 1.5),
    (8, 2),
    (6, 1.5, 1.2, 1.5, 1.2, 1.5),
)
# Variants of families, and what no registry knows.
_OTHERS = ("#009E73", "#332288", "#882255", "#999933", "#44AA99", "#661100")


@dataclass(frozen=True)
class ModelStyle:
    """How a model is drawn, the same in every plot.

    Attributes:
        colour: of lines and markers.
        dashes: lengths of dashes and gaps of a baseline; empty for what was trained, so that colour is never the only
            difference.
    """

    colour: str
    dashes: Dashes = ()

    @property
    def ink(self) -> tuple[float, float, float]:
        """The colour, dark enough to be read as text on white."""
        return ink_of(self.colour)

    @property
    def line(self) -> dict[str, Any]:
        """Keywords for ``Axes.plot``."""
        if not self.dashes:
            return {"color": self.colour, "linestyle": "-", "linewidth": 1.7, "zorder": 3}
        return {"color": self.colour, "linestyle": (0, self.dashes), "linewidth": 1.3, "zorder": 2.5}


def model_styles(comparison: Comparison) -> dict[str, ModelStyle]:
    """A style for each model of a comparison."""
    task, settings = comparison.task, comparison.settings
    trivial = task.wording.trivial[0]
    baselines = sorted(type(task).list_baselines(), key=lambda name: name != trivial)  # the others keep their order
    styles = {name: ModelStyle(_nth(_BASELINE, i), _nth(_DASHES, i)) for i, name in enumerate(baselines)}
    shown = [row["model"] for row in comparison.summary_rows]
    families = dict.fromkeys([*settings["families"], *(name for name in shown if name not in settings["baselines"])])
    unknown = [name for name in settings["baselines"] if name not in styles]
    styles |= {name: ModelStyle(_nth(_OTHERS[::-1], i), _nth(_DASHES, i)) for i, name in enumerate(unknown)}
    return styles | family_styles([name for name in families if name not in styles])


def family_styles(names: Sequence[str]) -> dict[str, ModelStyle]:
    """A style for each family or variant: families by their place in the registry, the others in the order given."""
    colours = _family_colours()
    others = [name for name in names if name not in colours]
    colours |= {name: _nth(_OTHERS, i) for i, name in enumerate(others)}
    return {name: ModelStyle(colours[name]) for name in names}


def style_of_each(names: Sequence[str]) -> dict[str, ModelStyle]:
    """A style for names that may be written otherwise, as a forecaster's columns: ``SimpleRNN`` is simple_rnn."""
    from ..models import FAMILIES

    known = {family.replace("_", ""): family for family in FAMILIES}
    families = [known.get(name.partition(":")[0].replace("_", "").lower(), name) for name in names]
    unlike = families if len(set(families)) == len(families) else list(names)
    return dict(zip(names, family_styles(unlike).values(), strict=True))


def ink_of(colour: str) -> tuple[float, float, float]:
    """A colour, dark enough to be read as text on white."""
    red, green, blue = to_rgb(colour)
    return 0.7 * red, 0.7 * green, 0.7 * blue


def _family_colours() -> dict[str, str]:
    from ..models import FAMILIES

    recurrent = [name for name in FAMILIES if is_recurrent(name)]
    others = [name for name in FAMILIES if name not in recurrent]
    pairs = [(recurrent, _RECURRENT), (others, _FEED_FORWARD)]
    return {name: _nth(palette, i) for names, palette in pairs for i, name in enumerate(names)}


def _nth(palette: Sequence[Any], place: int) -> Any:
    return palette[place % len(palette)]
