#!/usr/bin/env python3
"""Turns PyTorch heads into a sluice model (model.h5).

CHECKPOINT is a state_dict saved by torch.save (.pt, .pth) or a .safetensors file, of a head of
Linear layers with --activation between them; several checkpoints are the members of a committee.
Only tensors are loaded: a whole module that was pickled would run code, and is refused; save
head.state_dict() instead. The features of the pool must be what the first Linear reads.

Heads of other layers are exported from Python, where the modules are:
    import export_torch
    export_torch.write_model([head, ...], "model.h5")   # torch.nn.Sequential of Linear, ReLU, SiLU,
                                                        # Tanh, Sigmoid, BatchNorm1d, Dropout, ...

Example: export_torch.py head0.pt head1.pt head2.pt --activation relu --out model.h5
"""

import argparse
import pathlib

import pool_file
from pool_file import EXIT_BAD_DATA, EXIT_NO_INPUT, EXIT_USAGE, Failure


def write_model(modules, out, *, task="classification", **options) -> list:
    """Writes heads that are torch.nn.Sequentials, one or a list of them, as they compute in eval().
    Options: `input` and `target` = (mean, scale), `temperature`, `predicts_variance` (outputs are T
    predictions, then the logarithms of their variances), `dropout` = (masks, rate, seed).
    Returns what was done to them, as lines for people. Raises pool_file.Failure."""
    modules = list(modules) if isinstance(modules, (list, tuple)) else [modules]
    from torch_modules import chain_of_module
    notes = []
    chains = [chain_of_module(module, f"member {number}", task, notes)
              for number, module in enumerate(modules)]
    write_chains(chains, out, notes, task=task, **options)
    return notes


def write_chains(chains: list, out, notes: list, *, task: str, sources=(), **options):
    """Writes the committee and returns it; adds to `notes`."""
    from model_file import model_of_chains, write_model as write_file
    notes += [f"{chain.name}: its one output f becomes the logits -f/2 and +f/2, whose softmax is "
              "sigmoid(f)" for chain in chains if task == "classification" and chain.width == 1]
    model = model_of_chains(chains, task, **options, provenance={
        "made_by": "export_torch.py", "sources": list(sources), "notes": notes})
    write_file(out, model)
    return model


class Parser(argparse.ArgumentParser):
    """argparse with sluice's exit code and one-line errors."""

    def error(self, message: str):
        pool_file.leave(EXIT_USAGE, f"export_torch.py: {message}; see --help")


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                    allow_abbrev=False)
    parser.add_argument("checkpoints", nargs="+", type=pathlib.Path, metavar="CHECKPOINT",
                        help="a head's state_dict; one for each member")
    parser.add_argument("--out", required=True, type=pathlib.Path, metavar="FILE",
                        help="the model to write; must not exist")
    parser.add_argument("--task", choices=["classification", "regression"],
                        default="classification", help="what the head does (default "
                        "classification: its outputs are logits)")
    parser.add_argument("--activation", default="relu",
                        choices=["identity", "relu", "silu", "tanh", "sigmoid"],
                        help="between the Linear layers (default relu)")
    parser.add_argument("--masks", type=int, metavar="M", help="each head stands for M members, "
                        "which each lack a share of its hidden units (dropout)")
    parser.add_argument("--dropout-rate", type=float, metavar="P",
                        help="that share (default 0.5)")
    parser.add_argument("--seed", type=int, metavar="S", help="which units (default 0)")
    for what, of in (("input", "features"), ("target", "regression targets")):
        for name in ("mean", "scale"):
            parser.add_argument(f"--{what}-{name}", type=pathlib.Path, metavar="FILE.npy",
                                help=f"{name} of the {of} in training, if they were normalised: "
                                     "(x - mean) / scale")
    parser.add_argument("--predicts-variance", action="store_true", help="a regression head's "
                        "outputs are T predictions, then T logarithms of variances")
    parser.add_argument("--temperature", type=float, default=1.0, metavar="T",
                        help="logits are divided by it (default 1)")
    options = parser.parse_args()
    if options.masks is None and (options.dropout_rate, options.seed) != (None, None):
        parser.error("argument --dropout-rate, --seed: only with --masks")
    for what in ("input", "target"):
        given = [getattr(options, f"{what}_{name}") for name in ("mean", "scale")]
        if given.count(None) == 1:
            parser.error(f"argument --{what}-mean, --{what}-scale: give both or neither")
    return options


def read_numbers(path: pathlib.Path):
    """An array of one dimension from a .npy file."""
    numpy = pool_file.need_module("numpy", "python3-numpy")
    if not path.is_file():
        raise Failure(EXIT_NO_INPUT, f"{path}: no such file; check the path")
    try:
        return numpy.load(path).reshape(-1).astype("f8")
    except (ValueError, EOFError, TypeError) as error:
        raise Failure(EXIT_BAD_DATA, f"{path}: cannot be read ({error}); is it a .npy file of "
                                     "numbers?") from error


def pair_of(options: argparse.Namespace, what: str):
    """Mean and scale as given; None without."""
    mean, scale = (getattr(options, f"{what}_{name}") for name in ("mean", "scale"))
    return None if mean is None else (read_numbers(mean), read_numbers(scale))


def main() -> None:
    """Exports as the command line says."""
    options = parse_options()
    for name in ("numpy", "h5py"):
        pool_file.need_module(name, f"python3-{name}")
    import torch_checkpoint
    from model_file import summary
    notes = []
    chains = [torch_checkpoint.read_chain(path, options.activation)
              for path in options.checkpoints]
    dropout = None
    if options.masks is not None:
        rate = 0.5 if options.dropout_rate is None else options.dropout_rate
        dropout = (options.masks, rate, options.seed or 0)
    model = write_chains(chains, options.out, notes, task=options.task,
                         input=pair_of(options, "input"), target=pair_of(options, "target"),
                         predicts_variance=options.predicts_variance, dropout=dropout,
                         temperature=options.temperature,
                         sources=[path.name for path in options.checkpoints])
    print("\n".join([*notes, f"{options.out}: {summary(model)}"]))


if __name__ == "__main__":
    pool_file.run_main(main)
