#!/usr/bin/env python3
"""Five well-known networks in PyTorch with random weights, exported to ONNX, with inputs and PyTorch's outputs.

    make_networks.py FOLDER [--small] [NAME...]

ResNet-50 (He et al., 2016), MobileNetV3-Large (Howard et al., 2019), ViT-B/16 (Dosovitskiy et al., 2021), a BERT-base
encoder (Devlin et al., 2019) and GPT-2 (Radford et al., 2019), written from the papers. --small keeps the
structure and reduces depth and width. FOLDER/NAME gets model.onnx and test_data_set_0/ as ONNX's own test data
have it. Exit code 77: PyTorch is not there.
"""
import os
import sys

try:
    import numpy as np
    import onnx
    import torch
    from onnx import numpy_helper
    from torch import nn
except ImportError as e:
    print("skipped: %s" % e)
    sys.exit(77)


def conv_bn(i, o, k, s=1, groups=1, act=None):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([act()] if act else []))


class Bottleneck(nn.Module):
    def __init__(self, i, width, s):
        super().__init__()
        o = 4 * width
        self.body = nn.Sequential(conv_bn(i, width, 1, act=nn.ReLU), conv_bn(width, width, 3, s, act=nn.ReLU),
                                  conv_bn(width, o, 1))
        self.short = conv_bn(i, o, 1, s) if s != 1 or i != o else nn.Identity()

    def forward(self, x):
        return torch.relu(self.body(x) + self.short(x))


class ResNet(nn.Module):
    def __init__(self, depths, width, classes):
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, width, 7, 2, act=nn.ReLU), nn.MaxPool2d(3, 2, 1))
        blocks, i = [], width
        for stage, depth in enumerate(depths):
            for d in range(depth):
                blocks.append(Bottleneck(i, width << stage, 2 if d == 0 and stage > 0 else 1))
                i = 4 * (width << stage)
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(i, classes)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))


class Squeeze(nn.Module):
    def __init__(self, c):
        super().__init__()
        mid = max(8, (c // 4 + 7) // 8 * 8)
        self.body = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, mid, 1), nn.ReLU(), nn.Conv2d(mid, c, 1),
                                  nn.Hardsigmoid())

    def forward(self, x):
        return x * self.body(x)


class Inverted(nn.Module):
    def __init__(self, i, k, mid, o, se, act, s):
        super().__init__()
        self.same = s == 1 and i == o
        body = [] if mid == i else [conv_bn(i, mid, 1, act=act)]
        body.append(conv_bn(mid, mid, k, s, groups=mid, act=act))
        body += [Squeeze(mid)] if se else []
        self.body = nn.Sequential(*body, conv_bn(mid, o, 1))

    def forward(self, x):
        return x + self.body(x) if self.same else self.body(x)


class MobileNetV3(nn.Module):
    ROWS = [(3, 16, 16, 0, "R", 1), (3, 64, 24, 0, "R", 2), (3, 72, 24, 0, "R", 1), (5, 72, 40, 1, "R", 2),
            (5, 120, 40, 1, "R", 1), (5, 120, 40, 1, "R", 1), (3, 240, 80, 0, "H", 2), (3, 200, 80, 0, "H", 1),
            (3, 184, 80, 0, "H", 1), (3, 184, 80, 0, "H", 1), (3, 480, 112, 1, "H", 1), (3, 672, 112, 1, "H", 1),
            (5, 672, 160, 1, "H", 2), (5, 960, 160, 1, "H", 1), (5, 960, 160, 1, "H", 1)]

    def __init__(self, rows, classes):
        super().__init__()
        layers, i = [conv_bn(3, 16, 3, 2, act=nn.Hardswish)], 16
        for k, mid, o, se, act, s in rows:
            layers.append(Inverted(i, k, mid, o, se, nn.ReLU if act == "R" else nn.Hardswish, s))
            i = o
        layers.append(conv_bn(i, 6 * i, 1, act=nn.Hardswish))
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(6 * i, 8 * i), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(8 * i, classes))

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, mask=None):
        b, t, c = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        a = q @ k.transpose(-2, -1) / (c // self.heads) ** 0.5
        if self.causal:
            a = a.masked_fill(torch.ones(t, t).tril() == 0, float("-inf"))
        if mask is not None:
            a = a + mask
        return self.out((a.softmax(-1) @ v).transpose(1, 2).reshape(b, t, c))


class Block(nn.Module):
    """before: LayerNorm first (ViT, GPT-2), else behind the sums (BERT)."""

    def __init__(self, width, heads, before, causal=False, gelu="none"):
        super().__init__()
        self.before = before
        self.attention = Attention(width, heads, causal)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(gelu), nn.Linear(4 * width, width))
        self.n1, self.n2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, mask=None):
        if self.before:
            x = x + self.attention(self.n1(x), mask)
            return x + self.mlp(self.n2(x))
        x = self.n1(x + self.attention(x, mask))
        return self.n2(x + self.mlp(x))


