"""What decided a pair? Heat maps over both pictures, by gradients or by hiding places (system S14).

grad-cam (Selvaraju et al. 2017, through captum): the last layer of the tower that still has places; each of
its channels is weighed by how much the pair's score would rise with it, on average over the picture. One
backward pass a picture; as coarse as that layer.

occlusion (Zeiler and Fergus 2014): a window is hidden in the one picture, in the other, in both and in none.
Its share in the score is its Shapley value in this game of two players, so that a place that differs is found
as well as a place that agrees: hiding it in one picture alone would only swap one difference for another. Any
tower can be explained so, at the price of two embeddings a window.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from likeness.artifacts.shown_decisions import Method
from likeness.errors import ModelError
from likeness.images.heat_overlay import HeatMap
from likeness.models.architecture import Window
from likeness.models.backbones.ensemble import Ensemble
from likeness.models.embedding import evaluating
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese

_WINDOW = 0.2  # side of a hidden window, as a share of the picture's shorter side
_BATCH = 64


def explain_pair(
    siamese: Siamese,
    preprocess: Preprocess,
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    method: Method,
    *,
    same: bool = True,
) -> tuple[HeatMap, HeatMap]:
    """Heat maps of what spoke for a decision about a pair.

    Args:
        siamese: the network; computed on the device that it is on, in evaluation mode.
        preprocess: of the network.
        first: uint8 [H, W] or [H, W, 3], as stored.
        second: likewise.
        method: "grad-cam" or "occlusion", see above.
        same: the decision that is explained: what raised the score (same person), or what lowered it.

    Returns:
        Two maps float32 [H, W] in [0, 1], on one scale: 1 is the place that spoke loudest in either picture.
        All zero where nothing spoke for the decision.

    Raises:
        ModelError: the pictures do not have the network's size, or its tower gives Grad-CAM nothing to look at.
    """
    for picture in (first, second):
        if picture.shape != tuple(preprocess.size):
            raise ModelError(f"expected pictures of {preprocess.size} pixels, found {picture.shape}")
    device = next(siamese.parameters(), torch.empty(0)).device
    images = preprocess.tensor(torch.from_numpy(np.stack([first, second])).to(device))
    with evaluating(siamese):
        maps = _grad_cam(siamese, images) if method == "grad-cam" else _occlusion(siamese, images)
    evidence = (maps if same else -maps).clamp(min=0)
    heat = (evidence / evidence.max().clamp(min=1e-30)).float().cpu().numpy()
    return heat[0], heat[1]


def best_method(siamese: Siamese, preprocess: Preprocess) -> Method:
    """Grad-CAM where every tower has a layer to look at, else occlusion (towers given as ONNX)."""
    image = preprocess.tensor(torch.zeros((1, *preprocess.size), dtype=torch.uint8))
    with evaluating(siamese):
        layers = _spatial_layers(siamese, image.to(next(siamese.parameters(), image).device))
    return "grad-cam" if layers and all(layer is not None for layer, _ in layers) else "occlusion"


def _grad_cam(siamese: Siamese, images: Tensor) -> Tensor:
    """Signed maps [2, H, W]; the towers of an ensemble add up, as their shares of the score do."""
    height, width = images.shape[-2:]
    maps = torch.zeros((2, height, width), device=images.device)
    for layer, (top, left, down, across) in _spatial_layers(siamese, images[:1]):
        if layer is None:
            raise ModelError("this tower has no layer with places for Grad-CAM; explain the pair by occlusion")
        for side in (0, 1):
            coarse = _attribution(siamese, layer, images[side : side + 1], images[1 - side : 2 - side])
            fine = nn.functional.interpolate(coarse, (down, across), mode="bilinear", align_corners=False)
            maps[side, top : top + down, left : left + across] += fine[0, 0]
    return maps


def _attribution(siamese: Siamese, layer: nn.Module, image: Tensor, other: Tensor) -> Tensor:
    """Grad-CAM [1, 1, h, w] of the score with respect to one picture, the other's embedding held fixed."""
    from captum.attr import LayerGradCam  # it imports Matplotlib: a second

    with torch.no_grad():
        fixed = siamese.embed(other)
    cam = LayerGradCam(lambda picture: siamese.score(siamese.embed(picture), fixed), layer)
    with torch.enable_grad():
        coarse: Tensor = cam.attribute(image.clone().requires_grad_())
    return coarse.detach()


