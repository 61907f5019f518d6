"""Recurrent layers: `SimpleRNN`, `GRU` and `LSTM` as Keras has them, with a loop over time made for CPUs; and `RNN`,
around cells that are compared with them.

Constructor words, weights, names, configs and results are those of `keras.layers.*`; weights load both ways. What
differs is the loop over time (see `scan`). Not promised: gradients of gradients, and speed for options the fast path
leaves to Keras (`layers.why_stock` names them).

    layers.py       the three Keras layers: when the fast path runs, when Keras's own does
    scan.py         what the cells share: shards, padding to bucket lengths, the hand-written gradient
    lstm.py         Hochreiter & Schmidhuber 1997, and backpropagation through it
    gru.py          Cho et al. 2014
    simple_rnn.py   Elman 1990
    stepped.py      the loop over any cell that is given as one step
    lstm_form.py    the LSTM without a gate, with coupled gates or with peepholes
    transition.py   the simple recurrent network with a deeper transition, or begun at the identity
    parallel.py     minGRU and minLSTM, all steps at once
    gate_bias.py    what the bias of a forget gate begins with
    portable.py     the same forward pass in core TensorFlow ops, for a SavedModel that any server can load
"""

from .gate_bias import GateBias
from .layers import GRU, LSTM, RNN, SimpleRNN
from .lstm_form import LSTMCell, LSTMForm
from .parallel import MinimalCell
from .portable import portable
from .transition import TransitionCell

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GateBias",
    "LSTMCell",
    "LSTMForm",
    "MinimalCell",
    "SimpleRNN",
    "TransitionCell",
    "portable",
]
