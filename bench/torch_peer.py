#!/usr/bin/python3
"""The peer: trains one of the benchmark networks with PyTorch and prints one line of JSON.

    torch_peer.py lenet [--threads 2] [--steps 200] [--warm-up 10] [--channels-last]

Random images of MNIST's shape, SGD with rate 0.01 and momentum 0.9, softmax cross entropy. The batches
lie in memory before the clock starts: loading is not charged to the peer. Fields:

    steps          measured steps, after the warm-up
    ms_median      median time of a step (forward, backward, update, loss read back)
    ms_p10         its 10 % quantile
    first_step_s   from process start to the end of the first step
    peak_rss_mib   peak resident memory
"""

import argparse
import json
import os
import resource
import statistics
import time

# name -> (batch, shape of a sample)
WORKLOADS = {"seed_cnn": (256, (1, 28, 28)), "lenet": (64, (1, 28, 28)), "mlp": (128, (784,))}


def seconds_since_process_start():
    """Both clocks count from boot; the start time has a resolution of 10 ms."""
    with open("/proc/self/stat", encoding="ascii") as f:
        start_ticks = int(f.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - start_ticks / os.sysconf("SC_CLK_TCK")


def make_network(name, nn):
    if name == "seed_cnn":
        return nn.Sequential(
            nn.Conv2d(1, 64, kernel_size=5, stride=2, padding=2), nn.BatchNorm2d(64), nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1), nn.Flatten(), nn.Linear(64 * 7 * 7, 10, bias=False))
    if name == "lenet":
        return nn.Sequential(
            nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    return nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))


def main():
    parser = argparse.ArgumentParser(description="PyTorch's time for one benchmark network")
    parser.add_argument("network", choices=sorted(WORKLOADS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--channels-last", action="store_true")
    args = parser.parse_args()

    import torch  # here, so that --help costs nothing
    from torch import nn

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    batch, shape = WORKLOADS[args.network]
    layout = torch.channels_last if args.channels_last and len(shape) == 3 else torch.contiguous_format
    network = make_network(args.network, nn).to(memory_format=layout)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    batches = [
        (torch.randn(batch, *shape).contiguous(memory_format=layout), torch.randint(10, (batch,))) for _ in range(4)]

    def step(number):
        images, labels = batches[number % len(batches)]
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    step(0)
    first_step = seconds_since_process_start()
    for i in range(1, args.warm_up):
        step(i)
    times = []
    for i in range(args.steps):
        begin = time.perf_counter()
        step(i)
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
    }))


if __name__ == "__main__":
    main()
