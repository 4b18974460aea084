#!/usr/bin/python3
"""The peer: trains one of the benchmark networks with PyTorch and prints one line of JSON.

    torch_peer.py lenet [--threads 2] [--steps 200] [--warm-up 10] [--channels-last] [--compile]

Random data; SGD with rate 0.01 and momentum 0.9 and softmax cross entropy, or what the tables WORKLOADS and SEQUENCES say. The
batches lie in memory before the clock starts: loading is not charged to the peer. Fields:

    steps          measured steps, after the warm-up
    ms_median      median time of a step (forward, backward, update, loss read back)
    ms_p10         its 10 % quantile
    first_step_s   from process start to the end of the first step
    peak_rss_mib   peak resident memory
    loss           of the first and of the last step

--compile: network and loss go through torch.compile (PyTorch 2); the first step's time then has the compiler in it.
"""

import argparse
import json
import os
import resource
import statistics
import time

# name -> (batch, shape of a sample, classes; more: targets instead of classes, optimizer)
WORKLOADS = {
    "seed_cnn": (256, (1, 28, 28), 10), "lenet": (64, (1, 28, 28), 10), "mlp": (128, (784,), 10),
    # convolutional networks of examples/
    "autoencoder": (128, (784,), None), "cosmo3d": (8, (4, 32, 32, 32), None), "alexnet": (32, (3, 224, 224), 1000),
    "resnet18": (16, (3, 224, 224), 1000), "resnet50": (16, (3, 224, 224), 1000),
    "resnet18_32": (64, (3, 32, 32), 10), "resnet50_32": (32, (3, 32, 32), 10),
}


# Sequences of tokens: name -> (batch, tokens of a sample, vocabulary, optimizer's rate)
SEQUENCES = {"transformer": (16, 64, 4096, 1e-4), "word2vec": (1024, 7, 100000, 0.025)}


def make_sequence_workload(args, torch, nn):
    """(loss of a batch, optimizer, batches)"""
    import torch.nn.functional as F
    batch, length, vocabulary, rate = SEQUENCES[args.network]
    ids = lambda: torch.randint(vocabulary, (batch, length))

    class Encoder(nn.Module):
        def __init__(self, width=256, heads=4, blocks=4, hidden=1024):
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, width)
            self.position = nn.Parameter(torch.zeros(length, width))
            gelu = lambda x: F.gelu(x, approximate="tanh")
            block = nn.TransformerEncoderLayer(width, heads, hidden, 0.1, activation=gelu, batch_first=True)
            self.blocks = nn.TransformerEncoder(block, blocks)
            self.head = nn.Linear(width, vocabulary)

        def forward(self, x):
            return self.head(self.blocks(self.embedding(x) + self.position))

    class SkipGram(nn.Module):
        def __init__(self, width=128):
            super().__init__()
            self.centre = nn.Embedding(vocabulary, width, sparse=True)
            self.others = nn.Embedding(vocabulary, width, sparse=True)

        def forward(self, x):
            return torch.bmm(self.others(x[:, 1:]), self.centre(x[:, 0]).unsqueeze(2)).squeeze(2)

    if args.network == "transformer":
        network = Encoder()
        criterion = nn.CrossEntropyLoss()
        loss = lambda x, t: criterion(network(x).flatten(0, 1), t.flatten())
        optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    else:
        network = SkipGram()
        sign = torch.tensor([1.0] + [-1.0] * (length - 2))
        loss = lambda x, t: -F.logsigmoid(network(x) * sign).sum(1).mean()
        optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    return loss, optimizer, [(ids(), ids()) for _ in range(4)]


