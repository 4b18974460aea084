"""Layers: one class per member of the message Layer, made from the schema; and the walk over their graph.

`lbann.Relu(x)` makes a layer with parent x and enters it among x's children. The order of children is the
order of creation: it decides which output of `Slice`, or which field of an old two-child `Input`, a child gets.
"""

import numbers
from collections import deque

from .. import _generate, _schema, _values
from .util import make_iterable

_LAYER_FIELDS = _schema.descriptor("Layer").fields_by_name
# Keyword of the constructor -> field of the message; the rest of the message are edges and the kind.
_COMMON = {"name": "name", "device": "device_allocation", "data_layout": "data_layout", "datatype": "datatype",
           "hint_layer": "hint_layer", "parallel_strategy": "parallel_strategy", "grid_tag": "grid_tag",
           "freeze": "freeze"}


class Layer(_generate.Config):
    """A node of the layer graph.

    parents: layers (or lists of layers) whose outputs are the inputs, in input order.
    children, weights: layers and Weights; or one of them.
    name: unique, without blanks; default layer<N>, N counting from 1 (`Layer.global_count`).
    device: 'CPU' or 'GPU'. data_layout: 'data_parallel' or 'model_parallel'. parallel_strategy: a dictionary.
    """

    global_count = 0
    _descriptor, _fields, _message, _member = _schema.descriptor("Layer.Identity"), {}, None, None

    def __init__(self, *parents, children=(), weights=(), name=None, **kwargs):
        Layer.global_count += 1
        parents = (*parents, kwargs.pop("parents", ()))
        if "device_allocation" in kwargs:
            kwargs["device"] = kwargs.pop("device_allocation")
        own = self._fields
        common = {key: kwargs.pop(key) for key in _COMMON if key in kwargs and key not in own}
        common["name"] = name
        self._set_fields(kwargs)
        self.name_is_automatic = not name
        self.name = name or f"layer{Layer.global_count}"
        self.parents, self.children, self.weights = [], [], []
        for key in _COMMON:
            if key != "name":
                setattr(self, key, common.get(key))
        self._export_common(_schema.message("Layer")())
        for parent in parents:
            self.add_parent(parent)
        for child in make_iterable(children):
            self.add_child(child)
        for w in make_iterable(weights):
            self.add_weights(w)

    @classmethod
    def _known_keywords(cls):
        return super()._known_keywords() + list(_COMMON) + ["parents", "children", "weights"]

    def add_parent(self, parent):
        """Appends a parent or a list of parents."""
        if isinstance(parent, Layer):
            self.parents.append(parent)
            parent.children.append(self)
        elif isinstance(parent, (str, bytes, numbers.Number)) or not hasattr(parent, "__iter__"):
            if parent is not None:
                raise TypeError(f"{type(self).__name__} '{self.name}': a parent is a layer, got {parent!r}")
        else:
            for one in parent:
                self.add_parent(one)

    def add_child(self, child):
        """Appends a child or a list of children."""
        if isinstance(child, Layer):
            child.add_parent(self)
        else:
            for one in make_iterable(child):
                if not isinstance(one, Layer):
                    raise TypeError(f"{type(self).__name__} '{self.name}': a child is a layer, got {one!r}")
                one.add_parent(self)

    def add_weights(self, weights):
        """Appends Weights or a list of them."""
        self.weights.extend(make_iterable(weights))

    def __call__(self, *parents):
        """Appends parents; returns the layer."""
        for parent in parents:
            self.add_parent(parent)
        return self

    def __repr__(self):
        return f"<lbann.{type(self).__name__} '{self.name}'>"

    def _export_common(self, proto):
        for key, field in _COMMON.items():
            value = getattr(self, key)
            if value is not None and value != {}:
                _values.set_field(proto, _LAYER_FIELDS[field], value, f"{type(self).__name__} '{self.name}', {key}")
        return proto

    def _export_kind(self, proto):
        member = getattr(proto, self._member)
        self._export_fields(member)
        member.SetInParent()

    def export_proto(self):
        """The message Layer. The children are written where their order means something: from two on."""
        proto = self._export_common(_schema.message("Layer")())
        proto.parents.extend(p.name for p in self.parents)
        if len(self.children) > 1:
            proto.children.extend(c.name for c in self.children)
        proto.weights.extend(w if isinstance(w, str) else w.name for w in self.weights)
        self._export_kind(proto)
        return proto


classes = _generate.make_member_classes("Layer", "layer_type", Layer, __name__)
for _class in classes.values():
    _class._leading = ()
globals().update(classes)


def traverse_layer_graph(layers):
    """Generates all layers connected to `layers` (one or several), each after its parents.

    Deterministic: among those whose parents are done, the first found comes first, and the search goes
    through parents, then children, in order of creation. ValueError when the graph has a cycle.
    """
    found, queue = {}, deque(make_iterable(layers))
    while queue:
        layer = queue.popleft()
        if not isinstance(layer, Layer):
            raise TypeError(f"a layer expected, got {layer!r}")
        if id(layer) in found:
            continue
        found[id(layer)] = layer
        queue.extend(layer.parents)
        queue.extend(layer.children)
    missing = {key: len({id(p) for p in layer.parents}) for key, layer in found.items()}
    ready = deque(layer for key, layer in found.items() if missing[key] == 0)
    done = 0
    while ready:
        layer = ready.popleft()
        done += 1
        yield layer
        for child in {id(c): c for c in layer.children}.values():
            missing[id(child)] -= 1
            if missing[id(child)] == 0:
                ready.append(child)
    if done < len(found):
        stuck = next(layer for key, layer in found.items() if missing[key] > 0)
        raise ValueError(f"the layer graph has a cycle through or before '{stuck.name}'")


__all__ = ["Layer", "traverse_layer_graph", *classes]
