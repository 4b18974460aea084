#!/usr/bin/env python3
"""Writes events.tfevents and events.tsv: scalars written by tensorboardX (PyPI), an independent writer of
TensorBoard's event files, and what was written (tag, step, value of the float32, seconds since the beginning).

    make_events.py FOLDER     needs tensorboardX

The last three scalars stand in tensors, as TensorFlow 2 writes them: float_val, tensor_content and a double.
"""
import glob
import os
import shutil
import struct
import sys
import tempfile

import numpy
from tensorboardX import SummaryWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.proto.tensor_pb2 import TensorProto


def main():
    folder = sys.argv[1]
    rows = []
    with tempfile.TemporaryDirectory() as work:
        writer = SummaryWriter(work)
        begin = 1700000000.0

        def scalar(tag, value, step):
            wall = begin + 0.5 * step
            writer.add_scalar(tag, value, step, walltime=wall)
            rows.append((tag, step, float(numpy.float32(value)), wall))

        for step in range(1, 6):
            scalar("train/loss", 2.0 / step, step)
            scalar("validation/accuracy", 0.15 * step, step)
        scalar("train/loss", float("nan"), 6)
        scalar("train/loss", float("inf"), 7)
        writer.add_histogram("weights", numpy.arange(100.0), 7, walltime=begin + 3.5)
        for step, tensor, value in (
                (8, TensorProto(dtype=1, float_val=[0.125]), 0.125),
                (9, TensorProto(dtype=1, tensor_content=struct.pack("<f", -3.5)), -3.5),
                (10, TensorProto(dtype=2, tensor_content=struct.pack("<d", 1e-300)), 1e-300)):
            event = Event(wall_time=begin + 0.5 * step, step=step,
                          summary=Summary(value=[Summary.Value(tag="train/loss", tensor=tensor)]))
            writer.file_writer.event_writer.add_event(event)
            rows.append(("train/loss", step, value, event.wall_time))
        writer.close()
        (path,) = glob.glob(os.path.join(work, "events.out.tfevents.*"))
        shutil.copy(path, os.path.join(folder, "events.tfevents"))
    with open(os.path.join(folder, "events.tsv"), "w", encoding="utf-8") as file:
        for tag, step, value, wall in rows:
            file.write(f"{tag}\t{step}\t{value!r}\t{wall!r}\n")


main()
