"""nnU-Net's planned U-Net with report adapters in its decoder.

    encoder ──> bottleneck ──[adapter]──> stage ──[adapter]──> stage ──[adapter]── ... ──> segmentation heads
                                  ^                   ^                   ^
    sentences ──> memory ─────────┴───────────────────┴───────────────────┘   (+ patient frame of the patch)

``encoder`` and ``decoder`` are the planned network's own modules under their own names: plain nnU-Net weights load, and
``decoder.deep_supervision`` works as nnU-Net expects (nnUNetTrainer.set_deep_supervision_enabled). The forward pass
follows dynamic_network_architectures 0.4 building_blocks/unet_decoder.py UNetDecoder.forward.

nnU-Net calls ``network(x)`` with the image alone, so report and patch frame are plain attributes, set before the call
with
:meth:`ReportGuidedUNet.set_report` and :meth:`ReportGuidedUNet.set_frame`. They are no buffers: they belong to a case,
not to the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._dynamo import OptimizedModule
from torch.nn.parallel import DistributedDataParallel

from nnunet_reportseg.errors import ReportContextError
from nnunet_reportseg.frames import Frame
from nnunet_reportseg.network.planned_unet import require_unet
from nnunet_reportseg.network.shared_skips import join
from nnunet_reportseg.network.shared_stages import SharedFinestStage, SharedStage
from text_conditioning.alignment import AlignmentHead, Embedded
from text_conditioning.memory import Memory, ReportMemory, ReportTensors
from text_conditioning.stage_adapter import AdapterConfig, StageAdapter
from text_conditioning.whitening import Whitening

Output = Tensor | list[Tensor]
LEAST_OWN_LEVELS = 2  # bottleneck and one decoder stage; the bottleneck alone marks too much (docs/grounding.md)


class Features(NamedTuple):
    """What a network knows of patches before it reads a report.

    Attributes:
        skips: of the encoder, finest first.
        decoded: of the decoder stages that all reports share, which come last.
    """

    skips: Sequence[Tensor]
    decoded: Sequence[Tensor]


class Reading(NamedTuple):
    """How a batch was read, for the losses that supervise it.

    Attributes:
        attention: maps ``(B, 1 + S, *stage)`` of the stages that attend to sentences, coarsest first.
        embedded: voxels and sentences for the alignment loss, where its head and negatives are there.
    """

    attention: list[Tensor]
    embedded: Embedded | None


class ReportAdapter(nn.Module):
    """Everything that the report adds to a network: whitening, memory, one adapter per stage that is not shared.

    ``attends_to_sentences`` tells whether any stage has attention to single sentences that could be supervised;
    ``finest_reading_stride`` are the patch voxels per voxel of the finest of them.

    Args:
        channels: channels of bottleneck and decoder stages, lowest resolution first.
        strides: patch voxels per voxel for each of them.
        text_dim: dimension of the sentence vectors.
        config: sizes.
        alignment: whether to add the head of the alignment loss, which only training uses.
        heads: outputs of the segmentation head.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[Sequence[int]],
        text_dim: int,
        config: AdapterConfig,
        *,
        alignment: bool = False,
        heads: int = 1,
    ) -> None:
        super().__init__()
        self.strides = [list(stride) for stride in strides]
        own = max(len(channels) - config.shared_stages, min(len(channels), LEAST_OWN_LEVELS))
        self.shared = nn.ModuleList(self._shared(channels, index, heads) for index in range(own, len(channels)))
        channels = channels[:own]
        self.whitening = Whitening(text_dim)
        self.memory = ReportMemory(text_dim, config.memory_dim, pooled=config.pooled, grounding=config.grounding)
        self.reads_report = config.reads_report
        coarse = (config.attention_stages + 1) // 2 if config.hierarchical else 0
        self.stages = nn.ModuleList(
            StageAdapter(width, config, attention=index < config.attention_stages, coarse=index < coarse)
            for index, width in enumerate(channels)
        )
        supervised = range(coarse, min(config.attention_stages, len(channels)))
        self.alignment_stage = max(coarse, min(config.attention_stages, len(channels)) - 1)
        width = channels[self.alignment_stage]
        self.alignment = AlignmentHead(width, config.memory_dim) if alignment else None
        self.finest_reading_stride = self.strides[self.alignment_stage]
        self.attends_to_sentences = bool(supervised) and config.reads_report and not config.pooled

    def _shared(self, channels: Sequence[int], index: int, heads: int) -> nn.Module:
        stride = [coarse // fine for coarse, fine in zip(self.strides[index - 1], self.strides[index], strict=True)]
        below, width = channels[index - 1], channels[index]
        if index == len(channels) - 1:
            return SharedFinestStage(below, width, heads, stride)
        return SharedStage(below, width, stride)


class ReportGuidedUNet(nn.Module):
    """A planned U-Net that reads reports.

    Args:
        planned: the network nnU-Net planned, with its ``encoder`` and ``decoder``.
        text_dim: dimension of the sentence vectors.
        config: sizes of the adapters.
        alignment: whether to add the head of the alignment loss.

    Raises:
        ArchitectureError: ``planned`` has no U-Net encoder and decoder.
    """

    encoder: Any
    decoder: Any

    def __init__(self, planned: nn.Module, *, text_dim: int, config: AdapterConfig, alignment: bool = False) -> None:
        super().__init__()
        require_unet(planned)
        self.encoder = planned.encoder
        self.decoder = planned.decoder
        cumulative = _cumulative_strides(self.encoder.strides, self.encoder.output_channels)
        self.report_adapter = ReportAdapter(
            list(self.encoder.output_channels)[::-1],
            cumulative[::-1],
            text_dim,
            config,
            alignment=alignment,
            heads=self.decoder.seg_layers[-1].out_channels,
        )
        self.encoder_fingerprint: str | None = None
        self.collect_reading = False
        self.report: ReportTensors | None = None
        self.mirrored_report: ReportTensors | None = None
        self.negatives: ReportTensors | None = None
        self.frame: Tensor | None = None
        self.zoom: Tensor | None = None
        self.volume_frame: Frame | None = None

    def set_report(
        self,
        report: ReportTensors,
        *,
        mirrored: ReportTensors | None = None,
        negatives: ReportTensors | None = None,
        volume_frame: Frame | None = None,
        noise: float = 0.0,
    ) -> None:
        """Condition the following passes on these reports, until :meth:`clear_context`.

        Args:
            report: one report for each sample of the batch, or one for all; raw (not whitened) sentence vectors.
            mirrored: the same reports about the mirrored patients, for the predictor's flips along left-right.
            negatives: sentences that belong to no finding of their sample, for the alignment loss.
            volume_frame: frame of a whole volume that is about to be predicted; the predictor derives those of its
                tiles.
            noise: standard deviation of Gaussian noise on the whitened vectors, whose own is 1 on average; for
                training, so that sentences near the known ones are read alike.
        """
        self.report = self._whitened(report, noise)
        self.mirrored_report = None if mirrored is None else self._whitened(mirrored)
        self.negatives = None if negatives is None else self._whitened(negatives)
        self.volume_frame = volume_frame

    def _whitened(self, report: ReportTensors, noise: float = 0.0) -> ReportTensors:
        device = self.report_adapter.whitening.mean.device
        report = report.to(device)
        if not self.report_adapter.reads_report:
            report = report._replace(padding=torch.ones_like(report.padding))
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            vectors = self.report_adapter.whitening(report.vectors)
            if noise > 0:
                vectors = vectors + noise * torch.randn_like(vectors)
        return report._replace(vectors=vectors.masked_fill(report.padding.unsqueeze(-1), 0.0))

    def set_frame(self, frame: Tensor, zoom: Tensor | None = None) -> None:
        """Set where the patches lie in the patient.

        Args:
            frame: ``(B, 3, d + 1)``, see text_conditioning.position.
            zoom: ``(B,)`` logarithm of how much larger than in the image they show things, where augmentation changed
                that.
        """
        device = self.report_adapter.whitening.mean.device
        self.frame = frame.to(device, torch.float32)
        self.zoom = None if zoom is None else zoom.to(device, torch.float32)

    def clear_context(self) -> None:
        """Forget report and frame; the next pass without new ones raises."""
        self.report = None
        self.mirrored_report = None
        self.negatives = None
        self.frame = None
        self.zoom = None
        self.volume_frame = None

    def forward(self, x: Tensor) -> Output | tuple[Output, Reading]:
        """Segment patches.

        Args:
            x: ``(B, C, *patch)``.

        Returns:
            What the planned network returns: logits, or a list of them, finest first, with deep supervision. With
            ``collect_reading``, a pair of that and how the report was read.

        Raises:
            ReportContextError: report or frame was not set.
        """
        self._require_context()
        return self.decode(self.encode(x))

    def encode(self, x: Tensor) -> Features:
        """What is the same under all reports.

        Args:
            x: ``(B, C, *patch)``.

        Returns:
            What :meth:`decode` takes; stages that all reports share, and those below, as in UNetDecoder.forward.
        """
        skips = self.encoder(x)
        decoded: list[Tensor] = []
        if self.report_adapter.shared:
            features = skips[-1]
            for stage, up, skip in zip(self.decoder.stages, self.decoder.transpconvs, skips[-2::-1], strict=True):
                features = stage(torch.cat((up(features), skip), 1))
                decoded.append(features)
        return Features(skips, decoded[len(self.report_adapter.stages) - 1 :])

    def decode(self, encoded: Features) -> Output | tuple[Output, Reading]:
        """Segment patches whose encoder features are there; one patch may be read with several reports at once.

        Args:
            encoded: what :meth:`encode` returned for ``B`` patches; for one patch, ``B`` becomes the number of reports
                that were set.

        Returns:
            As :meth:`forward`.

        Raises:
            ReportContextError: report or frame was not set.
        """
        report, frame = self._require_context()
        adapter, skips = self.report_adapter, encoded.skips
        memory = adapter.memory(report)
        batch = max(skips[0].shape[0], memory.tokens.shape[0])
        if memory.tokens.shape[0] != batch:
            memory = memory.expand(batch)

        attention: list[Tensor] = []
        bottleneck = skips[-1].expand(batch, *skips[-1].shape[1:])
        features, weights = adapter.stages[0](bottleneck, memory, frame, adapter.strides[0], self.zoom)
        if weights is not None:
            attention.append(weights)
        embedded = self._embedded(0, features, memory)
        outputs = []
        decoder = self.decoder
        own, last = len(adapter.stages) - 1, len(decoder.stages) - 1
        for s in range(len(decoder.stages)):
            if s >= own:
                shared, head, weigh = encoded.decoded[s - own], decoder.seg_layers[s], adapter.shared[s - own]
                if s == last:
                    outputs.append(weigh(head(shared), shared, features))
                    break
                features = weigh(shared, features)
                if decoder.deep_supervision:
                    outputs.append(head(features))
                continue
            features = join(decoder.stages[s], decoder.transpconvs[s], features, skips[-(s + 2)])
            stage, stride = adapter.stages[s + 1], adapter.strides[s + 1]
            if s == last and stage.attention is None:
                outputs.append(stage.segment(features, memory, frame, stride, decoder.seg_layers[s]))
                break
            features, weights = stage(features, memory, frame, stride, self.zoom)
            if weights is not None:
                attention.append(weights)
            embedded = embedded or self._embedded(s + 1, features, memory)
            if decoder.deep_supervision or s == last:
                outputs.append(decoder.seg_layers[s](features))
        result = outputs[::-1] if decoder.deep_supervision else outputs[0]
        return (result, Reading(attention, embedded)) if self.collect_reading else result

    def _embedded(self, stage: int, features: Tensor, memory: Memory) -> Embedded | None:
        """What the alignment loss compares, at the one stage where it does."""
        adapter = self.report_adapter
        if stage != adapter.alignment_stage or not self.collect_reading:
            return None
        if adapter.alignment is None or self.negatives is None:
            return None
        negatives = adapter.memory(self.negatives).tokens[:, 1:]
        embedded: Embedded = adapter.alignment(features, memory.tokens[:, 1:], negatives, ~self.negatives.padding)
        return embedded

    def _require_context(self) -> tuple[ReportTensors, Tensor]:
        if self.report is None or self.frame is None:
            raise ReportContextError(
                "ReportGuidedUNet was called without a report. Set one with set_report() and set_frame() (a missing "
                "report is a report without sentences), or predict with ReportGuidedPredictor."
            )
        return self.report, self.frame


class PlannedBackbone(nn.Module):
    """The planned part of a report-guided network, with the planned network's state dict keys."""

    def __init__(self, network: ReportGuidedUNet) -> None:
        super().__init__()
        self.encoder = network.encoder
        self.decoder = network.decoder


def unwrap(network: nn.Module) -> nn.Module:
    """The network itself, without DistributedDataParallel and torch.compile around it."""
    if isinstance(network, DistributedDataParallel):
        network = network.module
    return network._orig_mod if isinstance(network, OptimizedModule) else network


def is_compiled(network: nn.Module) -> bool:
    """Whether torch.compile is around the network (inside DistributedDataParallel, as nnU-Net wraps them)."""
    return isinstance(network.module if isinstance(network, DistributedDataParallel) else network, OptimizedModule)


def _cumulative_strides(strides: Sequence[int | Sequence[int]], channels: Sequence[int]) -> list[list[int]]:
    """Patch voxels per voxel of each encoder stage, finest first."""
    dimensions = max((len(s) for s in strides if not isinstance(s, int)), default=3)
    total = [1] * dimensions
    result = []
    for stride, _ in zip(strides, channels, strict=True):
        step = [stride] * dimensions if isinstance(stride, int) else stride
        total = [t * s for t, s in zip(total, step, strict=True)]
        result.append(list(total))
    return result
