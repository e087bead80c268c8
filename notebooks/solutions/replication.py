"""Reference solutions of notebooks/02_replication.ipynb. Try first: the judge gives better hints than this page.

Paste one into the exercise's cell, or `from solutions.replication import compare`, and run the check.
"""


def read_quorum(replies, need):
    """Write it 1: wait for `need` answers. The highest version counts; a phone with an older one is named.

    The number decides, and of two equal numbers the phone that gave it.
    """
    if len(replies) < need:
        return "wait"
    newest = max(replies.values(), key=lambda version: (version[0], version[1]))
    return newest, [phone for phone, version in replies.items() if version != newest]


def compare(a, b):
    """Write it 2: a phone that a vector does not name counts 0."""
    phones = {*a, *b}
    less = any(a.get(phone, 0) < b.get(phone, 0) for phone in phones)
    more = any(a.get(phone, 0) > b.get(phone, 0) for phone in phones)
    if less and more:
        return "concurrent"
    return "before" if less else "after" if more else "same"


def sync(context, new, stored):
    """Write it 3: the write replaces the values whose dots the context covers, and no others."""
    kept = [((phone, number), value) for (phone, number), value in stored if number > context.get(phone, 0)]
    return [*kept, new]
