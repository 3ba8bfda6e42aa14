"""A preprocessed dataset as nnU-Net reads it, with errors that name the case.

nnU-Net reads it in worker processes, where a damaged file shows as "background workers died".
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class

from nnunet_reportseg.errors import DatasetError


class PreprocessedCases:
    """The cases of one configuration, read-only."""

    def __init__(self, folder: Path) -> None:
        """Find the cases.

        Args:
            folder: ``nnUNet_preprocessed/DatasetXXX_Name/<data identifier of the configuration>``.

        Raises:
            DatasetError: there are none.
        """
        if not list(folder.glob("*.pkl")):
            found = sorted(file.parent.name for file in folder.parent.glob("*/*.pkl"))
            raise DatasetError.about(
                f"this configuration is not preprocessed; there is {', '.join(dict.fromkeys(found)) or 'none'}",
                file=folder,
                fix="run nnUNetv2_preprocess -d DATASET -c CONFIGURATION",
            )
        self.folder = folder
        try:
            self._dataset = infer_dataset_class(str(folder))(str(folder))
        except (AssertionError, KeyError) as error:
            others = sorted(
                file.name for file in folder.iterdir() if file.suffix not in (".pkl", ".b2nd", ".npz", ".npy")
            )
            raise DatasetError.about(
                "nnU-Net cannot tell the format of this folder, because it holds files of several kinds",
                file=folder,
                value=", ".join(others[:5]) or None,
                fix="remove what nnU-Net did not write, or preprocess again",
            ) from error

    @property
    def names(self) -> list[str]:
        """All cases, sorted."""
        return sorted(self._dataset.identifiers)

    def segmentation(self, case: str) -> Any:
        """The label map of a case, ``(1, D, H, W)``."""
        try:
            return self._dataset.load_case(case)[1][:]
        except (RuntimeError, OSError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise self._damaged(case, error) from error

    def properties(self, case: str) -> dict[str, Any]:
        """What nnU-Net's reader and preprocessor noted about a case."""
        try:
            properties: dict[str, Any] = self._dataset.load_case(case)[3]
        except (RuntimeError, OSError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise self._damaged(case, error) from error
        return properties

    def _damaged(self, case: str, error: Exception) -> DatasetError:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        return DatasetError.about(
            f"the preprocessed case cannot be read ({reason})",
            case=case,
            file=self.folder / f"{case}.*",
            fix="preprocess again; the disk may have been full",
        )
