"""The networks of make_networks.py on sequences of tokens: a transformer encoder and word vectors."""


def operator(n, name, parents, kind, fields=()):
    body = ["ops {", "  parameters {", "    [type.googleapis.com/lbann_data.%sOperator] {" % kind]
    body += ["      " + f for f in fields] + ["    }", "  }", "}"]
    return n.layer(name, parents, "operator_layer", body)


def sliced(n, name, x, points):
    """A slice whose children are named after what follows."""
    return n.layer(name, [x], "slice", ["axis: 0"] + ["slice_points: %d" % p for p in points])


def linear(n, name, x, size):
    return n.layer(name, [x], "channelwise_fully_connected", ["output_channel_dims: %d" % size])


def norm(n, name, x):
    return n.layer(name, [x], "layer_norm", ["start_dim: -1", "scale: true", "bias: true"])


def dropped(n, name, x, keep):
    return x if keep == 1 else n.layer(name, [x], "dropout", ["keep_prob: %g" % keep])


def permute(n, name, x, axes):
    return n.layer(name, [x], "permute", ["axes: %d" % a for a in axes])


def attention(n, name, x, length, width, heads, keep):
    """softmax(Q K^T / sqrt(d)) V for every head, side by side, then a linear map (Vaswani et al., NIPS 2017)."""
    size = width // heads
    parts = {}
    for part in ("query", "key", "value"):
        y = linear(n, "%s_%s" % (name, part), x, width)
        y = n.layer("%s_%s_split" % (name, part), [y], "reshape", ["dims: %d" % d for d in (length, heads, size)])
        parts[part] = permute(n, "%s_%s_heads" % (name, part), y, (1, 0, 2))
    scores = n.layer(name + "_scores", [parts["query"], parts["key"]], "matmul", ["transpose_b: true"])
    scores = operator(n, name + "_scaled", [scores], "Scale", ["constant: %.9g" % size ** -0.5])
    attend = n.layer(name + "_softmax", [scores], "channelwise_softmax", ["dim: -1", "single_dim_mode: true"])
    attend = dropped(n, name + "_dropout", attend, keep)
    y = n.layer(name + "_mix", [attend, parts["value"]], "matmul")
    y = permute(n, name + "_join", y, (1, 0, 2))
    y = n.layer(name + "_flat", [y], "reshape", ["dims: %d" % d for d in (length, width)])
    return linear(n, name + "_out", y, width)


def transformer(n, vocabulary=4096, length=64, width=256, heads=4, blocks=4, hidden=1024, keep=0.9):
    """Every token of a sequence is given another one; the network is to learn them."""
    words = n.input("words", "samples")
    halves = sliced(n, "halves", words, (0, length, 2 * length))
    given, wanted = n.layer("given", [halves], "identity"), n.layer("wanted", [halves], "identity")
    x = n.layer("embedding", [given], "embedding", ["num_embeddings: %d" % vocabulary, "embedding_dim: %d" % width])
    position = n.layer("position", [], "weights_layer", ["dims: %d" % d for d in (length, width)])
    x = n.layer("place", [x, position], "sum")
    for i in range(1, blocks + 1):
        name = "block%d" % i
        y = attention(n, name + "_attention", x, length, width, heads, keep)
        x = norm(n, name + "_norm1", n.layer(name + "_sum1", [x, dropped(n, name + "_dropout1", y, keep)], "sum"))
        y = operator(n, name + "_gelu", [linear(n, name + "_up", x, hidden)], "Gelu")
        y = linear(n, name + "_down", dropped(n, name + "_dropout2", y, keep), width)
        x = norm(n, name + "_norm2", n.layer(name + "_sum2", [x, dropped(n, name + "_dropout3", y, keep)], "sum"))
    prob = n.layer("prob", [linear(n, "head", x, vocabulary)], "channelwise_softmax", ["dim: -1", "single_dim_mode: true"])
    classes = permute(n, "classes", prob, (1, 0))  # cross_entropy wants classes first
    labels = n.layer("labels", [wanted], "reshape", ["dims: 1", "dims: %d" % length])
    return n.layer("loss", [classes, labels], "cross_entropy", ["use_labels: true"])


def word2vec(n, vocabulary=100000, width=128, negatives=5):
    """Skip-gram with negative sampling (Mikolov et al., NIPS 2013): a word, one of its neighbours, and words drawn
    at random. The loss is -log s(u.v) of the neighbour and -log s(-u.v) of the others, s the sigmoid."""
    words = n.input("words", "samples")
    roles = sliced(n, "roles", words, (0, 1, 2 + negatives))
    centre, others = n.layer("centre", [roles], "identity"), n.layer("others", [roles], "identity")
    size = ["num_embeddings: %d" % vocabulary, "embedding_dim: %d" % width]
    u = n.layer("centre_vector", [centre], "embedding", size)
    v = n.layer("other_vectors", [others], "embedding", size)
    scores = n.layer("scores", [v, u], "matmul", ["transpose_b: true"])
    scores = n.layer("flat_scores", [scores], "reshape", ["dims: %d" % (1 + negatives)])
    parts = sliced(n, "truth", scores, (0, 1, 1 + negatives))
    neighbour, noise = n.layer("neighbour", [parts], "identity"), n.layer("noise", [parts], "identity")
    noise = operator(n, "against", [noise], "Negative")
    hit = n.layer("hit", [operator(n, "log_hit", [neighbour], "LogSigmoid")], "reduction", ['mode: "sum"'])
    miss = n.layer("miss", [operator(n, "log_miss", [noise], "LogSigmoid")], "reduction", ['mode: "sum"'])
    return n.layer("loss", [hit, miss], "weighted_sum", ["scaling_factors: -1", "scaling_factors: -1"])


ADAM = ["adam {", "  learn_rate: 0.0001", "  beta1: 0.9", "  beta2: 0.999", "  eps: 1e-8", "}"]
SGD = ["sgd {", "  learn_rate: 0.025", "}"]


def files(network):
    """Entries of make_networks.FILES; `network` makes an empty network. `factor`: of the loss, per token."""
    def make(build, factor):
        def run():
            n = network()
            loss = build(n)
            n.factor = factor
            return n, (loss, None)
        return run

    tokens = lambda count: "num_labels: 2  # not used\n    synth_vocabulary_size: %d" % count
    return {
        "transformer": (
            "A transformer encoder: 4 blocks of 4 heads, width 256, on sequences of 64 of 4096 tokens.",
            make(transformer, 1 / 64), 16, "128", tokens(4096), ADAM),
        "word2vec": (
            "Word vectors of 128 numbers for 100000 words, skip-gram with 5 negative samples. A step updates\n"
            "# the rows it reads.", make(word2vec, 1), 1024, "7", tokens(100000), SGD),
    }
