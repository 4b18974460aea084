#!/usr/bin/env python3
"""Checks the rules of the house that no compiler checks; prints `file:line: rule: message`.

    lint.py ROOT        exit code 0: nothing found, 1: findings, 2: usage

  layering    a room of libcore/ includes only rooms below it; tier 1 never includes tier 2
  library     protobuf, CLI11, oneDNN, MPI, CUDA, HDF5 headers only in the rooms they belong to
  include     files of ours are included by their path under libcore/ (or tools/), and exist
  namespace   a file of libcore/<room>/ that declares a namespace declares lbann::<room>
  header      a source file opens with a comment; a header has #pragma once
  length      no source file is longer than 600 lines (the schema excepted: its files are LBANN's)
  docs        every message and field of proto/ has a comment that says more than its name
  words       no unfinished-work markers, no paths of one machine
  module      BOOST_TEST_MODULE is defined in exactly one file of each test folder

The tables below are the rules; a new room needs a line in ALLOWED.
"""

import pathlib
import re
import subprocess
import sys

META = ("base", "tensor", "graph", "ops", "passes", "layers", "optim", "model", "onnx", "checkpoint", "log", "plot", "launch")
# room -> rooms it may include (besides itself)
ALLOWED = {
    "base": (),
    "tensor": ("base",),
    "graph": ("base", "tensor"),
    "ops": ("base", "tensor", "graph"),
    "passes": ("base", "tensor", "graph", "ops"),
    "layers": ("base", "tensor", "graph", "ops"),
    "optim": ("base", "tensor", "graph", "ops"),
    "model": ("base", "tensor", "graph", "ops", "passes", "layers", "optim"),
    "onnx": ("base", "tensor", "graph", "ops", "passes", "layers", "optim", "model"),
    "checkpoint": ("base", "tensor"),
    "log": ("base", "tensor"),
    "plot": ("base", "tensor", "log"),
    "launch": ("base",),
    "device": ("base", "tensor"),
    "kernels": META + ("device",),
    "comm": META + ("device", "kernels"),
    "runtime": META + ("device", "kernels", "comm"),
    "data": ("base", "tensor", "device", "comm"),
    "train": META + ("device", "kernels", "comm", "runtime", "data"),
}
# what is included -> folders that may
LIBRARIES = (
    ("protobuf", r"google/protobuf/|.*\.pb\.h$", ("libcore/model/", "libcore/layers/", "libcore/onnx/")),
    ("CLI11", r"CLI/|CLI11", ("tools/common/",)),
    ("oneDNN", r"(oneapi/dnnl/)?dnnl", ("libcore/kernels/cpu/", "bench/")),
    ("MPI", r"mpi\.h$|mpicxx", ("libcore/comm/mpi/",)),
    ("CUDA", r"cuda|cudnn|cublas|nccl|cub/|thrust/", ("libcore/device/cuda/", "libcore/kernels/cuda/", "libcore/runtime/cuda/",
                                                      "libcore/comm/nccl/", "libcore/kernels/shared/")),
    ("HDF5", r"hdf5|H5", ("libcore/checkpoint/", "libcore/data/")),
    ("Boost.Test", r"boost/test/", ("tests/",)),
)
# headers that the build writes
GENERATED = ("common/git_id.hpp", "common/build_matrix.hpp")
# (file, header): versions of libraries are reported by --version
EXCEPTIONS = (("tools/common/version.cpp", "google/protobuf/stubs/common.h"),)
SOURCE = (".cpp", ".hpp", ".h", ".cu", ".cuh")
TEXT = SOURCE + (".py", ".md", ".txt", ".cmake", ".proto", ".prototext", ".sh", ".1", ".5", "")
MAX_LINES = 600
# put together, so that this file does not contain them
MARKERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
PATHS = re.compile("|".join(("/wo" + "rk/", "/fa" + "rm/", "bash" + "_jobs", r"\.\./sha" + "red/", "/ro" + r"ot/\.")))
# A comment of the schema says nothing with these words and those of the name alone.
EMPTY_WORDS = set("""a an and are as at be by field for from has have in is it its message name number of on one or set setting
    parameter that the this to type use used value values which will with whether""".split())
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def list_files(root):
    """Paths under root: what git tracks or would track, else everything outside build folders."""
    try:
        out = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
        paths = [p for p in out.split("\0") if p]
    except (OSError, subprocess.CalledProcessError):
        paths = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
        paths = [p for p in paths if not re.match(r"(build[^/]*|\.git)/", p) and "__pycache__" not in p]
    return sorted(p for p in paths if (root / p).is_file())


def same_word(a, b):
    """Equal but for an ending: layer, layers; index, indices."""
    stem = min(len(a), len(b), max(3, max(len(a), len(b)) - 3))
    return a[:stem] == b[:stem] and abs(len(a) - len(b)) <= 3


