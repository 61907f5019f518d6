"""Find a learning rate: a few of them start from the same first weights, the worse half ends early (``halving.py``).

A task that is either solved or not (``target_loss``) has a validation loss that stands still until it falls all at
once, and standing still tells nothing: there every candidate has its whole chance in turn, until one gets there.
"""

# In place of a number: try some.
FIND = "find"
# The middle one first: where they take turns, it is the likeliest.
CANDIDATES = (3e-3, 1e-3, 1e-2)
