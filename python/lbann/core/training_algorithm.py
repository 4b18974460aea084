"""Training algorithms and the strategies of tournament training."""

from .. import _generate, _schema


class TrainingAlgorithm(_generate.Config):
    """Base of training algorithms. name: used in log lines."""

    _descriptor, _fields, _message = _schema.descriptor("TrainingAlgorithm"), {}, None
    name = ""

    def __init__(self, name="", **kwargs):
        self.name = name
        self._set_fields(kwargs)

    def export_proto(self):
        """The message TrainingAlgorithm with its parameters."""
        proto = _schema.message("TrainingAlgorithm")()
        if self.name:
            proto.name = self.name
        proto.parameters.Pack(self.do_export_proto())
        return proto

    def do_export_proto(self):
        """The message of the parameters; subclasses of scripts override this."""
        return self._export_fields(self._message())


def _initialise_sgd(self, name="", num_iterations=None, epoch_count=None, max_seconds=None, **kwargs):
    """num_iterations, epoch_count, max_seconds: when to stop; exactly one of them."""
    self.name = name
    given = {"max_batches": num_iterations, "max_epochs": epoch_count, "max_seconds": max_seconds}
    given = {n: v for n, v in given.items() if v}
    if len(given) > 1:
        raise TypeError(f"{type(self).__name__}: only one of num_iterations, epoch_count and max_seconds can be given")
    if given:
        kwargs["stopping_criteria"] = given
    self._set_fields(kwargs)


def _initialise_ltfb(self, name="", metalearning=None, local_algo=None, metalearning_steps=None, **kwargs):
    """metalearning: a strategy. local_algo: what trains between tournaments. metalearning_steps: their number."""
    self.name = name
    if metalearning is not None:
        kwargs["meta_learning_strategy"] = metalearning
    if local_algo is not None:
        kwargs["local_training_algorithm"] = local_algo
    if metalearning_steps is not None:
        kwargs["stopping_criteria"] = {"max_tournaments": metalearning_steps}
    self._set_fields(kwargs)


def _initialise_kfac(self, name="", first_order_optimizer=None, **kwargs):
    """first_order_optimizer: the BatchedIterativeOptimizer that says when to stop."""
    self.name = name
    if first_order_optimizer is not None:
        kwargs["sgd"] = first_order_optimizer.do_export_proto()
    self._set_fields(kwargs)


class MetaLearningStrategy(_generate.Config):
    """Base of the strategies of tournament training."""

    _descriptor, _fields, _message = _schema.descriptor("LTFB"), {}, None


def _initialise_pairwise(self, metric_strategies=None, exchange_strategy=None, mutation_strategy=None, **kwargs):
    """metric_strategies: {name of a metric: LOWER_IS_BETTER or HIGHER_IS_BETTER}."""
    if metric_strategies is not None:
        kwargs["metric_name_strategy_map"] = metric_strategies
    self._set_fields({**kwargs, "exchange_strategy": exchange_strategy, "mutation_strategy": mutation_strategy})


def _make(name, message, base, **attributes):
    made = _generate.make_class(name, _schema.descriptor(message), base, __name__, **attributes)
    if "__init__" in attributes:
        del made.__signature__
    for enum in made._descriptor.enum_types:
        setattr(made, enum.name, _schema.EnumNames(enum))
    return made


BatchedIterativeOptimizer = _make("BatchedIterativeOptimizer", "SGD", TrainingAlgorithm, __init__=_initialise_sgd)
LTFB = _make("LTFB", "LTFB", TrainingAlgorithm, __init__=_initialise_ltfb)
KFAC = _make("KFAC", "KFAC", TrainingAlgorithm, __init__=_initialise_kfac)
RandomPairwiseExchange = _make("RandomPairwiseExchange", "RandomPairwiseExchange", MetaLearningStrategy,
                               __init__=_initialise_pairwise)
TruncationSelectionExchange = _make("TruncationSelectionExchange", "TruncationSelectionExchange",
                                    MetaLearningStrategy)
RegularizedEvolution = _make("RegularizedEvolution", "RegularizedEvolution", MetaLearningStrategy)
MutationStrategy = _make("MutationStrategy", "MutationStrategy", _generate.Config)

__all__ = ["TrainingAlgorithm", "MetaLearningStrategy", "BatchedIterativeOptimizer", "LTFB", "KFAC",
           "RandomPairwiseExchange", "TruncationSelectionExchange", "RegularizedEvolution", "MutationStrategy"]
