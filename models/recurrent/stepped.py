"""A loop over any cell, given as one step; backpropagation through it by differentiating that step.

The plain LSTM, GRU and SimpleRNN have their gradients written by hand. For what is compared with them one description
of a step is enough: going back, each step is computed once more from the states before it, which are all that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import tensorflow as tf

from .arrays import at, before, steps, unmasked, weight_gradients, weighted


class Step(Protocol):
    """One step of a cell; a value that can be hashed, for each has a compiled loop of its own."""

    def __call__(self, a: Any, states: Any, weights: Any) -> list[Any]:
        """Move on by a step.

        Args:
            a: x W + b of the step (batch, width). states: each (batch, units). weights: those that the states meet.

        Returns:
            The states after it, h first.
        """


@dataclass(frozen=True)
class Stepped:
    """The loop over a step, and the way back; weights are kernel, bias, and those of the step itself.

    Attributes:
        step: of the cell.
    """

    step: Step

    def forward(self, x: Any, weights: Any, initial: Any, mask: Any, length: Any, *, keep: bool) -> Any:
        """Run the loop over `length` steps; arguments and returns as in `lstm.forward`."""
        kernel, bias, *own = weights
        xs, count = weighted(x, kernel, bias), len(initial)  # (time, batch, width)
        kept = count if keep else 1

        def move(t: Any, *carried: Any) -> Any:
            states, arrays = list(carried[:count]), carried[count:]
            states = unmasked(mask, t, self.step(at(xs, t), states, own), states)
            written = [array.write(t, state) for array, state in zip(arrays, states[:kept], strict=True)]
            return (t + 1, *states, *written)

        arrays = [steps(x, state.shape[1]) for state in initial[:kept]]
        _, *carried = tf.while_loop(lambda t, *_: t < length, move, (0, *initial, *arrays))
        states = [array.stack() for array in carried[count:]]  # each (time, batch, units)
        return states[0], carried[:count], states if keep else []

    def backward(
        self, kept: Any, x: Any, weights: Any, initial: Any, mask: Any, length: Any, d_hs: Any, d_last: Any
    ) -> Any:
        """Go back through the loop; arguments and returns as in `lstm.backward`."""
        kernel, bias, *own = weights
        xs, count = weighted(x, kernel, bias), len(initial)  # (time, batch, width)
        befores = [before(first, states) for first, states in zip(initial, kept, strict=True)]

        def move(t: Any, *carried: Any) -> Any:
            d_states, d_own, d_xs = list(carried[:count]), carried[count:-1], carried[-1]
            if d_hs is not None:
                d_states[0] += at(d_hs, t)
            # A masked row passes its gradient on as it is, and none to the step.
            nothing = [tf.zeros_like(d) for d in d_states]
            through, past = unmasked(mask, t, d_states, nothing), unmasked(mask, t, nothing, d_states)
            [d_a], d_before, d_more = self._pull(at(xs, t), [at(states, t) for states in befores], own, through)
            d_before = [a + b for a, b in zip(d_before, past, strict=True)]
            return t - 1, *d_before, *[a + b for a, b in zip(d_own, d_more, strict=True)], d_xs.write(t, d_a)

        state = (length - 1, *d_last, *[tf.zeros_like(w) for w in own], steps(xs, xs.shape[2]))
        _, *carried = tf.while_loop(lambda t, *_: t >= 0, move, state)
        d_xs = carried[-1].stack()  # (time, batch, width)
        d_kernel, d_bias = weight_gradients(x, d_xs)
        return d_xs, [d_kernel, d_bias, *carried[count:-1]], carried[:count]

    def _pull(self, a: Any, states: Any, own: Any, d_states: Any) -> Any:
        """Gradients of one step for what it reads, for the states before it, and for its weights."""
        groups = [[tf.identity(array) for array in group] for group in ([a], states, own)]
        with tf.GradientTape() as tape:
            tape.watch(groups)
            after = self.step(groups[0][0], groups[1], groups[2])
        return tape.gradient(after, groups, d_states, unconnected_gradients=tf.UnconnectedGradients.ZERO)
