"""The files that the stages and the nightly runs leave: one module each, with its dataclass, reader and writer."""
