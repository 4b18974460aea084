"""Small helpers of scripts."""

from ..core.util import get_parallel_strategy_args, make_iterable


def str_list(it):
    """The items of a list as one blank-separated text."""
    return " ".join(str(i) for i in make_iterable(it))


__all__ = ["make_iterable", "get_parallel_strategy_args", "str_list"]
