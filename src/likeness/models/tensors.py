"""Writing and reading safetensors files, and putting their tensors into a network that they must fit exactly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from likeness.errors import ModelError
from likeness.files import atomic_path

_SHOWN = 5


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Replaces a safetensors file, whole or not at all.

    Not by safetensors' own `save_file`: that writes beside its target under a name of its own, which a kill leaves
    there and nobody clears away.

    Raises:
        OutputError: the file cannot be written; the one before is intact.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(plain, metadata=dict(metadata) if metadata else None))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file, on the CPU.

    Raises:
        ModelError: the file is missing or is no safetensors file.
    """
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such weights file; give the path of a .safetensors file") from error
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path}: is no safetensors file ({error}); copy it again or convert the weights"
        ) from error


def load_tensors(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Fills every parameter and buffer of `module`; an empty buffer takes whatever size the file holds.

    Args:
        module: changed in place.
        tensors: what `path` holds.
        path: named in the message.

    Raises:
        ModelError: the tensors are more, fewer or of other shapes than those of the module.
    """
    _make_room(module, tensors)
    own = module.state_dict()
    faults = [f"missing {name} {list(own[name].shape)}" for name in own if name not in tensors]
    faults += [f"unexpected {name} {list(tensors[name].shape)}" for name in tensors if name not in own]
    faults += [
        f"{name}: expected {list(own[name].shape)}, found {list(tensors[name].shape)}"
        for name in own
        if name in tensors and own[name].shape != tensors[name].shape
    ]
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        listed = "\n".join(f"  {fault}" for fault in faults[:_SHOWN] + more)
        raise ModelError(
            f"{path}: holds the weights of another network; give the parameters it was made with\n{listed}"
        )
    module.load_state_dict(dict(tensors), strict=True)


def _make_room(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Gives empty buffers, such as that of an external tower's file, the size of what will fill them."""
    for name, buffer in list(module.named_buffers()):
        if buffer.numel() == 0 and name in tensors:
            owner, _, leaf = name.rpartition(".")
            setattr(module.get_submodule(owner), leaf, torch.empty_like(tensors[name]))
