"""Reference solution of notebooks/workshop.ipynb. Try first: the judge gives better hints than this page."""


def may_write(token, highest):
    """The lease is not older than any lease that wrote before.

    The same number passes, because a client writes twice with one lease. A higher number passes whatever lies between,
    because the holder of a lease need not write at all.
    """
    return token >= highest
