"""A network in the manner of VoxTell, for comparison: a query transformer, and one decoder run for each prompt.

Sizes and wiring follow voxtell/model/voxtell_model.py of github.com/MIC-DKFZ/VoxTell (six transformer layers of 2048
with eight heads over the features of the fifth stage; 32 channels of query times feature at each decoder stage), on the
encoder that is given. Its position encoding, an addition, is left out. Weights are random: only the cost counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from dynamic_network_architectures.building_blocks.helper import get_matching_convtransp
from dynamic_network_architectures.building_blocks.simple_conv_blocks import StackedConvBlocks
from torch import Tensor, nn

QUERY_DIM, LAYERS, ATTENTION_HEADS = 2048, 6, 8
FUSED_CHANNELS = 32
MEMORY_STAGE = 4


class PromptedNetwork(nn.Module):
    """Masks of prompts in one tile.

    Args:
        encoder: of a planned network of dynamic_network_architectures, which returns the features of all stages.
        convolutions: of each decoder stage.
        text_dim: of the prompts' vectors.
    """

    def __init__(self, encoder: nn.Module, convolutions: int, text_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        channels, strides, kernels = encoder.output_channels, encoder.strides, encoder.kernel_sizes
        self.image = _projection(channels[MEMORY_STAGE], QUERY_DIM)
        self.text = _projection(text_dim, QUERY_DIM)
        layer = nn.TransformerDecoderLayer(QUERY_DIM, ATTENTION_HEADS, batch_first=True, norm_first=True)
        self.transformer = nn.TransformerDecoder(layer, LAYERS, nn.LayerNorm(QUERY_DIM))
        up = get_matching_convtransp(conv_op=encoder.conv_op)
        self.ups, self.stages, self.queries = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        below = channels[-1]
        for stage in reversed(range(len(channels) - 1)):
            width, stride = channels[stage], strides[stage + 1]
            self.ups.append(up(below, width, stride, stride, bias=encoder.conv_bias))
            self.stages.append(
                StackedConvBlocks(
                    convolutions,
                    encoder.conv_op,
                    2 * width,
                    width,
                    kernels[stage],
                    1,
                    encoder.conv_bias,
                    encoder.norm_op,
                    encoder.norm_op_kwargs,
                    nonlin=encoder.nonlin,
                    nonlin_kwargs=encoder.nonlin_kwargs,
                )
            )
            fused = FUSED_CHANNELS if stage else 1
            self.queries.append(_projection(QUERY_DIM, fused * width))
            below = width + fused

    def forward(self, tile: Tensor, prompts: Tensor) -> Tensor:
        """Logits ``(prompts, *tile)``.

        Args:
            tile: ``(1, C, *tile)``.
            prompts: ``(prompts, text_dim)``.
        """
        skips = self.encoder(tile)
        memory = self.image(skips[MEMORY_STAGE].flatten(2).transpose(1, 2))
        queries = self.transformer(self.text(prompts)[None], memory)[0]
        of_stages = [project(queries) for project in self.queries]
        return torch.cat([self._decode(skips, [q[n] for q in of_stages]) for n in range(len(prompts))])

    def _decode(self, skips: Sequence[Tensor], queries: Sequence[Tensor]) -> Tensor:
        features = skips[-1]
        found = features[:, :0]
        for up, stage, query, skip in zip(self.ups, self.stages, queries, reversed(skips[:-1]), strict=True):
            features = stage(torch.cat((up(torch.cat((features, found), dim=1)), skip), dim=1))
            found = torch.einsum("bcxyz,fc->bfxyz", features, query.view(-1, features.shape[1]))
        return found[0]


def _projection(incoming: int, outgoing: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(incoming, QUERY_DIM), nn.GELU(), nn.Linear(QUERY_DIM, outgoing))
