"""The version of the package, in a module of its own so that nothing inside imports the package's `__init__`."""

__version__ = "0.1.0"
