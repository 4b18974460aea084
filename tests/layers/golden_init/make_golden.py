#!/usr/bin/python3
"""Writes targets.txt: what the values of each initializer must look like, in closed form.

    layer  initializer  shape  distribution  mean  variance  low  high

`low` and `high` bound every value (uniform: both bounds are of the interval [low, high); normal:
-inf, inf; constant: the value). Shapes are those of the weights; `layer` is the layer they belong
to. fan_in and fan_out are LBANN's: fully_connected in, out; convolution kernel entries per output
channel, kernel entries / input channels. Variance: glorot 2/(fan_in + fan_out), he 2/fan_in,
lecun 1/fan_in; the uniform kinds draw from +-sqrt(3 variance). No normal is truncated.
"""

import math
import pathlib

LAYERS = [
    # layer, weights' shape, fan_in, fan_out
    ("fully_connected { num_neurons: 300 }", (300, 784), 784, 300),
    ("convolution { num_dims: 2 out_channels: 64 kernel_size: 5 }", (64, 17, 5, 5), 17 * 25, 64 * 25),
    ("convolution { num_dims: 2 out_channels: 60 kernel_size: 3 groups { value: 4 } }", (60, 5, 3, 3),
     5 * 9, 60 * 9 // 4),
]
SCALING = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
}
PLAIN = [
    # initializer, distribution, mean, variance, low, high
    ("constant_initializer { value: 0.25 }", "constant", 0.25, 0.0, 0.25, 0.25),
    ("constant_initializer {}", "constant", 0.0, 0.0, 0.0, 0.0),
    ("uniform_initializer {}", "uniform", 0.5, 1 / 12, 0.0, 1.0),
    ("uniform_initializer { min: -3 max: 1 }", "uniform", -1.0, 16 / 12, -3.0, 1.0),
    ("normal_initializer {}", "normal", 0.0, 1.0, -math.inf, math.inf),
    ("normal_initializer { mean: 2 standard_deviation: 0.5 }", "normal", 2.0, 0.25, -math.inf, math.inf),
]


def rows():
    for layer, shape, fan_in, fan_out in LAYERS:
        for name, variance in SCALING.items():
            v = variance(fan_in, fan_out)
            bound = math.sqrt(3 * v)
            yield layer, name + "_normal_initializer {}", shape, "normal", 0.0, v, -math.inf, math.inf
            yield layer, name + "_uniform_initializer {}", shape, "uniform", 0.0, v, -bound, bound
    layer, shape = LAYERS[0][:2]
    for initializer, *rest in PLAIN:
        yield (layer, initializer, shape, *rest)


def main():
    out = ["# layer\tinitializer\tshape\tdistribution\tmean\tvariance\tlow\thigh"]
    for layer, initializer, shape, distribution, *numbers in rows():
        out.append("\t".join([layer, initializer, "x".join(map(str, shape)), distribution] + [repr(float(n)) for n in numbers]))
    (pathlib.Path(__file__).resolve().parent / "targets.txt").write_text("\n".join(out + [""]))


if __name__ == "__main__":
    main()
