"""The model: layers, weights, objective, metrics and callbacks."""

import numbers

from .. import _schema, _values
from .layer import Layer, traverse_layer_graph
from .objective_function import ObjectiveFunction
from .util import make_iterable


class Model:
    """A model to train.

    Two forms, told apart by the second positional argument:
      Model(epochs, layers, weights, objective_function, metrics, callbacks, name=...)
      Model(mini_batch_size, epochs, layers, ...)   scripts of 2019; the size goes to the trainer
    layers: any layers; all that are connected with them belong to the model. Further keywords are fields of
    the message Model.
    """

    def __init__(self, *args, **kwargs):
        names = ["epochs", "layers", "weights", "objective_function", "metrics", "callbacks", "name"]
        if len(args) > 1 and isinstance(args[1], numbers.Number):
            names.insert(0, "mini_batch_size")
        if len(args) > len(names):
            raise TypeError(f"Model: {len(args)} positional values, at most {len(names)} are possible")
        for name, value in zip(names, args):
            if name in kwargs:
                raise TypeError(f"Model: '{name}' is given twice")
            kwargs[name] = value
        if "num_epochs" in kwargs:
            kwargs.setdefault("epochs", kwargs.pop("num_epochs"))
        self._fields = _schema.descriptor("Model").fields_by_name
        self.mini_batch_size = kwargs.pop("mini_batch_size", None)
        self.epochs = kwargs.pop("epochs", None)
        self.layers = list(traverse_layer_graph(kwargs.pop("layers", ())))
        self.weights = list(make_iterable(kwargs.pop("weights", ())))
        objective = kwargs.pop("objective_function", None)
        self.objective_function = (
            objective if objective is None or hasattr(objective, "export_proto") and not isinstance(objective, Layer)
            and hasattr(objective, "terms") else ObjectiveFunction(objective))
        self.metrics = list(make_iterable(kwargs.pop("metrics", ())))
        self.callbacks = list(make_iterable(kwargs.pop("callbacks", ())))
        if kwargs.get("summary_dir") is not None:
            kwargs["summarizer"] = {"dir": kwargs["summary_dir"]}
        kwargs.pop("summary_dir", None)
        for name in kwargs:
            if name not in self._fields or name in ("layer", "metric", "callback"):
                raise _values.unknown_keyword("Model", name, [*self._fields, *names, "mini_batch_size", "summary_dir"])
        self._others = kwargs
        self._collect_weights()
        self._settle_names(self.layers, "layer")
        self._settle_names(self.weights, "weights")
        self.export_proto()

    @property
    def name(self):
        """The model's name, or None."""
        return self._others.get("name")

    def _collect_weights(self):
        known = {id(w) for w in self.weights}
        for layer in self.layers:
            for w in layer.weights:
                if id(w) not in known and not isinstance(w, str):
                    known.add(id(w))
                    self.weights.append(w)

    @staticmethod
    def _settle_names(items, what):
        """Names are unique: automatic ones step aside, given ones that clash are an error."""
        taken = {}
        for item in items:
            if not item.name_is_automatic:
                if item.name in taken:
                    raise ValueError(f"Model: two {what}s are named '{item.name}'" if what == "layer"
                                     else f"Model: two weights are named '{item.name}'")
                taken[item.name] = item
        for item in items:
            if not item.name_is_automatic or taken.setdefault(item.name, item) is item:
                continue
            stem, n = item.name, 2
            while f"{stem}_{n}" in taken:
                n += 1
            item.name = f"{stem}_{n}"
            taken[item.name] = item

    def add_callback(self, callback):
        """Appends a callback."""
        self.callbacks.append(callback)

    def export_proto(self):
        """The message Model."""
        proto = _schema.message("Model")()
        for name, value in self._others.items():
            _values.set_field(proto, self._fields[name], value, f"Model, {name}")
        if self.epochs is not None:
            _values.set_field(proto, self._fields["num_epochs"], self.epochs, "Model, epochs")
        if self.objective_function is not None:
            proto.objective_function.CopyFrom(self.objective_function.export_proto())
        for items, target in ((self.metrics, proto.metric), (self.layers, proto.layer),
                              (self.weights, proto.weights), (self.callbacks, proto.callback)):
            for item in items:
                target.add().CopyFrom(item.export_proto() if hasattr(item, "export_proto") else item)
        return proto

    def save_proto(self, filename):
        """Writes the model alone as prototext."""
        from ..proto import save_prototext
        save_prototext(filename, model=self)


__all__ = ["Model"]
