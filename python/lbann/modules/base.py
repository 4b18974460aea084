"""Base of all modules, and the modules of one linear layer."""

import lbann
from lbann.core.util import make_iterable


class Module:
    """Base: `forward` adds layers to the graph, calling the module calls it.

    name: default <kind><N>, N counting the modules of the kind from 1 (`<Class>.global_count`).
    """

    global_count = 0

    def __init__(self, name=None):
        kind = type(self)
        if "global_count" not in vars(kind):
            kind.global_count = 0
        kind.global_count += 1
        self.instance = 0
        self.name = name or f"{kind.__name__.lower()}{kind.global_count}"

    def forward(self, *inputs):
        """Layers in, layers out."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def _next_instance(self):
        """Prefix of the names of this call's layers."""
        self.instance += 1
        return f"{self.name}_instance{self.instance}"


def given_weights(weights, name, *default_initializers):
    """Weights of a module: those given, the missing ones made with the initializers of their places."""
    weights = list(make_iterable(weights))
    suffixes = ("matrix", "bias")
    if len(weights) > len(default_initializers):
        raise ValueError(f"{name}: {len(weights)} weights, at most {len(default_initializers)} are used")
    for i in range(len(weights), len(default_initializers)):
        weights.append(lbann.Weights(initializer=default_initializers[i], name=f"{name}_{suffixes[i]}"))
    return weights


def apply_activation(activation, x, name):
    """`activation` is a layer class, or None."""
    if activation is None:
        return x
    if not (isinstance(activation, type) and issubclass(activation, lbann.Layer)):
        raise TypeError(f"{name}: an activation is a layer class such as lbann.Relu, got {activation!r}")
    return activation(x, name=name + "_activation")


class FullyConnectedModule(Module):
    """y = activation(W x + b). size: outputs. weights: matrix, bias; default He normal and zeros."""

    def __init__(self, size, bias=True, weights=(), activation=None, name=None, data_layout=None,
                 parallel_strategy=None, transpose=None):
        super().__init__(name)
        self.size, self.bias, self.activation, self.transpose = size, bias, activation, transpose
        self.options = dict(data_layout=data_layout, parallel_strategy=parallel_strategy)
        initializers = [lbann.HeNormalInitializer()] + [lbann.ConstantInitializer(value=0.0)] * bool(bias)
        self.weights = given_weights(weights, self.name, *initializers)

    def forward(self, x):
        name = self._next_instance()
        y = lbann.FullyConnected(x, weights=self.weights, num_neurons=self.size, has_bias=bool(self.bias),
                                 transpose=self.transpose, name=name + "_fc" if self.activation else name,
                                 **self.options)
        return apply_activation(self.activation, y, name)


class ChannelwiseFullyConnectedModule(Module):
    """The same affine map for every row of [channels, ...]. size: dims of an output row."""

    def __init__(self, size, bias=True, weights=(), activation=None, transpose=False, name=None,
                 parallel_strategy=None):
        super().__init__(name)
        self.size, self.bias, self.activation, self.transpose = size, bias, activation, transpose
        self.options = dict(parallel_strategy=parallel_strategy)
        initializers = [lbann.HeNormalInitializer()] + [lbann.ConstantInitializer(value=0.0)] * bool(bias)
        self.weights = given_weights(weights, self.name, *initializers)

    def forward(self, x):
        name = self._next_instance()
        y = lbann.ChannelwiseFullyConnected(
            x, weights=self.weights, output_channel_dims=self.size, bias=bool(self.bias), transpose=self.transpose,
            name=name + "_fc" if self.activation else name, **self.options)
        return apply_activation(self.activation, y, name)


class ConvolutionModule(Module):
    """y = activation(convolution(x)). weights: kernel, bias; default He normal and zeros.

    transpose: a deconvolution instead.
    """

    def __init__(self, num_dims, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 weights=(), activation=None, transpose=False, name=None, parallel_strategy=None):
        super().__init__(name)
        self.activation = activation
        self.kind = lbann.Deconvolution if transpose else lbann.Convolution
        self.options = dict(num_dims=num_dims, out_channels=out_channels, kernel_size=kernel_size, stride=stride,
                            padding=padding, dilation=dilation, groups=groups, has_bias=bool(bias),
                            parallel_strategy=parallel_strategy)
        initializers = [lbann.HeNormalInitializer()] + [lbann.ConstantInitializer(value=0.0)] * bool(bias)
        self.weights = given_weights(weights, self.name, *initializers)

    def forward(self, x):
        name = self._next_instance()
        y = self.kind(x, weights=self.weights, name=name + "_conv" if self.activation else name, **self.options)
        return apply_activation(self.activation, y, name)


class Convolution1dModule(ConvolutionModule):
    """ConvolutionModule over one spatial dim."""

    def __init__(self, *args, **kwargs):
        super().__init__(1, *args, **kwargs)


class Convolution2dModule(ConvolutionModule):
    """ConvolutionModule over two spatial dims."""

    def __init__(self, *args, **kwargs):
        super().__init__(2, *args, **kwargs)


class Convolution3dModule(ConvolutionModule):
    """ConvolutionModule over three spatial dims."""

    def __init__(self, *args, **kwargs):
        super().__init__(3, *args, **kwargs)
