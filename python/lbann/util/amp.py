"""Automatic mixed precision."""


def enable_amp(model, init_scale=65536.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    """Switches half-precision arithmetic with a dynamic loss scale on for a model."""
    model._others["amp"] = dict(enabled=True, init_scale=init_scale, growth_factor=growth_factor,
                                backoff_factor=backoff_factor, growth_interval=int(growth_interval))
    model.export_proto()
