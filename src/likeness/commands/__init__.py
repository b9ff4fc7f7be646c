"""The subcommands of `likeness`; each imports what it needs when it is called, so that all start at once."""
