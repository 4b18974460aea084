"""Command-line options that scripts have in common: argparse options and what is made of them."""

import lbann


def add_scheduler_arguments(parser, default_job_name="lbann"):
    """--nodes, --procs-per-node, --partition, --account, --reservation, --time-limit, --scheduler and so on."""
    group = parser.add_argument_group("scheduler")
    group.add_argument("--nodes", type=int, default=None, help="number of nodes")
    group.add_argument("--procs-per-node", type=int, default=None, help="processes per node")
    group.add_argument("--partition", default=None, help="partition or queue")
    group.add_argument("--account", default=None, help="account or bank")
    group.add_argument("--reservation", default=None, help="reservation")
    group.add_argument("--scheduler", "--launcher", dest="scheduler", default=None, help="slurm, lsf, flux, openmpi ...")
    group.add_argument("--time-limit", type=int, default=None, help="minutes")
    group.add_argument("--setup-only", action="store_true", help="write the files only")
    group.add_argument("--batch-job", action="store_true", help="submit instead of waiting")
    group.add_argument("--job-name", default=default_job_name, help="name of the job")
    group.add_argument("--launcher-args", nargs="+", default=None, help="further words for the launcher")
    group.add_argument("--work-dir", default=None, help="work folder")


def get_scheduler_kwargs(args):
    """The keywords of lbann.run that add_scheduler_arguments made."""
    names = ("nodes", "procs_per_node", "partition", "account", "reservation", "scheduler", "time_limit", "job_name",
             "launcher_args", "work_dir")
    kwargs = {name: getattr(args, name, None) for name in names}
    kwargs = {name: value for name, value in kwargs.items() if value is not None}
    for name in ("setup_only", "batch_job"):
        if getattr(args, name, False):
            kwargs[name] = True
    return kwargs


def add_optimizer_arguments(parser, default_optimizer="momentum", default_learning_rate=0.01):
    """--optimizer and --optimizer-learning-rate."""
    group = parser.add_argument_group("optimizer")
    group.add_argument("--optimizer", default=default_optimizer,
                       choices=("momentum", "sgd", "adam", "adamw", "adagrad", "rmsprop"))
    group.add_argument("--optimizer-learning-rate", type=float, default=default_learning_rate)


def create_optimizer(args):
    """The optimizer that add_optimizer_arguments' options name."""
    rate = args.optimizer_learning_rate
    makers = {
        "momentum": lambda: lbann.SGD(learn_rate=rate, momentum=0.9),
        "sgd": lambda: lbann.SGD(learn_rate=rate),
        "adam": lambda: lbann.Adam(learn_rate=rate, beta1=0.9, beta2=0.99, eps=1e-8),
        "adamw": lambda: lbann.Adam(learn_rate=rate, beta1=0.9, beta2=0.99, eps=1e-8, adamw_weight_decay=0.01),
        "adagrad": lambda: lbann.AdaGrad(learn_rate=rate, eps=1e-8),
        "rmsprop": lambda: lbann.RMSprop(learn_rate=rate, decay_rate=0.99, eps=1e-8),
    }
    if args.optimizer not in makers:
        raise ValueError(f"unknown optimizer '{args.optimizer}'; known are {', '.join(makers)}")
    return makers[args.optimizer]()


def add_training_arguments(parser, default_mini_batch_size=256, default_epochs=20):
    """--mini-batch-size, --num-epochs, --progress."""
    group = parser.add_argument_group("training")
    group.add_argument("--mini-batch-size", type=int, default=default_mini_batch_size)
    group.add_argument("--num-epochs", type=int, default=default_epochs)
    group.add_argument("--progress", action="store_true", help="a progress bar")


def add_profiling_arguments(parser):
    """--profile, --memory-profile, --caliper."""
    group = parser.add_argument_group("profiling")
    group.add_argument("--profile", action="store_true", help="regions for an external profiler")
    group.add_argument("--memory-profile", action="store_true", help="report of memory")
    group.add_argument("--caliper", action="store_true", help="not available here; refused by lbann-train")


def create_profile_callbacks(args):
    """Callbacks for the options of add_profiling_arguments."""
    callbacks = []
    if getattr(args, "profile", False):
        callbacks.append(lbann.CallbackProfiler(skip_init=True))
    if getattr(args, "memory_profile", False):
        callbacks.append(lbann.CallbackMemoryProfiler())
    return callbacks


def get_profile_args(args):
    """Words for lbann-train."""
    return ["--caliper"] if getattr(args, "caliper", False) else []


def add_amp_arguments(parser):
    """--amp and the settings of its loss scale."""
    group = parser.add_argument_group("mixed precision")
    group.add_argument("--amp", action="store_true")
    group.add_argument("--amp-init-scale", type=float, default=65536.0)
    group.add_argument("--amp-growth-factor", type=float, default=2.0)
    group.add_argument("--amp-backoff-factor", type=float, default=0.5)
    group.add_argument("--amp-growth-interval", type=int, default=2000)


def get_distconv_environment(*_, **__):
    """Environment of spatial parallelism: nothing is needed here."""
    return {}
