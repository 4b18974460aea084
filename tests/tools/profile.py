#!/usr/bin/env python3
"""lbann-train --profile: its files are what they claim to be, and it changes no bit.

    profile.py FOLDER_OF_PROGRAMS

trace.json is judged by Python's JSON parser and the rules of the trace event format ("Trace Event Format",
Google, 2016: an object with traceEvents; complete events "X" with ts and dur >= 0; metadata "M"; on one thread
complete events nest or follow each other). profile.json is judged by arithmetic: shares and roofs follow from
the operations and bytes, directions and layers are those of the network, every step has every kernel.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

EXPERIMENT = """
model { num_epochs: 2
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "y" input { data_field: "labels" } }
  layer { name: "conv1" parents: "x" convolution { num_dims: 2 out_channels: 8 kernel_size: 3 padding: 1 stride: 1 } }
  layer { name: "bn1" parents: "conv1" batch_normalization {} }
  layer { name: "relu1" parents: "bn1" relu {} }
  layer { name: "drop" parents: "relu1" dropout { keep_prob: 0.8 } }
  layer { name: "fc" parents: "drop" fully_connected { num_neurons: 10 } }
  layer { name: "prob" parents: "fc" softmax {} }
  layer { name: "loss" parents: "prob y" cross_entropy {} }
  objective_function { layer_term { layer: "loss" } } }
trainer { mini_batch_size: 16 }
optimizer { sgd { learn_rate: 0.1 momentum: 0.9 } }
data_reader { reader { name: "synthetic" role: "train" num_samples: 72 synth_dimensions: "3 12 12" num_labels: 10 fraction_of_data_to_use: 1.0 } }
"""


def check(good, what):
    if not good:
        sys.exit("profile: " + what)


def train(programs, folder, *options):
    command = [str(programs / "lbann-train"), "--seed=3", "--threads=2", "--digest", *options, "e.prototext"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(done.returncode == 0, "exit code %d of %s\n%s" % (done.returncode, " ".join(command), done.stderr))
    return done.stdout + done.stderr


def digest_of(text):
    return re.search(r"weights digest: (\w+)", text).group(1)


def judge_trace(path, kernels_per_step):
    trace = json.loads(path.read_text())
    events = trace["traceEvents"]
    tracks = {}
    names = set()
    for e in events:
        check(e["ph"] in ("X", "M"), "event of phase %s" % e["ph"])
        check(isinstance(e["pid"], int) and isinstance(e["tid"], int) and isinstance(e["name"], str), "event %r" % e)
        if e["ph"] == "M":
            check("name" in e["args"] or "sort_index" in e["args"], "metadata %r" % e)
            names.add(e["args"].get("name"))
            continue
        check(e["ts"] >= 0 and e["dur"] >= 0 and isinstance(e["args"], dict), "complete event %r" % e)
        tracks.setdefault(e["tid"], []).append(e)
    check({"lbann-train", "steps", "kernels", "host"} <= names, "names of tracks: %s" % names)
    for tid, spans in tracks.items():
        end = 0.0
        for e in sorted(spans, key=lambda e: (e["ts"], -e["dur"])):
            check(e["ts"] >= end - 0.01, "two events overlap on track %d: %r" % (tid, e))
            end = e["ts"] + e["dur"]
    steps, kernels = tracks[1], tracks[2]
    full = [s for s in steps if s["name"] == "train, mini-batch 16"]
    check(len(full) == 8, "%d steps of a full mini-batch, 8 expected" % len(full))
    for s in full:
        inside = [k for k in kernels if s["ts"] - 0.01 <= k["ts"] and k["ts"] + k["dur"] <= s["ts"] + s["dur"] + 0.01]
        check(len(inside) == kernels_per_step, "%d kernels in a step, %d expected" % (len(inside), kernels_per_step))
    check({k["cat"] for k in kernels} == {"forward", "backward", "update"}, "directions of kernels")
    check({"wait for data", "make a plan"} <= {h["name"] for h in tracks[3]}, "spans of the host")


def judge_profile(path):
    profile = json.loads(path.read_text())
    machine = profile["machine"]
    check(profile["schema"] == "lbann-profile-1" and machine["threads"] == 2, "head of profile.json")
    check(machine["peak_gflops"] > 1 and machine["memory_gbs"] > 0.1, "figures of the machine: %r" % machine)
    plans = {p["name"]: p for p in profile["plans"]}
    check(set(plans) == {"train, mini-batch 16", "train, mini-batch 8"}, "plans %s" % sorted(plans))
    plan = plans["train, mini-batch 16"]
    check(plan["runs"] == 8, "%d runs" % plan["runs"])
    layers = {k["layer"] for k in plan["kernels"]}
    check({"conv1", "bn1", "fc", "loss", "<optimizer>"} <= layers, "layers %s" % sorted(layers))
    for k in plan["kernels"]:
        rate = machine["cache_gbs"] if k["bytes"] <= 4 << 20 else machine["memory_gbs"]
        roof = max(k["flops"] / (machine["peak_gflops"] * 1e3), k["bytes"] / (rate * 1e3))
        check(abs(roof - k["roof_us"]) <= 1e-6 * roof, "roof of %r" % k)
        check(k["us"] >= 0, "time of %r" % k)
    conv = [k for k in plan["kernels"] if k["layer"] == "conv1" and k["op"] == "conv"]
    # 16 images x 8 channels x 12 x 12 places x 3 x 3 x 3 multiply-adds; the bias adds one per place at most.
    expected = 2.0 * 16 * 8 * 144 * 27
    check(len(conv) == 1 and expected <= conv[0]["flops"] <= expected * 1.05, "operations of conv1: %r" % conv)
    for e in plan["edges"]:
        check(e["from"] and e["to"] and e["reason"] and e["bytes"] > 0, "edge %r" % e)
    kept = [e for e in plan["edges"] if e["from"] == "conv of conv1" and e["to"] == "norm_stats of bn1"]
    check(len(kept) == 1 and not kept[0]["reorder"] and "statistics" in kept[0]["reason"], "edge conv1 -> bn1: %r" % kept)
    return len(plan["kernels"])


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "e.prototext").write_text(EXPERIMENT)
        plain = train(programs, folder)
        check(not any(p.is_dir() for p in folder.iterdir()), "a run without --run-dir has written something")
        profiled = train(programs, folder, "--run-dir=run", "--profile")
        check(digest_of(plain) == digest_of(profiled), "a profiled run has other bits")
        text = (folder / "run/profile/profile.txt").read_text()
        check(text in profiled, "profile.txt is not what was printed")
        for head in ("by direction:", "by kernel:", "by layer:", "farthest above their roof:", "edges through memory:"):
            check(head in text, "no table '%s'" % head)
        judge_trace(folder / "run/profile/trace.json", judge_profile(folder / "run/profile/profile.json"))
        train(programs, folder, "--profile=elsewhere/deep")
        check(sorted(p.name for p in (folder / "elsewhere/deep").iterdir()) == ["profile.json", "profile.txt", "trace.json"],
              "files of --profile=DIR")
        train(programs, folder, "--profile")
        check(sorted(p.name for p in folder.iterdir()) == ["e.prototext", "elsewhere", "run"], "--profile alone writes files")
    print("profile: trace, tables and bits are right")


if __name__ == "__main__":
    main()