class ViT(nn.Module):
    def __init__(self, image, patch, width, depth, heads, classes):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, width))
        self.position = nn.Parameter(torch.randn(1, (image // patch) ** 2 + 1, width))
        self.blocks = nn.ModuleList(Block(width, heads, True) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class Bert(nn.Module):
    def __init__(self, vocabulary, length, width, depth, heads):
        super().__init__()
        self.words, self.positions, self.types = (nn.Embedding(n, width) for n in (vocabulary, length, 2))
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, heads, False) for _ in range(depth))
        self.pooler = nn.Linear(width, width)

    def forward(self, ids, types, mask):
        where = torch.arange(ids.shape[1]).unsqueeze(0)
        x = self.norm(self.words(ids) + self.positions(where) + self.types(types))
        mask = (1.0 - mask[:, None, None, :].to(x.dtype)) * -10000.0
        for block in self.blocks:
            x = block(x, mask)
        return x, torch.tanh(self.pooler(x[:, 0]))


class Gpt2(nn.Module):
    def __init__(self, vocabulary, length, width, depth, heads):
        super().__init__()
        self.words, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads, True, True, "tanh") for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, ids):
        x = self.words(ids) + self.positions(torch.arange(ids.shape[1]).unsqueeze(0))
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.words.weight.t()


def ids(vocabulary, *dims):
    return torch.randint(0, vocabulary, dims)


def networks(small):
    def image(n):
        return (torch.randn(2, 3, n, n),)

    if small:
        return {"resnet50": lambda: (ResNet([1, 2, 1, 1], 8, 10), image(64)),
                "mobilenetv3": lambda: (MobileNetV3([(3, 16, 16, 0, "R", 1), (3, 48, 24, 0, "R", 2),
                                                     (5, 72, 24, 1, "H", 1)], 10), image(48)),
                "vit_b16": lambda: (ViT(32, 8, 48, 2, 4, 10), image(32)),
                "bert": lambda: (Bert(100, 32, 48, 2, 4), (ids(100, 2, 12), ids(2, 2, 12),
                                                           torch.tensor([[1] * 12, [1] * 7 + [0] * 5]))),
                "gpt2": lambda: (Gpt2(100, 32, 48, 2, 4), (ids(100, 2, 12),))}
    return {"resnet50": lambda: (ResNet([3, 4, 6, 3], 64, 1000), image(224)),
            "mobilenetv3": lambda: (MobileNetV3(MobileNetV3.ROWS, 1000), image(224)),
            "vit_b16": lambda: (ViT(224, 16, 768, 12, 12, 1000), image(224)),
            "bert": lambda: (Bert(30522, 512, 768, 12, 12), (ids(30522, 2, 64), ids(2, 2, 64),
                                                             torch.tensor([[1] * 64, [1] * 40 + [0] * 24]))),
            "gpt2": lambda: (Gpt2(50257, 1024, 768, 12, 12), (ids(50257, 1, 64),))}


def randomise(model):
    """Statistics and affine parameters that are not those of a new layer."""
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.2)
            m.running_var.uniform_(0.7, 1.5)
        if isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)):
            m.weight.data.uniform_(0.7, 1.3)
            m.bias.data.normal_(0, 0.2)
        if isinstance(m, nn.Embedding):
            m.weight.data.normal_(0, 0.2)


def main():
    small = "--small" in sys.argv
    names = [a for a in sys.argv[2:] if not a.startswith("--")]
    torch.set_num_threads(2)
    for number, (name, make) in enumerate(networks(small).items()):
        if names and name not in names:
            continue
        torch.manual_seed(number)
        model, inputs = make()
        model.eval()
        with torch.no_grad():
            randomise(model)
            outputs = model(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        folder = os.path.join(sys.argv[1], name)
        data = os.path.join(folder, "test_data_set_0")
        os.makedirs(data, exist_ok=True)
        arguments = ["in%d" % i for i in range(len(inputs))]
        results = ["out%d" % i for i in range(len(outputs))]
        torch.onnx.export(model, inputs, os.path.join(folder, "model.onnx"), opset_version=14, input_names=arguments,
                          output_names=results, dynamic_axes={n: {0: "N"} for n in arguments + results})
        for stem, tensors in (("input", inputs), ("output", outputs)):
            for i, t in enumerate(tensors):
                with open(os.path.join(data, "%s_%d.pb" % (stem, i)), "wb") as f:
                    f.write(numpy_helper.from_array(t.numpy()).SerializeToString())
        print("%s: %d parameters, %d nodes" % (name, sum(p.numel() for p in model.parameters()),
                                               len(onnx.load(os.path.join(folder, "model.onnx"),
                                                             load_external_data=False).graph.node)))


if __name__ == "__main__":
    main()
