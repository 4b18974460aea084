"""The objective function: a sum of layer terms and weight penalties."""

from .. import _generate, _schema
from .layer import Layer
from .util import make_iterable


class ObjectiveFunctionTerm(_generate.Config):
    """Base of the terms."""

    _descriptor, _fields, _message = _schema.descriptor("ObjectiveFunction"), {}, None


def _initialise_layer_term(self, layer, scale=1.0, **kwargs):
    """layer: one number per sample. scale: factor of the term."""
    self._set_fields({"layer": layer, "scale_factor": kwargs.pop("scale_factor", scale), **kwargs})


def _initialise_l2(self, weights=(), scale=1.0, **kwargs):
    """weights: Weights or names; none: all of the model. scale: factor of half the sum of squares."""
    self._set_fields({"weights": [getattr(w, "name", w) for w in make_iterable(weights)],
                      "scale_factor": kwargs.pop("scale_factor", scale), **kwargs})


LayerTerm = _generate.make_class("LayerTerm", _schema.descriptor("ObjectiveFunction.LayerTerm"),
                                 ObjectiveFunctionTerm, __name__, __init__=_initialise_layer_term)
L2WeightRegularization = _generate.make_class(
    "L2WeightRegularization", _schema.descriptor("ObjectiveFunction.L2WeightRegularization"),
    ObjectiveFunctionTerm, __name__, __init__=_initialise_l2)
for _class in (LayerTerm, L2WeightRegularization):
    del _class.__signature__


class ObjectiveFunction:
    """What training minimises. terms: layers, LayerTerms, L2WeightRegularizations, or a list of them."""

    def __init__(self, terms=()):
        self.terms = []
        for term in make_iterable(terms):
            self.add_term(term)

    def add_term(self, term):
        """Adds a term; a layer counts with factor 1."""
        if isinstance(term, Layer):
            term = LayerTerm(term)
        if not isinstance(term, ObjectiveFunctionTerm):
            raise TypeError(f"ObjectiveFunction: a layer or a term expected, got {term!r}")
        self.terms.append(term)

    def export_proto(self):
        """The message ObjectiveFunction."""
        proto = _schema.message("ObjectiveFunction")()
        for term in self.terms:
            target = proto.layer_term if isinstance(term, LayerTerm) else proto.l2_weight_regularization
            target.add().CopyFrom(term.export_proto())
        return proto


__all__ = ["ObjectiveFunctionTerm", "LayerTerm", "L2WeightRegularization", "ObjectiveFunction"]
