"""Metrics: what is reported besides the objective."""

from .. import _generate, _schema


class BaseMetric(_generate.Config):
    """Base of all metrics. `export_proto()` gives the message Metric with its one member set."""

    _descriptor, _fields, _message, _member = _schema.descriptor("Metric"), {}, None, None

    def export_proto(self):
        proto = _schema.message("Metric")()
        member = getattr(proto, self._member)
        self._export_fields(member)
        member.SetInParent()
        return proto


def _initialise_layer_metric(self, layer, name=None, unit=""):
    """layer: one number per sample. name: default the layer's. unit: '%' multiplies by 100."""
    self.layer = layer
    self.name = name or getattr(layer, "name", layer)
    self.unit = unit or None
    self._export_fields(self._message())


classes = _generate.make_member_classes("Metric", "metric_type", BaseMetric, __name__)
LayerMetric = classes["LayerMetric"]
LayerMetric.__init__ = _initialise_layer_metric
del LayerMetric.__signature__
Metric = LayerMetric
globals().update(classes)
__all__ = ["BaseMetric", "Metric", *classes]
