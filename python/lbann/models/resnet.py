"""Residual networks (He et al. 2015, arXiv 1512.03385) for images [3,224,224]; stride in the 3x3 convolution."""

import lbann
from lbann.modules.base import Convolution2dModule, FullyConnectedModule, Module

_BLOCKS = {18: ("basic", (2, 2, 2, 2)), 34: ("basic", (3, 4, 6, 3)), 50: ("bottleneck", (3, 4, 6, 3)),
           101: ("bottleneck", (3, 4, 23, 3)), 152: ("bottleneck", (3, 8, 36, 3))}


class ConvBNRelu(Module):
    """Convolution without bias, batch normalisation, ReLU unless told otherwise."""

    def __init__(self, out_channels, kernel_size, stride, padding, relu, name, zero_init=False, group_size=None):
        super().__init__(name)
        self.relu, self.group_size = relu, group_size
        self.conv = Convolution2dModule(out_channels, kernel_size, stride=stride, padding=padding, bias=False,
                                        name=name + "_conv")
        self.weights = [
            lbann.Weights(initializer=lbann.ConstantInitializer(value=0.0 if zero_init else 1.0), name=name + "_scale"),
            lbann.Weights(initializer=lbann.ConstantInitializer(value=0.0), name=name + "_bias")]

    def forward(self, x):
        name = self._next_instance()
        y = lbann.BatchNormalization(self.conv(x), weights=self.weights, decay=0.9, epsilon=1e-5,
                                     statistics_group_size=self.group_size, name=name + "_bn")
        return lbann.Relu(y, name=name + "_relu") if self.relu else y


class Block(Module):
    """y = relu(x + branch(x)); the shortcut is projected when the dims change."""

    def __init__(self, kind, in_channels, mid, stride, name, zero_init, group_size):
        super().__init__(name)
        out = mid if kind == "basic" else 4 * mid
        plan = ([(mid, 3, stride, 1, True), (mid, 3, 1, 1, False)] if kind == "basic" else
                [(mid, 1, 1, 0, True), (mid, 3, stride, 1, True), (out, 1, 1, 0, False)])
        self.branch = [ConvBNRelu(c, k, s, p, relu, f"{name}_conv{i + 1}", zero_init and not relu, group_size)
                       for i, (c, k, s, p, relu) in enumerate(plan)]
        self.shortcut = None
        if stride != 1 or in_channels != out:
            self.shortcut = ConvBNRelu(out, 1, stride, 0, False, name + "_shortcut", False, group_size)
        self.out_channels = out

    def forward(self, x):
        y = x
        for layer in self.branch:
            y = layer(y)
        x = self.shortcut(x) if self.shortcut else x
        return lbann.Relu(lbann.Sum(x, y), name=self._next_instance() + "_relu")


class ResNet(Module):
    """Images in, output_size logits out. layers: 18, 34, 50, 101 or 152. width: channels of the first stage.
    final_size: height and width of the last stage, 1/32 of the image's, over which the mean is taken."""

    def __init__(self, output_size, layers=50, zero_init_residual=True, bn_statistics_group_size=None, width=64,
                 final_size=7, name=None):
        super().__init__(name)
        kind, counts = _BLOCKS[layers]
        self.stem = ConvBNRelu(width, 7, 2, 3, True, self.name + "_conv1", False, bn_statistics_group_size)
        self.final_size = final_size
        self.blocks, channels = [], width
        for stage, count in enumerate(counts):
            for i in range(count):
                block = Block(kind, channels, width << stage, 2 if stage > 0 and i == 0 else 1,
                              f"{self.name}_stage{stage + 2}_block{i + 1}", zero_init_residual,
                              bn_statistics_group_size)
                self.blocks.append(block)
                channels = block.out_channels
        self.fc = FullyConnectedModule(output_size, name=self.name + "_fc")

    def forward(self, x):
        x = lbann.Pooling(self.stem(x), num_dims=2, pool_dims_i=3, pool_strides_i=2, pool_pads_i=1, pool_mode="max")
        for block in self.blocks:
            x = block(x)
        return self.fc(lbann.Pooling(x, num_dims=2, pool_dims_i=self.final_size, pool_strides_i=1, pool_pads_i=0,
                                     pool_mode="average"))


def _make(depth):
    class Made(ResNet):
        def __init__(self, output_size, **kwargs):
            super().__init__(output_size, layers=depth, **kwargs)
    Made.__name__ = Made.__qualname__ = f"ResNet{depth}"
    Made.__doc__ = f"ResNet with {depth} layers; see ResNet."
    return Made


ResNet18, ResNet34, ResNet50, ResNet101, ResNet152 = (_make(d) for d in (18, 34, 50, 101, 152))