def seconds_since_process_start():
    """Both clocks count from boot; the start time has a resolution of 10 ms."""
    with open("/proc/self/stat", encoding="ascii") as f:
        start_ticks = int(f.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - start_ticks / os.sysconf("SC_CLK_TCK")


def residual_class(nn):
    class Residual(nn.Module):
        """A basic (3x3, 3x3) or bottleneck (1x1, 3x3, 1x1) block with its shortcut."""

        def __init__(self, width, channels, stride, bottleneck):
            super().__init__()
            out = channels * 4 if bottleneck else channels
            plan = [(width, channels, 1, 1), (channels, channels, 3, stride), (channels, out, 1, 1)]
            if not bottleneck:
                plan = [(width, channels, 3, stride), (channels, out, 3, 1)]
            body = []
            for i, (a, b, k, s) in enumerate(plan):
                body += [nn.Conv2d(a, b, k, s, k // 2, bias=False), nn.BatchNorm2d(b)]
                body += [nn.ReLU(inplace=True)] if i + 1 < len(plan) else []
            self.body, self.shortcut, self.relu = nn.Sequential(*body), None, nn.ReLU(inplace=True)
            if stride != 1 or width != out:
                self.shortcut = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

        def forward(self, x):
            y = self.body(x)
            y += x if self.shortcut is None else self.shortcut(x)
            return self.relu(y)

    return Residual


def make_resnet(nn, depths, bottleneck, small, classes):
    residual = residual_class(nn)
    if small:
        layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    else:
        layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    width = 64
    for stage, depth in enumerate(depths):
        for i in range(depth):
            layers.append(residual(width, 64 << stage, 2 if stage > 0 and i == 0 else 1, bottleneck))
            width = (64 << stage) * (4 if bottleneck else 1)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def make_alexnet(nn):
    layers, width = [], 3
    for i, (out, k, s, p) in enumerate([(96, 11, 4, 2), (256, 5, 1, 2), (384, 3, 1, 1), (384, 3, 1, 1), (256, 3, 1, 1)]):
        layers += [nn.Conv2d(width, out, k, s, p), nn.ReLU(inplace=True)]
        layers += [nn.LocalResponseNorm(5, 1e-4, 0.75, 2.0)] if i < 2 else []
        layers += [nn.MaxPool2d(3, 2)] if i in (0, 1, 4) else []
        width = out
    layers.append(nn.Flatten())
    for size in (256 * 36, 4096):
        layers += [nn.Linear(size, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(4096, 1000))


def make_cosmo3d(nn):
    layers, width = [], 4
    for out in (16, 32, 64):
        layers += [nn.Conv3d(width, out, 3, padding=1), nn.LeakyReLU(0.3), nn.AvgPool3d(2)]
        width = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4096, 128), nn.LeakyReLU(0.3), nn.Linear(128, 64),
                         nn.LeakyReLU(0.3), nn.Linear(64, 4))


def make_autoencoder(nn):
    sizes, layers = [784, 1000, 500, 250, 30, 250, 500, 1000, 784], []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Sigmoid())


def make_network(name, nn):
    if name.startswith("resnet"):
        deep, small = name.startswith("resnet50"), name.endswith("_32")
        return make_resnet(nn, [3, 4, 6, 3] if deep else [2, 2, 2, 2], deep, small, 10 if small else 1000)
    others = {"alexnet": make_alexnet, "cosmo3d": make_cosmo3d, "autoencoder": make_autoencoder}
    if name in others:
        return others[name](nn)
    if name == "seed_cnn":
        return nn.Sequential(
            nn.Conv2d(1, 64, kernel_size=5, stride=2, padding=2), nn.BatchNorm2d(64), nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1), nn.Flatten(), nn.Linear(64 * 7 * 7, 10, bias=False))
    if name == "lenet":
        return nn.Sequential(
            nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    return nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))


def make_workload(args, torch, nn):
    """(loss of a batch, optimizer, batches)"""
    batch, shape, classes = WORKLOADS[args.network]
    layout = torch.contiguous_format
    if args.channels_last:
        layout = {3: torch.channels_last, 4: torch.channels_last_3d}.get(len(shape), layout)
    network = make_network(args.network, nn).to(memory_format=layout)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    if classes is None:
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        criterion = nn.BCELoss() if args.network == "autoencoder" else nn.MSELoss()

    def make_batch():
        if args.network == "autoencoder":
            x = torch.rand(batch, *shape)
            return x, x
        x = torch.randn(batch, *shape).contiguous(memory_format=layout)
        return x, torch.randint(classes, (batch,)) if classes else torch.randn(batch, 4)

    batches = [make_batch() for _ in range(4)]
    return lambda x, t: criterion(network(x), t), optimizer, batches


def main():
    parser = argparse.ArgumentParser(description="PyTorch's time for one benchmark network")
    parser.add_argument("network", choices=sorted({**WORKLOADS, **SEQUENCES}))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()

    import torch  # here, so that --help costs nothing
    from torch import nn

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    make = make_sequence_workload if args.network in SEQUENCES else make_workload
    loss_of, optimizer, batches = make(args, torch, nn)
    if args.compile:
        loss_of = torch.compile(loss_of)

    def step(number):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(*batches[number % len(batches)])
        loss.backward()
        optimizer.step()
        return loss.item()

    first_loss = last_loss = step(0)
    first_step = seconds_since_process_start()
    for i in range(1, args.warm_up):
        step(i)
    times = []
    for i in range(args.steps):
        begin = time.perf_counter()
        last_loss = step(i)
        times.append(1e3 * (time.perf_counter() - begin))
    times.sort()
    print(json.dumps({
        "network": args.network,
        "torch": torch.__version__,
        "steps": len(times),
        "ms_median": round(statistics.median(times), 4),
        "ms_p10": round(times[len(times) // 10], 4),
        "first_step_s": round(first_step, 3),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "loss": [round(first_loss, 4), round(last_loss, 4)],
    }))


if __name__ == "__main__":
    main()