class Lint:
    def __init__(self, root):
        self.root = root
        self.files = list_files(root)
        self.known = set(self.files)
        self.findings = []
        self.num_includes = 0

    def report(self, path, line, rule, message):
        self.findings.append("%s:%d: %s: %s" % (path, line, rule, message))

    def run(self):
        modules = {}
        for path in self.files:
            if pathlib.PurePath(path).suffix not in TEXT:
                continue
            try:
                lines = (self.root / path).read_text(encoding="utf-8").split("\n")
            except UnicodeDecodeError:
                continue
            self.check_text(path, lines)
            if path.endswith(".proto"):
                self.check_schema(path, lines)
            if path.endswith(SOURCE):
                self.check_source(path, lines)
                if path.startswith("tests/"):
                    folder = path.rsplit("/", 1)[0]
                    modules.setdefault(folder, [])
                    modules[folder] += [path for line in lines if line.startswith("#define BOOST_TEST_MODULE")]
        for folder, found in sorted(modules.items()):
            uses_boost = any("boost/test" in (self.root / p).read_text(encoding="utf-8") for p in self.files
                             if p.startswith(folder + "/") and p.endswith(".cpp") and "/" not in p[len(folder) + 1:])
            if uses_boost and len(found) != 1:
                self.report(folder, 0, "module", "BOOST_TEST_MODULE is defined %d times, not once" % len(found))
        return self.findings

    def check_text(self, path, lines):
        for number, line in enumerate(lines, 1):
            marker = MARKERS.search(line)
            if marker:
                self.report(path, number, "words", "'%s' marks unfinished work" % marker.group())
            place = PATHS.search(line)
            if place:
                self.report(path, number, "words", "'%s' is a path of one machine" % place.group())
        if path.endswith(SOURCE + (".py", ".cmake")) and len(lines) - 1 > MAX_LINES:
            self.report(path, len(lines) - 1, "length", "%d lines; %d is the limit" % (len(lines) - 1, MAX_LINES))

    def check_schema(self, path, lines):
        """Comments of messages and fields; a kind in a oneof may leave it to its message."""
        messages = set(re.findall(r"^\s*message (\w+)", "\n".join(lines), re.M))
        stack = []
        for number, line in enumerate(lines, 1):
            text = line.strip()
            block = re.match(r"(message|enum|oneof) (\w+) \{(\})?", text)
            field = re.match(r"(?:optional |repeated )?(map<[^>]*>|[\w.]+) (\w+) = \d+;", text)
            name, needs = None, True
            if block and block.group(1) != "oneof":
                name = block.group(2)
            elif field and (not stack or stack[-1] != "enum"):
                name = field.group(2)
                needs = not (stack and stack[-1] == "oneof" and field.group(1).split(".")[-1] in messages)
            if name is not None:
                self.check_comment(path, lines, number, name, needs)
            if block and not block.group(3):
                stack.append(block.group(1))
            elif text.startswith("}") and stack:
                stack.pop()

    def check_comment(self, path, lines, number, name, needed):
        comment, above = [], number - 2
        while above >= 0 and lines[above].strip().startswith("//"):
            comment.insert(0, lines[above].strip()[2:])
            above -= 1
        if not comment:
            if needed:
                self.report(path, number, "docs", "'%s' has no comment" % name)
            return
        own = [w.lower() for w in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]
        said = [w.lower() for w in re.findall(r"[A-Za-z0-9]+", " ".join(comment))]
        news = [w for w in said if w not in EMPTY_WORDS and not any(same_word(w, o) for o in own)]
        if not news:
            self.report(path, number, "docs", "the comment of '%s' says no more than its name" % name)

    def check_source(self, path, lines):
        if not lines[0].startswith(("//", "/*")):
            self.report(path, 1, "header", "the file does not open with a comment that says what it is")
        if path.endswith((".hpp", ".cuh")) and "#pragma once" not in lines:
            self.report(path, 1, "header", "no #pragma once")
        room = path.split("/")[1] if path.startswith("libcore/") and path.count("/") >= 2 else None
        if room is not None:
            if room not in ALLOWED:
                self.report(path, 1, "layering", "room '%s' has no line in the table of tests/lint/lint.py" % room)
                return
            declares = [line for line in lines if re.match(r"\s*namespace\b", line)]
            if declares and not any(re.match(r"\s*namespace lbann::%s\b" % room, line) for line in declares):
                self.report(path, 1, "namespace", "nothing is declared in lbann::%s" % room)
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if found:
                self.num_includes += 1
                self.check_include(path, number, room, found.group(1), found.group(2))

    def check_include(self, path, number, room, bracket, target):
        if (path, target) in EXCEPTIONS or target in GENERATED:
            return
        for name, pattern, folders in LIBRARIES:
            if re.match(pattern, target) and not path.startswith(folders) and not (
                    name != "CLI11" and path.startswith("tests/")):
                self.report(path, number, "library", "%s (%s) belongs to %s" % (name, target, ", ".join(folders)))
        if bracket == "<" or target.endswith(".pb.h"):
            return
        first = target.split("/")[0]
        if room is not None and first in ALLOWED and first != room and first not in ALLOWED[room]:
            self.report(path, number, "layering", "'%s' may not include '%s' (%s)" % (room, first, target))
        folder = path.rsplit("/", 1)[0]
        # An interface compiled into generated or shared text may be named relative to its own folder in tests and tools.
        places = ["libcore/" + target] if room is not None else [
            "libcore/" + target, "tools/" + target, folder + "/" + target]
        if not any(p in self.known for p in places):
            self.report(path, number, "include", "no file %s" % " or ".join(places))


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
        sys.stderr.write("usage: lint.py ROOT\n")
        return 2
    lint = Lint(pathlib.Path(sys.argv[1]))
    for line in lint.run():
        print(line)
    print("lint: %d files, %d includes, %d findings" % (len(lint.files), lint.num_includes, len(lint.findings)))
    return 1 if lint.findings else 0


if __name__ == "__main__":
    sys.exit(main())
