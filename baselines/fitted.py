class FittedBaseline: ...


def load_state(c, a):
    raise NotImplementedError
