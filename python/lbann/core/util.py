"""Helpers shared by the classes of an experiment."""

from .. import _schema


def make_iterable(obj):
    """`obj` if it can be iterated over and is no text, else a tuple of it."""
    if obj is None:
        return ()
    if isinstance(obj, (str, bytes)) or not hasattr(obj, "__iter__"):
        return (obj,)
    return obj


def get_parallel_strategy_args(**kwargs):
    """The keywords that are not None, as a dictionary for `parallel_strategy`.

    Names are checked against the message ParallelStrategy.
    """
    from .._values import unknown_keyword
    known = _schema.descriptor("ParallelStrategy").fields_by_name
    for name in kwargs:
        if name not in known and name not in ("sub_branch_tag", "enable_subgraph", "sub_branch_resource_percentage"):
            raise unknown_keyword("parallel_strategy", name, known)
    return {name: value for name, value in kwargs.items() if value is not None}
