#!/usr/bin/env python3
"""A trainer for `sluice train --train-command` or `[model] train-command`: a PyTorch ensemble becomes
the campaign's committee, so that sluice itself asks it about every row of the pool.

    [model]
    train-command = python3 jobs/examples/torch-ensemble/train.py {labels} {model} {seed}

Reads the labels that sluice hands over, leaves the model file. Needs PyTorch, h5py and NumPy.
"""

import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts"))
import export_torch
import pool_file
import sluice_io

MEMBERS, HIDDEN, EPOCHS = 5, 64, 200


def ensemble(rows, wanted, outputs, seed):
    """Nets that differ by their first weights and the order of their samples."""
    heads = []
    for member in range(MEMBERS):
        torch.manual_seed(1000 * seed + member)
        head = nn.Sequential(nn.Linear(rows.shape[1], HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, outputs))
        steps = torch.optim.Adam(head.parameters(), lr=1e-2)
        loss_of = nn.functional.mse_loss if wanted.is_floating_point() else nn.functional.cross_entropy
        for _ in range(EPOCHS):
            for part in torch.randperm(len(rows)).split(32):
                steps.zero_grad()
                loss_of(head(rows[part]), wanted[part]).backward()
                steps.step()
        heads.append(head)
    return heads


def main() -> None:
    """labels, model and seed, as sluice gives them."""
    torch.set_num_threads(1)
    labels, out = sluice_io.read_labels(sys.argv[1]), pathlib.Path(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    mean, scale = labels.features.mean(axis=0), labels.features.std(axis=0) + 1e-6
    rows = torch.as_tensor((labels.features - mean) / scale)
    if labels.y.dtype.kind in "iu":
        wanted = torch.as_tensor(labels.y, dtype=torch.long)
        heads = ensemble(rows, wanted, int(labels.y.max()) + 1, seed)
        export_torch.write_model(heads, out, task="classification", input=(mean, scale))
        return
    y = labels.y.reshape(len(labels.y), -1)
    target = y.mean(axis=0), y.std(axis=0) + 1e-9
    wanted = torch.as_tensor((y - target[0]) / target[1], dtype=torch.float32)
    heads = ensemble(rows, wanted, y.shape[1], seed)
    export_torch.write_model(heads, out, task="regression", input=(mean, scale), target=target)


if __name__ == "__main__":
    pool_file.run_main(main)
