"""AlexNet (Krizhevsky, Sutskever and Hinton 2012) on one device, for images [3,224,224] or [3,227,227]."""

import lbann
from lbann.modules.base import Convolution2dModule, FullyConnectedModule, Module


def _norm(x):
    return lbann.LocalResponseNormalization(x, window_width=5, lrn_alpha=1e-4, lrn_beta=0.75, lrn_k=2)


def _pool(x):
    return lbann.Pooling(x, num_dims=2, pool_dims_i=3, pool_strides_i=2, pool_pads_i=0, pool_mode="max")


class AlexNet(Module):
    """Images in, output_size logits out."""

    def __init__(self, output_size, name=None):
        super().__init__(name)
        conv = [(96, 11, 4, 0, 1), (256, 5, 1, 2, 2), (384, 3, 1, 1, 1), (384, 3, 1, 1, 2), (256, 3, 1, 1, 2)]
        self.convs = [Convolution2dModule(c, k, stride=s, padding=p, groups=g, activation=lbann.Relu,
                                          name=f"{self.name}_conv{i + 1}") for i, (c, k, s, p, g) in enumerate(conv)]
        self.fc6 = FullyConnectedModule(4096, activation=lbann.Relu, name=self.name + "_fc6")
        self.fc7 = FullyConnectedModule(4096, activation=lbann.Relu, name=self.name + "_fc7")
        self.fc8 = FullyConnectedModule(output_size, name=self.name + "_fc8")

    def forward(self, x):
        x = _pool(_norm(self.convs[0](x)))
        x = _pool(_norm(self.convs[1](x)))
        x = _pool(self.convs[4](self.convs[3](self.convs[2](x))))
        x = lbann.Dropout(self.fc6(x), keep_prob=0.5)
        return self.fc8(lbann.Dropout(self.fc7(x), keep_prob=0.5))
