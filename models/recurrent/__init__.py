"""Recurrent layers: `SimpleRNN`, `GRU` and `LSTM` as Keras has them, with a loop over time made for CPUs.

Constructor words, weights, names, configs and results are those of `keras.layers.*`; weights load both ways. What
differs is the loop over time (see `scan`). Not promised: gradients of gradients, and speed for options the fast path
leaves to Keras (`layers.why_stock` names them).

    layers.py       the three Keras layers: when the fast path runs, when Keras's own does
    scan.py         what the cells share: shards, padding to bucket lengths, the hand-written gradient
    lstm.py         Hochreiter & Schmidhuber 1997, and backpropagation through it
    gru.py          Cho et al. 2014
    simple_rnn.py   Elman 1990
    portable.py     the same forward pass in core TensorFlow ops, for a SavedModel that any server can load
"""

from .layers import GRU, LSTM, SimpleRNN
from .portable import portable

__all__ = ["GRU", "LSTM", "SimpleRNN", "portable"]
