#!/usr/bin/env python3
"""Writes the prototext files of the larger networks beside this script (and bench/autoencoder.prototext).

    make_networks.py           writes them
    make_networks.py --check   exit code 1 when a file differs from what would be written

ResNet-18 and -50 (He et al., CVPR 2016; stride in the 3x3 convolution of a bottleneck) for images of 224 and of
32 pixels, AlexNet (Krizhevsky et al., NIPS 2012, in one piece), a CosmoFlow-like network on volumes, an autoencoder
(Hinton and Salakhutdinov, Science 313, 2006, with rectifiers). They are
text like the other examples, to be edited by hand; the script only saves typing residual blocks.
"""

import pathlib
import sys

import sequence_networks

HERE = pathlib.Path(__file__).resolve().parent


class Network:
    """Collects layers; every method returns the name of the layer it added."""

    def __init__(self):
        self.text, self.factor = [], 1

    def layer(self, name, parents, kind, fields=()):
        lines = ['name: "%s"' % name] + ['parents: "%s"' % p for p in parents]
        lines += ["%s {" % kind] + ["  " + f for f in fields] + ["}"] if fields else ["%s {}" % kind]
        self.text += ["  layer {"] + ["    " + line for line in lines] + ["  }"]
        return name

    def input(self, name, field):
        return self.layer(name, [], "input", ['data_field: "%s"' % field])

    def conv(self, name, x, channels, kernel, stride=1, padding=0, dims=2, bias=False):
        fields = ["num_dims: %d" % dims, "out_channels: %d" % channels, "kernel_size: %d" % kernel]
        fields += ["stride: %d" % stride] if stride != 1 else []
        fields += ["padding: %d" % padding] if padding else []
        return self.layer(name, [x], "convolution", fields + ["has_bias {", "  value: %s" % str(bias).lower(), "}"])

    def norm(self, name, x):
        return self.layer(name, [x], "batch_normalization")

    def relu(self, name, x):
        return self.layer(name, [x], "relu")

    def pool(self, name, x, mode, window, stride, padding=0, dims=2):
        return self.layer(name, [x], "pooling", [
            'pool_mode: "%s"' % mode, "num_dims: %d" % dims, "pool_dims_i: %d" % window, "pool_pads_i: %d" % padding,
            "pool_strides_i: %d" % stride])

    def dense(self, name, x, size, bias=True):
        return self.layer(name, [x], "fully_connected", ["num_neurons: %d" % size, "has_bias: %s" % str(bias).lower()])

    def classify(self, x, labels):
        """Softmax, cross entropy and accuracy; returns (loss, accuracy)."""
        prob = self.layer("prob", [x], "softmax")
        return (self.layer("loss", [prob, labels], "cross_entropy"),
                self.layer("accuracy", [prob, labels], "categorical_accuracy"))


