"""LeNet-5 (LeCun et al. 1998) with max pooling and ReLU, for images [1,28,28]."""

import lbann
from lbann.modules.base import Convolution2dModule, FullyConnectedModule, Module


def _pool(x):
    return lbann.Pooling(x, num_dims=2, pool_dims_i=2, pool_strides_i=2, pool_pads_i=0, pool_mode="max")


class LeNet(Module):
    """Images in, output_size logits out."""

    def __init__(self, output_size, name=None):
        super().__init__(name)
        self.conv1 = Convolution2dModule(6, 5, padding=2, activation=lbann.Relu, name=self.name + "_conv1")
        self.conv2 = Convolution2dModule(16, 5, activation=lbann.Relu, name=self.name + "_conv2")
        self.fc1 = FullyConnectedModule(120, activation=lbann.Relu, name=self.name + "_fc1")
        self.fc2 = FullyConnectedModule(84, activation=lbann.Relu, name=self.name + "_fc2")
        self.fc3 = FullyConnectedModule(output_size, name=self.name + "_fc3")

    def forward(self, x):
        return self.fc3(self.fc2(self.fc1(_pool(self.conv2(_pool(self.conv1(x)))))))
