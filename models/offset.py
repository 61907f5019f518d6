"""A baseline's score as an offset: what a network learns is added to it, so that it learns what the baseline misses.

Source: Cheng et al. (2016), Wide & deep learning for recommender systems, DLRS; of scores out of fold: Wolpert (1992),
Stacked generalization, Neural Networks 5.
"""

from __future__ import annotations

import keras

from ..spec import SequenceSpec, TagOutput
from .layers.time_steps import Scale
from .sequence_inputs import output_size

OFFSET = "offset"


def add_offset(network: keras.Model, spec: SequenceSpec) -> keras.Model:
    """Add a score, times one learnt number that begins at 1, to what a network gives.

    Args:
        network: an uncompiled model of whole sequences.
        spec: what it was built for.

    Returns:
        An uncompiled model of the same layers with a further input ``offset``: the logits (batch, classes), or
        (batch, time, classes) of tags, or the scaled value (batch, 1) that the baseline gives.
    """
    steps = (None,) if isinstance(spec.outputs, TagOutput) else ()
    score = keras.Input((*steps, output_size(spec)), name=OFFSET)
    output = network.output + Scale(name="offset_scale")(score)
    return keras.Model({**network.input, OFFSET: score}, output, name=network.name)
