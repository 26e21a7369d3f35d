"""Graph surgery that makes every layer of a PoseResNet int8-able. Each step leaves the function unchanged.

onnxruntime has no int8 transposed convolution, and its exporter leaves batch normalisation after one
unfolded, so the plain graph keeps two thirds of its weights in fp32. `rewrite` fixes that:

1. `fold_batch_norm`: y = g (W x + b - m) / sqrt(v + e) + B is a convolution again.
2. `split_deconvolutions`: a 4x4 stride-2 pad-1 transposed convolution is four 2x2 convolutions, one an output
   phase, whose outputs interleave (Shi et al., CVPR 2016, run backwards).
3. `final_before_interleave`: a 1x1 convolution commutes with the interleave, so only its channels are shuffled.
4. `interleave_rows`: the interleave as copies of whole rows, in the channels-last order that int8 runs in.
5. `uint8_input`: raw uint8 RGB in; mean, standard deviation and a space-to-depth go into the first convolution.
6. `free_size`: pictures of any size, as the locator needs it.

Why these and not others is measured: docs/decisions/int8-graph.md.
"""

import numpy as np
import onnx

from hpe.export.deconvolutions import final_before_interleave, interleave_rows, split_deconvolutions
from hpe.export.free_size import free_size
from hpe.export.graph import Graph, attribute, checked, like
from hpe.export.stem import uint8_input


def rewrite(model: onnx.ModelProto) -> onnx.ModelProto:
    """All six steps. fp32 (N, 3, S, T) normalised RGB in -> uint8 (N, H, W, 3) RGB in, the same heatmaps out."""
    fixed = uint8_input(interleave_rows(final_before_interleave(split_deconvolutions(fold_batch_norm(model)))))
    return free_size(fixed)


def fold_batch_norm(model: onnx.ModelProto) -> onnx.ModelProto:
    """Folds each BatchNormalization into the Conv or ConvTranspose that alone feeds it."""
    graph = Graph.copy_of(model)
    graph.unshare_weights()
    for layer in [*graph.nodes("Conv"), *graph.nodes("ConvTranspose")]:
        norm = graph.sole_reader(layer.output[0], "BatchNormalization")
        if norm is None:
            continue
        scale, shift, mean, variance = (np.asarray(graph.weight(n), np.float64) for n in norm.input[1:5])
        gain = scale / np.sqrt(variance + float(attribute(norm, "epsilon", 1e-5)))  # type: ignore[arg-type]
        weight = np.asarray(graph.weight(layer.input[1]), np.float64)
        bias = np.asarray(graph.weight(layer.input[2]), np.float64) if len(layer.input) > 2 else 0.0
        # output channels are axis 0 of a Conv's weights and axis 1 of a ConvTranspose's
        axes = (-1, 1, 1, 1) if layer.op_type == "Conv" else (1, -1, 1, 1)
        inputs = [
            layer.input[0],
            graph.add_weight(f"{layer.input[1]}.folded", (weight * gain.reshape(axes)).astype(np.float32)),
            graph.add_weight(f"{layer.input[1]}.bias", ((bias - mean) * gain + shift).astype(np.float32)),
        ]
        folded = like(layer, inputs, list(norm.output))
        graph.replace([layer, norm], [folded])
    graph.drop_unused_weights()
    return checked(graph)