def _spatial_layers(siamese: Siamese, image: Tensor) -> list[tuple[nn.Module | None, Window]]:
    """The last layer with places of each tower (None if it has none), and the part of the picture it sees."""
    height, width = image.shape[-2:]
    towers = list(_towers(siamese, (0, 0, height, width)))
    found: dict[int, nn.Module] = {}

    def watch(place: int, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def note(_module: nn.Module, _inputs: tuple[Tensor, ...], output: object) -> None:
            if isinstance(output, Tensor) and _has_places(output):
                found[place] = module  # the last to end stays: a whole block, not its shortcut

        return module.register_forward_hook(note)

    handles = [
        watch(place, module) for place, (tower, _) in enumerate(towers) for module in tower.backbone.modules()
    ]
    try:
        with torch.enable_grad():
            siamese.embed(image.clone().requires_grad_())
    finally:
        for handle in handles:
            handle.remove()
    return [(found.get(place), window) for place, (_, window) in enumerate(towers)]


def _has_places(output: Tensor) -> bool:
    """Whether a layer's output is a map that gradients flow through, and not a single point."""
    return output.ndim == 4 and min(output.shape[2:]) > 1 and output.requires_grad


def _towers(siamese: Siamese, seen: Window) -> Iterator[tuple[Siamese, Window]]:
    """Every single tower, through the members of an ensemble, with the part of the picture that it sees."""
    if siamese.window is not None:
        top, left, height, width = siamese.window
        seen = (seen[0] + top, seen[1] + left, height, width)
    if isinstance(siamese.backbone, Ensemble):
        for member in siamese.backbone.members:
            assert isinstance(member, Siamese)
            yield from _towers(member, seen)
    else:
        yield siamese, seen


def _occlusion(siamese: Siamese, images: Tensor) -> Tensor:
    """Signed maps [2, H, W]: at each place the mean Shapley value of the windows that cover it."""
    masks = _windows(images.shape[-2], images.shape[-1]).to(images.device)
    with torch.inference_mode():
        seen = [siamese.embed(image[None]).expand(len(masks), -1) for image in images]
        hidden = [_embed_hidden(siamese, image, masks) for image in images]
        both = siamese.score(seen[0], seen[1])
        only_first = siamese.score(seen[0], hidden[1])
        only_second = siamese.score(hidden[0], seen[1])
        neither = siamese.score(hidden[0], hidden[1])
        first = ((both - only_second) + (only_first - neither)) / 2
        second = ((both - only_first) + (only_second - neither)) / 2
        values = torch.stack([first, second])
        covered = masks.float()
        return torch.einsum("sk,khw->shw", values, covered) / covered.sum(dim=0)


def _embed_hidden(siamese: Siamese, image: Tensor, masks: Tensor) -> Tensor:
    """Embeddings [K, D] of an image [C, H, W] with each of K windows filled with its mean value."""
    parts = (masks[at : at + _BATCH, None] for at in range(0, len(masks), _BATCH))
    return torch.cat([siamese.embed(torch.where(part, image.mean(), image[None])) for part in parts])


def _windows(height: int, width: int) -> Tensor:
    """Masks bool [K, H, W] of square windows that overlap by half and cover every pixel."""
    side = max(1, round(_WINDOW * min(height, width)))
    tops, lefts = _starts(height, side), _starts(width, side)
    masks = torch.zeros((len(tops) * len(lefts), height, width), dtype=torch.bool)
    for number, (top, left) in enumerate((top, left) for top in tops for left in lefts):
        masks[number, top : top + side, left : left + side] = True
    return masks


def _starts(length: int, side: int) -> list[int]:
    steps = int(np.ceil(2 * (length - side) / side)) + 1
    return [round(start) for start in np.linspace(0, length - side, steps)]
