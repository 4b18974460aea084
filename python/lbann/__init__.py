"""Describes LBANN experiments in Python and runs them.

    import lbann
    images = lbann.Input(data_field="samples")
    y = lbann.Relu(lbann.FullyConnected(images, num_neurons=10, has_bias=True))

Every message of the schema is a class with its fields as keywords: layers (`lbann.Convolution`), operators
(`lbann.Tanh`), optimizers, initializers, callbacks, metrics. `lbann.proto.save_prototext` writes the file that
lbann-train reads, `lbann.run` writes and starts it. Pure Python on the protobuf package; the classes are made
from the schema when the package is imported.
"""

from . import _schema

_pb2 = _schema.make_modules(__name__)
globals().update(_pb2)

from . import proto  # noqa: E402
from .core.util import get_parallel_strategy_args, make_iterable  # noqa: E402, F401
from .core.training_algorithm import *  # noqa: E402, F401, F403
from .core.optimizer import *  # noqa: E402, F401, F403
from .core.weights import *  # noqa: E402, F401, F403
from .core.operators import *  # noqa: E402, F401, F403
from .core.layer import *  # noqa: E402, F401, F403
from .core.objective_function import *  # noqa: E402, F401, F403
from .core.metric import *  # noqa: E402, F401, F403
from .core.callback import *  # noqa: E402, F401, F403
from .core.reader import *  # noqa: E402, F401, F403
from .core.model import *  # noqa: E402, F401, F403
from .core.trainer import *  # noqa: E402, F401, F403
from . import transforms  # noqa: E402, F401
from .launcher import has_feature, lbann_exe, run  # noqa: E402, F401

proto.lbann_pb2 = _pb2["lbann_pb2"]
for _module in _pb2.values():
    for _enum in vars(_module).copy().values():
        if isinstance(_enum, _schema.EnumNames):
            globals().setdefault(_enum.__name__, _enum)

__version__ = "0.1.0"


def __getattr__(name):
    """Subpackages that are imported when they are first used."""
    if name in ("models", "modules", "util", "contrib"):
        import importlib
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'lbann' has no attribute '{name}'")
