"""The files that stages and nightly runs leave, one module each: its dataclass or columns, its reader and writer.

A stage imports only the modules of the files that it reads or writes, so that DVC re-runs no other.
"""
