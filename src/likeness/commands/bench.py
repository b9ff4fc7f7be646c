"""`likeness bench`"""
def bench() -> None:
    """Later."""
