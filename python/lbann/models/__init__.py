"""Well-known networks as modules: `lbann.models.ResNet50(1000)(images)` gives the logits."""

from .alexnet import AlexNet
from .lenet import LeNet
from .resnet import ResNet, ResNet18, ResNet34, ResNet50, ResNet101, ResNet152
from .transformer import Transformer, TransformerEncoderLayer

__all__ = ["AlexNet", "LeNet", "ResNet", "ResNet18", "ResNet34", "ResNet50", "ResNet101", "ResNet152",
           "Transformer", "TransformerEncoderLayer"]
