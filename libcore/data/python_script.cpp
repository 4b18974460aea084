// The program that a helper of the python reader runs (python3 -c). Protocol: python.hpp.
//
// Uses NumPy where it is installed, else the standard library: a user's module needs nothing of ours.
#include "data/python_worker.hpp"

namespace lbann::data {

const char* const python_helper_script = R"python(
import os, signal, struct, sys, traceback

for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)  # meant for the trainer, which ends this process itself
module, folder, sample_name, count_name, dims_name, pickled = sys.argv[1:7]
channel = os.fdopen(3, "r+b", buffering=0)

def receive(size):
    parts = []
    while size:
        try:
            part = channel.read(size)
        except OSError:
            part = b""
        if not part:
            os._exit(0)  # the trainer has ended
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

def send(*parts):
    for part in parts:
        view = memoryview(part)
        while len(view):
            try:
                view = view[channel.write(view):]
            except OSError:
                os._exit(0)

def send_error(text):
    data = text.encode(errors="replace")[:60000]
    send(b"e", struct.pack("<q", len(data)), data)

def reason():
    kind, value, trace = sys.exc_info()
    frames = traceback.extract_tb(trace)
    own = [f for f in frames if f.filename != "<string>"]
    lines = traceback.format_exception_only(kind, value)
    return "".join(lines + traceback.format_list(own)).rstrip()

try:
    import numpy
except ImportError:
    numpy = None
    import array

def flatten(value, out):
    if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)):
        for one in value:
            flatten(one, out)
    else:
        out.append(float(value))

def to_bytes(value):
    if numpy is not None:
        flat = numpy.ascontiguousarray(value, dtype=numpy.float32).ravel()
        return flat.size, flat.tobytes()
    out = array.array("f")
    flatten(value, out)
    return len(out), out.tobytes()

try:
    if folder:
        sys.path.insert(0, folder)
    elif os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    sys.argv = [module]
    if pickled:
        import pickle
        dims_name = "get_sample_dims"
        with open(pickled, "rb") as file:
            data_set = pickle.load(file)
        count = len(data_set)
        said = data_set.get_sample_dims()
        fields = []
        for number, name in enumerate(("sample", "label", "response")):
            dims = getattr(said, name, None)
            if dims is not None:
                fields.append((number, name, [int(d) for d in (dims if hasattr(dims, "__iter__") else [dims])]))
        def get(index):
            one = data_set[index]
            return [(f"{name} of sample {index}", dims, getattr(one, name)) for _, name, dims in fields]
    else:
        code = __import__("importlib").import_module(module)
        for name in (sample_name, count_name, dims_name):
            if not callable(getattr(code, name, None)):
                raise AttributeError(f"module '{module}' has no function '{name}'")
        dims = getattr(code, dims_name)()
        dims = [int(d) for d in (dims if hasattr(dims, "__iter__") else [dims])]
        count = int(getattr(code, count_name)())
        fields = [(0, sample_name, dims)]
        def get(index):
            return [(f"{sample_name}({index})", dims, getattr(code, sample_name)(index))]
except BaseException:
    send_error(reason())
    os._exit(1)
send(b"i", struct.pack("<qq", count, len(fields)))
for number, _, dims in fields:
    send(struct.pack(f"<{2 + len(dims)}q", number, len(dims), *dims))
while True:
    number = struct.unpack("<q", receive(8))[0]
    indices = struct.unpack(f"<{number}q", receive(8 * number))
    try:
        rows = []
        for index in indices:
            for what, dims, value in get(index):
                entries, data = to_bytes(value)
                size = 1
                for d in dims:
                    size *= d
                if entries != size:
                    raise ValueError(f"{what} has {entries} values, {dims_name}() says {dims} = {size}")
                rows.append(data)
    except BaseException:
        send_error(f"{'sample ' + str(index) if pickled else f'{sample_name}({index})'}: {reason()}")
        continue
    data = b"".join(rows)
    send(b"d", struct.pack("<q", len(data)), data)
)python";

}  // namespace lbann::data
