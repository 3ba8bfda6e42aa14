"""What a converter says about a dataset and its cases; `nnunet_reportseg.convert.dataset` writes them.

A converter reads tables and names of files at once, so that what is missing is named before anything is written, and
leaves voxels to the function of each case, which is called when its turn comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nnunet_reportseg.sidecar import CaseEntry

Split = Literal["Tr", "Ts"]


@dataclass(frozen=True)
class CaseTarget:
    """Where the files of one case go.

    Attributes:
        folder: An empty folder for this case alone.
        ending: The ending of images and labels, for example ``.nii.gz``.
        copy: Whether files that stay as they are are copied; otherwise they are linked.
    """

    folder: Path
    ending: str
    copy: bool

    def image(self, channel: int = 0) -> Path:
        """The file of an image channel."""
        return self.folder / f"image_{channel:04d}{self.ending}"

    @property
    def label(self) -> Path:
        """The label file."""
        return self.folder / f"label{self.ending}"


@dataclass(frozen=True)
class Converted:
    """What is known of a case after its files were written.

    Attributes:
        entry: Its entry in the sidecar.
        values: Values of the foreground in its label file.
        notes: What was changed on the way, such as a format; empty where files stay as they were.
    """

    entry: CaseEntry
    values: frozenset[int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceCase:
    """One case before its conversion.

    Attributes:
        case_id: Its name in the dataset.
        inputs: Files and folders that it is made of; when one changes, the case is converted again.
        entry: Its entry in the sidecar as far as it is known before voxels are read.
        convert: Writes image and label; raises `ReportSegError` with the case's name.
        split: ``Tr`` for training, ``Ts`` for cases that are held out.
        facts: What else the source says about the case; goes to ``conversion.json``.
    """

    case_id: str
    inputs: tuple[Path, ...]
    entry: CaseEntry
    convert: Callable[[CaseTarget], Converted]
    split: Split = "Tr"
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceDataset:
    """A dataset before its conversion.

    Attributes:
        converter: Name of the converter.
        cases: Its cases.
        file_ending: Ending of images and labels in the nnU-Net dataset.
        description: What the images, labels and reports are; says it where reports are templated or made from masks.
        reference: Where the dataset comes from.
        licence: Its licence, as its source states it.
        channels: Names of the image channels; nnU-Net normalises ``CT`` by its own rule.
        labels: Values of each label or region; ``None`` makes one region ``finding`` of all values.
        ignore_label: Whether nnU-Net's ignore label is declared too, for findings that are not exhaustive; only where
            ``labels`` is ``None``.
    """

    converter: str
    cases: Sequence[SourceCase]
    file_ending: str
    description: str
    reference: str
    licence: str
    channels: tuple[str, ...] = ("CT",)
    labels: Mapping[str, tuple[int, ...]] | None = None
    ignore_label: bool = False