def block(n, name, x, channels, out, stride, bottleneck):
    """A residual block: convolutions with batch normalisation, and a shortcut around them."""
    plan = [(channels, 3, stride), (out, 3, 1)]
    if bottleneck:
        plan = [(channels, 1, 1), (channels, 3, stride), (out, 1, 1)]
    y = x
    for i, (width, kernel, step) in enumerate(plan, 1):
        y = n.conv("%s_conv%d" % (name, i), y, width, kernel, step, kernel // 2)
        y = n.norm("%s_bn%d" % (name, i), y)
        if i < len(plan):
            y = n.relu("%s_relu%d" % (name, i), y)
    return y


def resnet(depths, bottleneck, small, classes):
    n = Network()
    images, labels = n.input("images", "samples"), n.input("labels", "labels")
    x = n.conv("conv1", images, 64, 3 if small else 7, 1 if small else 2, 1 if small else 3)
    x = n.relu("relu1", n.norm("bn1", x))
    if not small:
        x = n.pool("pool1", x, "max", 3, 2, 1)
    width = 64
    for stage, depth in enumerate(depths):
        channels = 64 << stage
        out = channels * 4 if bottleneck else channels
        for i in range(depth):
            name = "stage%d_%s" % (stage + 1, "abcdef"[i])
            stride = 2 if stage > 0 and i == 0 else 1
            y = block(n, name, x, channels, out, stride, bottleneck)
            if stride != 1 or width != out:
                x = n.conv(name + "_shortcut", x, out, 1, stride)
                x = n.norm(name + "_shortcut_bn", x)
            x = n.relu(name, n.layer(name + "_sum", [y, x], "sum"))
            width = out
    size = 4 if small else 7
    x = n.pool("pool", x, "average", size, size)
    return n, n.classify(n.dense("fc", x, classes), labels)


def alexnet():
    n = Network()
    images, labels = n.input("images", "samples"), n.input("labels", "labels")
    x = images
    plan = [(96, 11, 4, 2), (256, 5, 1, 2), (384, 3, 1, 1), (384, 3, 1, 1), (256, 3, 1, 1)]
    for i, (channels, kernel, stride, padding) in enumerate(plan, 1):
        x = n.relu("relu%d" % i, n.conv("conv%d" % i, x, channels, kernel, stride, padding, bias=True))
        if i <= 2:
            x = n.layer("norm%d" % i, [x], "local_response_normalization",
                        ["window_width: 5", "lrn_alpha: 0.0001", "lrn_beta: 0.75", "lrn_k: 2"])
        if i in (1, 2, 5):
            x = n.pool("pool%d" % i, x, "max", 3, 2)
    for i in (6, 7):
        x = n.relu("relu%d" % i, n.dense("fc%d" % i, x, 4096))
        x = n.layer("dropout%d" % i, [x], "dropout", ["keep_prob: 0.5"])
    return n, n.classify(n.dense("fc8", x, 1000), labels)


def cosmo3d():
    n = Network()
    volumes, truth = n.input("volumes", "samples"), n.input("truth", "responses")
    slope = ["negative_slope: 0.3"]
    x = volumes
    for i, channels in enumerate((16, 32, 64), 1):
        x = n.conv("conv%d" % i, x, channels, 3, 1, 1, dims=3, bias=True)
        x = n.layer("act%d" % i, [x], "leaky_relu", slope)
        x = n.pool("pool%d" % i, x, "average", 2, 2, dims=3)
    for i, size in enumerate((128, 64), 1):
        x = n.layer("act_fc%d" % i, [n.dense("fc%d" % i, x, size)], "leaky_relu", slope)
    x = n.dense("fc3", x, 4)
    return n, (n.layer("loss", [x, truth], "mean_squared_error"), None)


def operator(name):
    return ["ops {", "  parameters {", "    [type.googleapis.com/lbann_data.%sOperator] {}" % name, "  }", "}"]


def autoencoder(random=False):
    """Trained on the binary cross entropy between pixels in [0, 1] and their reconstruction."""
    n = Network()
    x = images = n.layer("pixels", [n.input("images", "samples")], "reshape", ["dims: 784"])
    if random:  # normal numbers become pixels
        x = images = n.layer("grey", [x], "operator_layer", operator("Sigmoid"))
    sizes = (1000, 500, 250, 30, 250, 500, 1000)
    for i, size in enumerate(sizes, 1):
        x = n.relu("relu%d" % i, n.dense("fc%d" % i, x, size))
    x = n.layer("reconstruction", [n.dense("fc8", x, 784)], "operator_layer", operator("Sigmoid"))
    x = n.layer("pixel_loss", [x, images], "operator_layer", operator("BinaryCrossEntropy"))
    return n, (n.layer("loss", [x], "reduction", ['mode: "mean"']), None)


SGD = ["sgd {", "  learn_rate: 0.01", "  momentum: 0.9", "}"]
SLOW = ["sgd {", "  learn_rate: 0.001", "  momentum: 0.9", "}"]
ADAM = ["adam {", "  learn_rate: 0.001", "  beta1: 0.9", "  beta2: 0.999", "  eps: 1e-8", "}"]

DIGITS = """
    name: "mnist"
    role: "train"
    shuffle: true
    data_filedir: "data/digits"
    data_filename: "train-images-idx3-ubyte"
    label_filename: "train-labels-idx1-ubyte"
    fraction_of_data_to_use: 1.0
    validation_fraction: 0.1
    transforms {
      scale {
        scale: 0.003921568627  # bytes to [0, 1]
      }
    }
""".strip("\n").split("\n")

# file -> (comment, network, mini-batch, dims of a sample, field of the reader, optimizer); no dims: digits
LABELS, RESPONSES = "num_labels: %d", 'synth_response_dimensions: "%d"'
FILES = {
    "resnet18": ("ResNet-18 on 3x224x224 images.", lambda: resnet([2, 2, 2, 2], False, False, 1000), 16, "3 224 224",
                 LABELS % 1000, SGD),
    "resnet50": ("ResNet-50 on 3x224x224 images.", lambda: resnet([3, 4, 6, 3], True, False, 1000), 16, "3 224 224",
                 LABELS % 1000, SGD),
    "resnet18_32": ("ResNet-18 for small images, 3x32x32: a 3x3 stem without pooling.",
                    lambda: resnet([2, 2, 2, 2], False, True, 10), 64, "3 32 32", LABELS % 10, SGD),
    "resnet50_32": ("ResNet-50 for small images, 3x32x32: a 3x3 stem without pooling.",
                    lambda: resnet([3, 4, 6, 3], True, True, 10), 32, "3 32 32", LABELS % 10, SGD),
    "alexnet": ("AlexNet on 3x224x224 images, without groups.", alexnet, 32, "3 224 224", LABELS % 1000, SLOW),
    "cosmo3d": ("A CosmoFlow-like network: four numbers from volumes of 4x32x32x32.", cosmo3d, 8, "4 32 32 32",
                RESPONSES % 4, ADAM),
    "autoencoder": ("An autoencoder of digits: 784 - 1000 - 500 - 250 - 30 and back.", autoencoder, 128, None, None, ADAM),
    "../bench/autoencoder": ("The autoencoder of examples/ as a workload of bench/compare.", lambda: autoencoder(True), 128, "1 28 28",
                             LABELS % 10, ADAM),
    **sequence_networks.files(Network),
}


def document(name):
    comment, make, batch, dims, target, optimizer = FILES[name]
    network, (loss, accuracy) = make()
    data = "The data are random numbers: put a reader of your own in their place."
    reader = ['    name: "synthetic"', '    role: "train"', "    num_samples: %d" % (64 * batch),
              '    synth_dimensions: "%s"' % dims, "    %s" % target, "    fraction_of_data_to_use: 1.0"]
    if dims is None:
        data = "`lbann-digits data/digits` draws the digits; real MNIST files serve as well."
        reader = DIGITS
    lines = ["# proto-file: proto/lbann.proto", "# proto-message: lbann_data.LbannPB", "#", "# " + comment,
             "# Written by make_networks.py. " + data, ""]
    lines += ["trainer {", "  mini_batch_size: %d" % batch, "}", "", "data_reader {", "  reader {", *reader, "  }", "}", ""]
    lines += ["optimizer {"] + ["  " + line for line in optimizer] + ["}", ""]
    lines += ["model {", '  name: "%s"' % name.split("/")[-1], "  num_epochs: 10", ""] + network.text + [""]
    lines += ["  objective_function {", "    layer_term {", "      scale_factor: %g" % network.factor, '      layer: "%s"' % loss, "    }", "  }"]
    if accuracy:
        lines += ["  metric {", "    layer_metric {", '      layer: "%s"' % accuracy, '      name: "accuracy"',
                  '      unit: "%"', "    }", "  }"]
    lines += ["", "  callback {", "    print {}", "  }", "  callback {", "    timer {}", "  }", "}"]
    return "\n".join(lines) + "\n"


def main():
    check, bad = "--check" in sys.argv[1:], 0
    for name in FILES:
        path = HERE / (name + ".prototext")
        if not check:
            path.write_text(document(name), encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != document(name):
            print("%s is not what make_networks.py writes" % path.name)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
