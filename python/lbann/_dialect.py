"""Keywords of LBANN's older releases, translated to today's fields; what is written is always today's spelling.

The renames are those of the prototext front end; a test compares them with its table.
"""

RENAMES = {
    "Layer.Concatenation": {"concatenation_axis": "axis"},
    "Layer.Slice": {"slice_axis": "axis"},
    "Reader": {
        "percent_of_data_to_use": "fraction_of_data_to_use",
        "validation_percent": "validation_fraction",
        "tournament_percent": "tournament_fraction",
        "index_list": "sample_list",
        "index_list_per_model": "sample_list_per_model",
        "index_list_per_trainer": "sample_list_per_trainer",
    },
    "Callback.CallbackDumpOutputs": {"basename": "directory", "interval": "batch_interval", "layer_names": "layers"},
    "Callback.CallbackDumpWeights": {"basename": "directory"},
    "Callback.CallbackImComm": {"intermodel_comm_method": "intertrainer_comm_method"},
    "Callback.CallbackLTFB": {"eval_metrics": "metric", "round_size": "batch_interval", "weights_tosend": "weights"},
    "ObjectiveFunction.L2WeightRegularization": {"scale": "scale_factor"},
    "ObjectiveFunction.LayerTerm": {"scale": "scale_factor"},
    "ParallelStrategy": {"sub_branch_tag": "grid_tag"},
    "RandomPairwiseExchange.ExchangeStrategy.CheckpointFile": {"base_dir": "checkpoint_dir"},
}

# No release read them.
IGNORED = {
    "Layer.Reshape": {"num_dims"},
    "Layer.Input": {"io_buffer", "data_set_per_model"},
    "Layer.FullyConnected": {"bias_initial_value", "l2_regularization_factor", "group_lasso_regularization_factor",
                             "weight_initialization"},
    "Layer.Convolution": {"bias_initial_value", "l2_regularization_factor", "weight_initialization"},
    "Layer.Deconvolution": {"bias_initial_value", "l2_regularization_factor", "weight_initialization"},
    "Optimizer.SGD": {"decay_rate"},
}

_OLD_CONVOLUTION = {"conv_dims": "kernel_size", "conv_pads": "padding", "conv_strides": "stride",
                    "conv_dilations": "dilation"}
_OLD_PLAIN = {"num_output_channels": "out_channels", "num_groups": "groups"}
_CONVOLUTIONS = ("Layer.Convolution", "Layer.Deconvolution")


def _key(desc):
    return desc.full_name.split(".", 1)[1]


def old_names(desc):
    """Old keywords that a message takes."""
    key = _key(desc)
    names = list(RENAMES.get(key, ()))
    if key in _CONVOLUTIONS:
        names += [*_OLD_PLAIN, *_OLD_CONVOLUTION, *(n + "_i" for n in _OLD_CONVOLUTION), "has_vectors"]
    return names


def translate(desc, kwargs, owner):
    """The keywords in today's spelling. TypeError when both spellings of one thing are given."""
    key = _key(desc)
    dropped = IGNORED.get(key)
    if dropped:
        kwargs = {n: v for n, v in kwargs.items() if n not in dropped}
    renames = RENAMES.get(key)
    if renames:
        for old in [n for n in kwargs if n in renames]:
            _put(kwargs, renames[old], kwargs.pop(old), old, owner)
    if key in _CONVOLUTIONS:
        _translate_convolution(kwargs, owner)
    return kwargs


def _put(kwargs, name, value, old, owner):
    if value is None:
        return
    if kwargs.get(name) is not None:
        raise TypeError(f"{owner}: '{old}' is the old name of '{name}', and both are given")
    kwargs[name] = value


def _translate_convolution(kwargs, owner):
    """conv_dims_i and the like count unless has_vectors is set; in this spelling has_bias unset is false."""
    old = [n for n in kwargs if n in _OLD_PLAIN or n == "has_vectors" or n.removesuffix("_i") in _OLD_CONVOLUTION]
    if not old:
        return
    given = {n: kwargs.pop(n) for n in old}
    vectors = given.pop("has_vectors", None)
    for name, today in _OLD_PLAIN.items():
        value = given.pop(name, None)
        _put(kwargs, today, None if value in (None, 0) and today == "groups" else value, name, owner)
    for name, today in _OLD_CONVOLUTION.items():
        one, many = given.pop(name + "_i", None), given.pop(name, None)
        if vectors is None:
            vectors_here = one is None and many is not None
        else:
            vectors_here = vectors
        value = many if vectors_here else one
        if today == "dilation" and value in (0, None):
            continue
        _put(kwargs, today, value, name if vectors_here else name + "_i", owner)
    if kwargs.get("has_bias") is None and any(n.removesuffix("_i") in _OLD_CONVOLUTION for n in old):
        kwargs["has_bias"] = False
