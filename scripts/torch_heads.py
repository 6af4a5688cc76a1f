"""A member of a model file as a PyTorch module. For sluice_io.torch_heads; needs PyTorch."""

import torch
from torch import nn

from layer_chain import Layer
from model_file import Model


class Affine(nn.Module):
    """factor * x + shift with numbers that are not trained."""

    def __init__(self, factor, shift):
        super().__init__()
        self.register_buffer("factor", torch.as_tensor(factor, dtype=torch.float32))
        self.register_buffer("shift", torch.as_tensor(shift, dtype=torch.float32))

    def forward(self, rows):
        """[N,width] to the same."""
        return rows * self.factor + self.shift


class Cosine(nn.Module):
    """What follows a layer of random Fourier features."""

    def forward(self, rows):
        """Element by element."""
        return torch.cos(rows)


ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh, "cosine": Cosine}


def linear(layer: Layer) -> nn.Linear:
    """One layer's numbers."""
    made = nn.Linear(layer.weight.shape[1], layer.weight.shape[0])
    with torch.no_grad():
        made.weight.copy_(torch.as_tensor(layer.weight))
        made.bias.copy_(torch.as_tensor(layer.bias))
    return made


def head_of(model: Model, layers: list) -> nn.Sequential:
    """Normalisation, layers, and the way back into units of the targets, or the temperature."""
    parts = []
    if model.input is not None:
        scale = torch.as_tensor(model.input.scale, dtype=torch.float32)
        parts.append(Affine(1 / scale, -torch.as_tensor(model.input.mean) / scale))
    for layer in layers:
        parts.append(linear(layer))
        if layer.activation != "identity":
            parts.append(ACTIVATIONS[layer.activation]())
    if model.task == "classification":
        parts.append(Affine(1 / model.temperature, 0.0))
    elif model.target is not None:
        parts.append(Affine(model.target.scale, model.target.mean))
    return nn.Sequential(*parts)
