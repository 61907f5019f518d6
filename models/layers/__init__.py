"""Keras layers of this package, beside the recurrent ones; each is saved under ``recurra>Name``."""
