"""nnUNetTrainer with reports: ``nnUNetv2_train 501 3d_fullres 0 -tr ReportGuidedTrainer``.

Everything that is not about reports is nnU-Net's own (nnunetv2 2.8, training/nnUNetTrainer/nnUNetTrainer.py). The
overridden methods prepare the reports, build the network with adapters, keep track of patient frames through
augmentation, and set the right report before nnU-Net's own train, validation and prediction steps run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.remove_label import RemoveLabelTansform
from nnunetv2.training.nnUNetTrainer import nnUNetTrainer as trainer_module
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
from torch import distributed as dist
from torch import nn, optim

from nnunet_reportseg.audit.after_training import audit_validation_fold
from nnunet_reportseg.checkpoints import read_checkpoint
from nnunet_reportseg.conditioning import (
    PLANS_KEY,
    SENTENCE_STEP,
    ReportConditioning,
    TrainingRecipe,
    training_settings,
)
from nnunet_reportseg.errors import ModelMismatchError
from nnunet_reportseg.frames import patient_frame
from nnunet_reportseg.geometry import PatientAxes, common_left_right_axis, patient_axes
from nnunet_reportseg.inference.redispatch import install_redispatch
from nnunet_reportseg.network.planned_unet import require_planned_unet
from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet, is_compiled, unwrap
from nnunet_reportseg.paths import PREPROCESSED, require_paths
from nnunet_reportseg.report_tensors import report_tensors
from nnunet_reportseg.report_twins import has_mirror_image, mirrored_tensors
from nnunet_reportseg.training.arguments import require_split
from nnunet_reportseg.training.batch_reports import BatchReports
from nnunet_reportseg.training.frame_tracking import FRAME, track_frames
from nnunet_reportseg.training.optimizers import PolynomialSchedule, make_optimizer
from nnunet_reportseg.training.paired_mirroring import MirrorPatient
from nnunet_reportseg.training.preprocessed import PreprocessedCases
from nnunet_reportseg.training.report_dataloader import ZOOM, ReportDataLoader
from nnunet_reportseg.training.report_loss import ReportLoss
from nnunet_reportseg.training.sampled_reports import MOST_DISTRACTORS, reading_target
from nnunet_reportseg.training.sub_reports import LABEL_MAP, SampleSubReport
from nnunet_reportseg.training_reports import TrainingReports, load_training_reports
from text_conditioning.stage_adapter import AdapterConfig

install_redispatch()

MAX_ROTATION = 30.0 / 360.0 * 2.0 * np.pi


class ReportGuidedTrainer(nnUNetTrainer):
    """Trains the planned network with report adapters.

    Class attributes are the defaults of a preset; a ``report_conditioning`` block in the plans overrides single fields.
    """

    adapter = AdapterConfig()
    recipe = TrainingRecipe()
    batch_reports: type[BatchReports] = BatchReports

    reports: TrainingReports
    conditioning: ReportConditioning
    _axes: dict[str, PatientAxes]
    _batch_reports: BatchReports
    dataset_class: Any

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008
    ) -> None:
        """Load the reports, and refuse what is wrong with them, before nnU-Net makes a results folder."""
        self._load_reports(PlansManager(plans), configuration, fold)
        super().__init__(plans, configuration, fold, dataset_json, device)

    # ------------------------------------------------------------------------------------------------ preparation

    def initialize(self) -> None:
        """Prepare the reports, then nnU-Net's own initialisation."""
        if not self.was_initialized:
            self._prepare_reports()
        super().initialize()
        training, _ = self.do_split()
        self._fit_whitening(training)
        self._batch_reports = self.batch_reports(
            self.reports, self.conditioning, training, compiled=is_compiled(self.network)
        )

    def _load_reports(self, plans: PlansManager, configuration: str, fold: int | str) -> None:
        (root,) = require_paths(PREPROCESSED)
        folder = root / plans.dataset_name
        file, planned = folder / f"{plans.plans_name}.json", plans.get_configuration(configuration)
        self._settings = training_settings(plans.plans, self.adapter, self.recipe, file=file)
        build = partial(nnUNetTrainer.build_network_architecture, plans, planned, 1, 2)
        require_planned_unet(build, name=planned.network_arch_class_name, file=file)
        self._preprocessed = PreprocessedCases(folder / planned.data_identifier)
        cases = self._preprocessed.names
        require_split(folder, fold, cases)
        distributed = dist.is_available() and dist.is_initialized()  # as nnUNetTrainer.__init__, which comes later
        if not distributed or dist.get_rank() == 0:
            segmentation = self._preprocessed.segmentation
            self.reports = load_training_reports(folder, cases, build=True, segmentation=segmentation)
        if distributed:
            dist.barrier()
            if dist.get_rank() != 0:
                self.reports = load_training_reports(folder, cases, build=False)
        self._axes = {
            case: patient_axes(self._preprocessed.properties(case), plans.transpose_forward) for case in cases
        }
        self._left_right = common_left_right_axis(self._axes, self._preprocessed.folder)

    def _prepare_reports(self) -> None:
        cases = list(self.reports.cases)
        axes = list(set(self._axes.values()))
        adapter, recipe = self._settings
        bank = self.reports.bank
        longest = self.reports.longest
        fillers = len(self.reports.filler_sentences(cases)) if recipe.distractors > 0 else 0
        room = longest + min(fillers, MOST_DISTRACTORS) + (self.reports.most_words if adapter.grounding else 0)
        self.conditioning = ReportConditioning(
            encoder=bank.encoder,
            pooling=bank.index.pooling,
            encoder_fingerprint=bank.fingerprint,
            text_dim=bank.dim,
            sentences=max(SENTENCE_STEP, -(-room // SENTENCE_STEP) * SENTENCE_STEP),
            adapter=adapter,
            recipe=recipe,
            left_right_axis=self._left_right,
            patient_axes=axes[0] if len(axes) == 1 else None,
            trained_with={
                "cases": len(cases),
                "cases_without_report": sum(not report.sentences for report in self.reports.cases.values()),
                "sentences": len(bank),
                "longest_report": longest,
                "findings": sum(len(report.findings) for report in self.reports.cases.values()),
            },
        )
        self.plans_manager.plans[PLANS_KEY] = self.conditioning.to_json()
        facts = {**self.conditioning.trained_with, "encoder": f"{bank.encoder} ({bank.fingerprint})"}
        self.print_to_log_file(f"Reports: {_listed(facts)}")
        self.print_to_log_file(f"Recipe: {_listed(asdict(self.conditioning.recipe))}")
        if not self.reports.have_findings:
            self.print_to_log_file(
                "No finding in reports.json has label values: no sub-reports and no attention supervision. The network "
                "may learn to ignore the report."
            )

    def _fit_whitening(self, training: Sequence[str]) -> None:
        if not self.conditioning.recipe.whitening:
            return
        sentences = {s.text for case in training for s in self.reports.cases[case].sentences}
        if sentences:
            vectors = torch.from_numpy(self.reports.bank.vectors(sorted(sentences)))
            self._network.report_adapter.whitening.fit(vectors)

    @property
    def _network(self) -> ReportGuidedUNet:
        network = unwrap(self.network)
        if not isinstance(network, ReportGuidedUNet):
            raise ModelMismatchError(f"{type(self).__name__} needs a ReportGuidedUNet, got {type(network).__name__}.")
        return network

    @staticmethod
    def build_network_architecture(
        plans_manager: PlansManager,
        configuration_manager: ConfigurationManager,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = True,
    ) -> nn.Module:
        """The planned network with adapters; the planned part is built first, so its initial weights are nnU-Net's."""
        conditioning = ReportConditioning.from_plans(plans_manager.plans)
        planned = nnUNetTrainer.build_network_architecture(
            plans_manager, configuration_manager, num_input_channels, num_output_channels, enable_deep_supervision
        )
        network = ReportGuidedUNet(
            planned, text_dim=conditioning.text_dim, config=conditioning.adapter, alignment=conditioning.aligns
        )
        network.encoder_fingerprint = conditioning.encoder_fingerprint
        return network

    def configure_optimizers(self) -> tuple[optim.Optimizer, PolynomialSchedule]:
        """AdamW for the adapters, nnU-Net's SGD for the backbone (or as the recipe says), stepped together."""
        sgd = partial(optim.SGD, lr=self.initial_lr, momentum=0.99, nesterov=True, weight_decay=self.weight_decay)
        optimizer = make_optimizer(self._network, self._network.report_adapter, self.conditioning.recipe, sgd)
        return optimizer, PolynomialSchedule(optimizer, self.num_epochs)

    def _build_loss(self) -> ReportLoss:
        if self.conditioning.recipe.batch_dice:
            # a copy of the plans' entry (PlansManager.get_configuration), so that plans.json keeps what was planned
            self.configuration_manager.configuration["batch_dice"] = True
        return ReportLoss(super()._build_loss(), self.conditioning.recipe)

    # ----------------------------------------------------------------------------------------------- augmentation

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, bool, Any, tuple[int, ...]]:  # noqa: N802
        """As nnU-Net, but rotation stays within 30 degrees and the left-right axis is never mirrored."""
        planned = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        rotation, dummy_2d, initial_patch_size, axes = planned
        rotation = (max(rotation[0], -MAX_ROTATION), min(rotation[1], MAX_ROTATION))
        left_right = self.conditioning.left_right_axis
        if left_right is None:
            axes = ()
            self.print_to_log_file("The images have no patient orientation, left and right are unknown: no mirroring.")
        else:
            patch_axis = left_right - (3 - len(self.configuration_manager.patch_size))
            axes = tuple(axis for axis in axes if axis != patch_axis)
            self.print_to_log_file(f"Patient left-right is array axis {left_right}; mirroring patch axes {axes}")
        self.inference_allowed_mirroring_axes = axes
        return rotation, dummy_2d, initial_patch_size, axes

    def get_training_transforms(self, *args: Any, **kwargs: Any) -> BasicTransform:  # type: ignore[override]
        """nnU-Net's pipeline with tracked frames, sub-reports and mirrored patients."""
        pipeline = nnUNetTrainer.get_training_transforms(*args, **kwargs)
        return _with_reports(pipeline, self._sampling(training=True), self._mirror_patient(training=True))

    def get_validation_transforms(self, *args: Any, **kwargs: Any) -> BasicTransform:  # type: ignore[override]
        """nnU-Net's pipeline with tracked frames and whole reports."""
        pipeline = nnUNetTrainer.get_validation_transforms(*args, **kwargs)
        return _with_reports(pipeline, self._sampling(training=False), self._mirror_patient(training=False))

    def _sampling(self, *, training: bool) -> BasicTransform:
        """What chooses the report of a sample, and its target."""
        recipe = self.conditioning.recipe
        if not training:
            return SampleSubReport(report_dropout=0.0, sub_report=0.0)
        return SampleSubReport(report_dropout=recipe.report_dropout, sub_report=recipe.sub_report)

    def _mirror_patient(self, *, training: bool) -> MirrorPatient:
        left_right = self.conditioning.left_right_axis
        if left_right is None or not training:
            return MirrorPatient(probability=0.0, patch_axis=-1)
        patch_axis = left_right - (3 - len(self.configuration_manager.patch_size))
        return MirrorPatient(probability=self.conditioning.recipe.paired_mirroring, patch_axis=patch_axis)

    def get_dataloaders(self) -> tuple[Any, Any]:
        """nnU-Net's own, with ReportDataLoader in the place of nnUNetDataLoader."""
        reports = self.reports.cases
        values = {case: tuple(finding.label_values for finding in report.findings) for case, report in reports.items()}
        exhaustive = {
            case: tuple(finding.exhaustive for finding in report.findings) for case, report in reports.items()
        }
        groups = {case: report.finding_groups() for case, report in reports.items()}
        loader = partial(
            ReportDataLoader,
            patient_axes=self._axes,
            finding_values=values,
            finding_groups=groups,
            exhaustive=exhaustive,
            balanced=self.conditioning.recipe.balanced,
            have_twins=frozenset(case for case, report in reports.items() if has_mirror_image(report)),
        )
        with _replaced(trainer_module, "nnUNetDataLoader", loader):
            return super().get_dataloaders()

    # ---------------------------------------------------------------------------------------------------- steps

    def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """nnU-Net's step with the batch's reports."""
        with self._conditioned_on(batch, supervise=True):
            return super().train_step(batch)

    def validation_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """nnU-Net's step with the batch's reports."""
        with self._conditioned_on(batch, supervise=False):
            return super().validation_step(batch)

    def on_train_epoch_end(self, train_outputs: list[dict[str, Any]]) -> None:
        """Also log the losses that supervise the reading."""
        super().on_train_epoch_end(train_outputs)
        for name, mean in self.loss.means().items():
            self.print_to_log_file(f"{name}_loss {mean:.4f}")

    @property
    def _supervises(self) -> bool:
        """Whether there is anything to supervise the reading with."""
        attends = self._network.report_adapter.attends_to_sentences and self.conditioning.recipe.attention_weight > 0
        return self.reports.have_findings and (attends or self.conditioning.aligns)

    @contextmanager
    def _conditioned_on(self, batch: Mapping[str, Any], *, supervise: bool) -> Iterator[None]:
        reports = self._batch_reports.sample(batch, vary=supervise)
        tensors = self._batch_reports.tensors(reports, vary=supervise)
        network = self._network
        recipe = self.conditioning.recipe
        noise = recipe.text_noise if supervise and recipe.whitening else 0.0
        supervise = supervise and self._supervises
        negatives = self._batch_reports.negatives(reports) if supervise and self.conditioning.aligns else None
        network.set_report(tensors, negatives=negatives, noise=noise)
        network.set_frame(batch[FRAME], batch[ZOOM])
        if supervise:
            label_map = batch[LABEL_MAP].to(self.device, non_blocking=True)
            stride = network.report_adapter.finest_reading_stride
            self.loss.target = reading_target(label_map, reports, tensors.padding.shape[1], stride)
            network.collect_reading = True
        try:
            yield
        finally:
            network.clear_context()
            network.collect_reading = False
            self.loss.target = None

    # ------------------------------------------------------------------------------------- checkpoints, validation

    def load_checkpoint(self, filename_or_checkpoint: dict[str, Any] | str) -> None:
        """As nnU-Net, after checking that the checkpoint was trained with the encoder at hand."""
        if not self.was_initialized:
            self.initialize()
        checkpoint = filename_or_checkpoint
        if isinstance(checkpoint, str):
            checkpoint = read_checkpoint(Path(checkpoint))
        trained = ReportConditioning.from_plans(checkpoint["init_args"]["plans"])
        if trained.encoder_fingerprint != self.conditioning.encoder_fingerprint:
            raise ModelMismatchError.about(
                f"the checkpoint was trained with encoder '{trained.encoder}' (fingerprint "
                f"{trained.encoder_fingerprint}), the dataset's embedding bank is of '{self.conditioning.encoder}'",
                file=self.output_folder,
                value=self.conditioning.encoder_fingerprint,
                fix=f"reportseg embed -d {self.plans_manager.dataset_name} -e {trained.encoder}; export "
                f"REPORTSEG_ENCODER={trained.encoder}",
            )
        super().load_checkpoint(filename_or_checkpoint)

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """nnU-Net's own, each case with its report, then a small audit of whether the network follows its reports.

        The dataset announces the case that it loads:
        nnUNetTrainer.perform_actual_validation predicts directly after dataset.load_case(case).
        """
        trainer = self
        base: Any = self.dataset_class

        class AnnouncingDataset(base):  # type: ignore[misc, valid-type]
            """Sets the report of the case that is loaded."""

            def load_case(self, identifier: str) -> Any:
                loaded = super().load_case(identifier)
                trainer._announce(identifier, loaded[0].shape[1:])
                return loaded

        self.dataset_class = AnnouncingDataset
        try:
            super().perform_actual_validation(save_probabilities)
        finally:
            self.dataset_class = base
            self._network.clear_context()
        audit_validation_fold(self)

    def _announce(self, case: str, shape: Sequence[int]) -> None:
        reports, bank = [self.reports.cases[case]], self.reports.bank
        length = self.conditioning.padded_to(compiled=is_compiled(self.network))
        mirrored = mirrored_tensors(reports, bank, length=length) if self.conditioning.mirrors_patients else None
        axes = self._axes[case]
        self._network.set_report(
            report_tensors(reports, bank, length=length),
            mirrored=mirrored,
            volume_frame=patient_frame(shape, axes.axes, axes.signs),
        )


def _listed(values: Mapping[str, Any]) -> str:
    """Names and values for the log."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())


def _with_reports(pipeline: ComposeTransforms, *sampling: BasicTransform) -> ComposeTransforms:
    """nnU-Net's pipeline with tracked frames; the report is chosen after padding became background."""
    transforms = track_frames(pipeline.transforms)
    index = next(i for i, t in enumerate(transforms) if isinstance(t, RemoveLabelTansform))
    return ComposeTransforms([*transforms[: index + 1], *sampling, *transforms[index + 1 :]])


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """Replace a module's name while nnU-Net's own method uses it."""
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)
