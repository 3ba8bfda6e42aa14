"""One mask for each finding: ``nnUNetv2_train 501 3d_fullres 0 -tr ReportGroundingTrainer``.

Each sample asks for one finding: its words are the question, its report the context, its voxels the target. The
dataset is an ordinary region-based one, whose label values tell findings apart and whose region merges them; plain
nnUNetTrainer trains on it as the blind baseline. With nnU-Net's ignore label, unlabelled further instances of a finding
that is not exhaustive count neither way (nnunet_reportseg.training.known_voxels); for the baseline they are background.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.conditioning import PLANS_KEY, TrainingRecipe
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.training.asked_findings import AbsentFindings, asked_report
from nnunet_reportseg.training.batch_reports import BatchReports
from nnunet_reportseg.training.findings_validation import validate_findings
from nnunet_reportseg.training.known_voxels import margin_in_voxels
from nnunet_reportseg.training.report_guided_trainer import ReportGuidedTrainer
from nnunet_reportseg.training.sample_finding import SampleFinding
from nnunet_reportseg.training.smallest_component import smallest_component_mm3
from text_conditioning.stage_adapter import AdapterConfig


class AskedReports(BatchReports):
    """Reports of training batches, each with the words of one finding that is asked for."""

    def sample(self, batch: Mapping[str, Any], *, vary: bool) -> list[CaseReport]:
        """What each sample asks for, as the augmentation workers decided; ``vary`` lets context come and go."""
        return [
            asked_report(report, **decision, sampling=self.sampling(vary=vary), absent=self._absent)
            for report, decision in self.decided(batch)
        ]

    @property
    def _absent(self) -> AbsentFindings:
        return AbsentFindings(self.finding_words)


class ReportGroundingTrainer(ReportGuidedTrainer):
    """Trains the planned network with report adapters to segment the one finding that is asked for."""

    adapter = AdapterConfig(grounding=True, shared_stages=2)
    # a question without its context is still a question, so no second task wants half of the samples; its figures
    # (docs/results/grounding.md) are of fillers as they are written
    recipe = TrainingRecipe(report_dropout=0.2, invented_fillers=0.0)
    batch_reports = AskedReports

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008
    ) -> None:
        """As ReportGuidedTrainer, for a dataset whose findings have label values and one region.

        Raises:
            DatasetError: the label has several regions or classes, or no finding has label values.
        """
        super().__init__(plans, configuration, fold, dataset_json, device)
        if self.is_cascaded:
            raise DatasetError.about(
                f"{type(self).__name__} does not train a cascade's second stage",
                value=configuration,
                fix="train a configuration without previous stage, such as 3d_fullres",
            )
        heads = self.label_manager.num_segmentation_heads - (0 if self.label_manager.has_regions else 1)
        if heads != 1:
            raise DatasetError.about(
                f"{type(self).__name__} needs labels with one region that merges all findings",
                file="dataset.json",
                value=dataset_json["labels"],
                fix='write {"background": 0, "finding": [1, 2, ...]} and "regions_class_order": [1], and plan again',
            )
        if not self.reports.have_findings:
            raise DatasetError.about(
                "no finding in reports.json has label values, so there is nothing to ask for",
                file="reports.json",
                fix="name the voxel values of every finding in label_values",
            )

    def initialize(self) -> None:
        """As ReportGuidedTrainer; also notes how small a finding can be and what becomes of unlabelled instances."""
        super().initialize()
        self._note_smallest_component()  # in every process: each writes plans.json (nnUNetTrainer.on_train_start)
        partly = sum(not finding.exhaustive for report in self.reports.cases.values() for finding in report.findings)
        if partly:
            ignored = self.label_manager.has_ignore_label
            fate = "ignored" if ignored else "background, because dataset.json has no label 'ignore'"
            self.print_to_log_file(f"{partly} findings are not exhaustive: their unlabelled instances are {fate}.")

    def _note_smallest_component(self) -> None:
        training, _ = self.do_split()
        reports = {case: self.reports.cases[case] for case in training}
        smallest = smallest_component_mm3(
            self._preprocessed,
            {case: [finding.label_values for finding in report.findings] for case, report in reports.items()},
            self.configuration_manager.spacing,
            self.plans_manager.transpose_forward,
        )
        self.conditioning = replace(self.conditioning, smallest_component_mm3=smallest)
        self.plans_manager.plans[PLANS_KEY] = self.conditioning.to_json()
        if smallest is not None:
            self.print_to_log_file(f"The smallest component of a finding has {smallest / 1000:.3g} ml.")

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Every finding of the validation cases for itself; there is no map of probabilities to save."""
        validate_findings(self)

    def _sampling(self, *, training: bool) -> BasicTransform:
        recipe = self.conditioning.recipe
        return SampleFinding(
            absent=recipe.absent,
            another=recipe.another,
            without_report=recipe.report_dropout if training else 0.0,
            ignore_label=self.label_manager.ignore_label,
            margin=margin_in_voxels(self.configuration_manager.spacing),
        )
