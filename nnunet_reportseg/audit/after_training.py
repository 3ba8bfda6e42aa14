"""A small audit at the end of a training, on the validation fold; ``audit.json`` goes into the fold's folder.

It works on preprocessed data and on a crop around each case's target, so that one or a few tiles are predicted for each
case. A finished training must not fail because of it: where the encoder for altered sentences is not to be had, only
conditions that need no new sentence remain, and where nothing can be audited the log says why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.files import AUDIT_JSON, to_json
from nnunet_reportseg.audit.fold_reader import FoldReader
from nnunet_reportseg.audit.run import run_audit
from nnunet_reportseg.dataset_json import DATASET_JSON, read_label_set
from nnunet_reportseg.errors import ModelMismatchError, ReportSegError
from nnunet_reportseg.network.report_guided_unet import unwrap
from nnunet_reportseg.version import __version__
from text_conditioning.errors import TextConditioningError

CONDITIONS = ("correct", "null", "shuffled", "laterality_swapped", "negated")
WITHOUT_NEW_SENTENCES = ("correct", "null", "shuffled")
MAX_CASES = 8


def audit_validation_fold(trainer: Any, *, max_cases: int = MAX_CASES) -> Path | None:
    """Audit the network of a trainer as it is now.

    Args:
        trainer: an initialised ReportGuidedTrainer, after training.
        max_cases: predict at most this many validation cases.

    Returns:
        The file written; None where nothing could be audited.
    """
    if trainer.local_rank != 0:
        return None
    if trainer.fold == "all" or trainer.is_cascaded:
        trainer.print_to_log_file("No audit: there are no validation cases that were not trained on, or a cascade.")
        return None
    base = Path(trainer.preprocessed_dataset_folder_base)
    _, names = trainer.do_split()
    cases = [AuditCase(name, name, (), base / name, trainer.reports.cases[name]) for name in names]
    labels = read_label_set(base / DATASET_JSON)
    facts = {
        "dataset": trainer.plans_manager.dataset_name,
        "split": f"fold_{trainer.fold}",
        "model": Path(trainer.output_folder_base).name,
        "epoch": trainer.current_epoch,
        "crops": True,
        "reportseg": __version__,
    }
    trainer.set_deep_supervision_enabled(False)
    network = unwrap(trainer.network)
    trained = network.training
    try:
        reader = FoldReader(trainer)
        try:
            audit = run_audit(cases, labels, reader, conditions=CONDITIONS, max_cases=max_cases, facts=facts)
        except ModelMismatchError as error:
            trainer.print_to_log_file(f"A smaller audit, without altered sentences: {error}")
            audit = run_audit(cases, labels, reader, conditions=WITHOUT_NEW_SENTENCES, max_cases=max_cases, facts=facts)
    except (ReportSegError, TextConditioningError, torch.OutOfMemoryError) as error:
        trainer.print_to_log_file(f"No audit: {error}")
        return None
    finally:
        network.train(trained)
        trainer.set_deep_supervision_enabled(trainer.enable_deep_supervision)
    file = Path(trainer.output_folder) / AUDIT_JSON
    write_text(file, to_json(audit))
    dice = [f"{n} {s.dice_original.value:.3f}" for n, s in audit.summaries.items() if s.dice_original is not None]
    trainer.print_to_log_file(f"Audit: {audit.verdict.verdict}; Dice: {', '.join(dice)}; reasons and more in {file}")
    return file
