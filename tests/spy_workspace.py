"""A tiny dataset in which images and reports both tell which case they are, and images tell where each voxel lies.

Channel 0 of case k is constantly 100 * (k + 1); channels 1 to 3 are the patient coordinates (left, posterior,
superior). The sentences of case k have the unit vectors k and k + CASES as their embeddings, with a minus sign where
they are about the right side, as they are in the mirrored patient alone. A spy on the network can therefore check, in
every mode, that the report belongs to the image, mirrored as it is, and that the patient frame is right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from text_conditioning.bank import build_bank
from text_conditioning.denial import deny
from text_conditioning.laterality_swap import swap_laterality

DATASET = "Dataset777_Spy"
CASES = 6
DIM = 16
SHAPE = (10, 14, 18)  # z, y, x
DIRECTION = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
TRANSPOSE = [1, 0, 2]


class SpyEncoder:
    """Codes the number in the sentence as a unit vector, and the right side as its sign."""

    name = "spy"
    fingerprint = "5b1e5b1e5b1e5b1e"
    pooling = "mean"
    dim = DIM

    def encode(self, sentences):
        vectors = np.zeros((len(sentences), DIM), dtype=np.float16)
        for row, sentence in enumerate(sentences):
            vectors[row, int(re.search(r"\d+", sentence)[0])] = -1 if "right" in sentence else 1
        return vectors


def sentence(number: int) -> str:
    return f"Nodule number {number} is seen in the left lung."


def case_name(number: int) -> str:
    return f"case_{number:03d}"


def write_case(folder: Path, name: str, number: int, channels: int = 4) -> None:
    """The first channels of those described above."""
    coordinates = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n for n in SHAPE], indexing="ij"))
    z, y, x = coordinates
    all_values = [np.full(SHAPE, 100.0 * (number + 1)), 1 - x, 1 - y, z]  # both in-plane axes run against LPS
    for channel, values in enumerate(all_values[:channels]):
        image = sitk.GetImageFromArray(values.astype(np.float32))
        image.SetDirection(DIRECTION)
        sitk.WriteImage(image, str(folder / f"{name}_{channel:04d}.nii.gz"))


def plans(channels: int = 4) -> dict:
    configuration = {
        "data_identifier": "spyPlans_3d_fullres",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [8, 8, 8],
        "median_image_size_in_voxels": [14.0, 10.0, 18.0],
        "spacing": [1.0, 1.0, 1.0],
        "normalization_schemes": ["NoNormalization"] * channels,
        "use_mask_for_norm": [False] * channels,
        "batch_dice": False,
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "arch_kwargs": {
                "n_stages": 3,
                "features_per_stage": [4, 8, 8],
                "conv_op": "torch.nn.modules.conv.Conv3d",
                "kernel_sizes": [[3, 3, 3]] * 3,
                "strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2]],
                "n_conv_per_stage": [1, 1, 1],
                "n_conv_per_stage_decoder": [1, 1],
                "conv_bias": True,
                "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
                "norm_op_kwargs": {"eps": 1e-05, "affine": True},
                "dropout_op": None,
                "dropout_op_kwargs": None,
                "nonlin": "torch.nn.LeakyReLU",
                "nonlin_kwargs": {"inplace": True},
            },
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
    }
    for kind, is_seg, order in (("data", False, 3), ("seg", True, 1), ("probabilities", False, 1)):
        configuration[f"resampling_fn_{kind}"] = "resample_data_or_seg_to_shape"
        configuration[f"resampling_fn_{kind}_kwargs"] = {
            "is_seg": is_seg,
            "order": order,
            "order_z": 0,
            "force_separate_z": None,
        }
    planar = json.loads(json.dumps(configuration))
    planar |= {"data_identifier": "spyPlans_3d_fullres", "patch_size": [8, 8], "spacing": [1.0, 1.0]}
    planar["architecture"]["arch_kwargs"] |= {
        "conv_op": "torch.nn.modules.conv.Conv2d",
        "kernel_sizes": [[3, 3]] * 3,
        "strides": [[1, 1], [2, 2], [2, 2]],
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm2d",
    }
    return {
        "dataset_name": DATASET,
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [1.0, 1.0, 1.0],
        "original_median_shape_after_transp": [14, 10, 18],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": TRANSPOSE,
        "transpose_backward": [1, 0, 2],
        "configurations": {"3d_fullres": configuration, "2d": planar},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {str(c): {} for c in range(channels)},
    }


def bank_sentences(sentences: Iterable[str]) -> list[str]:
    """What the bank of a training holds: sentences of findings, their denials, and all about the other side."""
    said = [text for sentence in sentences for text in (sentence, deny(sentence)) if text is not None]
    return list(dict.fromkeys(said + [twin for text in said if (twin := swap_laterality(text)) is not None]))


def write_workspace(root: Path, channels: int = 4, *, ignore_label: int | None = None) -> None:
    """Raw, preprocessed and results folders; embedding bank included, encoder not needed."""
    raw, preprocessed = root / "raw" / DATASET, root / "preprocessed" / DATASET
    for folder in (raw / "imagesTr", raw / "labelsTr", raw / "imagesTs", preprocessed / "gt_segmentations"):
        folder.mkdir(parents=True)
    (root / "results").mkdir()
    data = preprocessed / "spyPlans_3d_fullres"
    data.mkdir()
    dataset_json = {
        "channel_names": dict(zip("0123"[:channels], ("id", "left", "posterior", "superior"), strict=False)),
        "labels": {"background": 0, "finding": [1, 2]} | ({} if ignore_label is None else {"ignore": ignore_label}),
        "regions_class_order": [1],
        "numTraining": CASES,
        "file_ending": ".nii.gz",
    }
    for folder in (raw, preprocessed):
        (folder / "dataset.json").write_text(json.dumps(dataset_json))
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans(channels)))
    (preprocessed / "dataset_fingerprint.json").write_text("{}")
    halves = [[case_name(k) for k in range(CASES) if k % 2 == part] for part in (0, 1)]
    splits = [{"train": halves[0], "val": halves[1]}, {"train": halves[1], "val": halves[0]}]
    (preprocessed / "splits_final.json").write_text(json.dumps(splits))
    manager = PlansManager(plans(channels))
    configuration = manager.get_configuration("3d_fullres")
    preprocessor = DefaultPreprocessor(verbose=False)
    for number in range(CASES):
        name = case_name(number)
        write_case(raw / "imagesTr", name, number, channels)
        label = np.zeros(SHAPE, dtype=np.uint8)
        label[3:6, 4:8, 5 : 8 + number] = 1
        label[7:9, 9:12, 9:14] = 2
        image = sitk.GetImageFromArray(label)
        image.SetDirection(DIRECTION)
        for folder in (raw / "labelsTr", preprocessed / "gt_segmentations"):
            sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
        preprocessor.run_case_save(
            str(data / name),
            [str(raw / "imagesTr" / f"{name}_{c:04d}.nii.gz") for c in range(channels)],
            str(raw / "labelsTr" / f"{name}.nii.gz"),
            manager,
            configuration,
            dataset_json,
        )
        write_case(raw / "imagesTs", name, number, channels)
    cases = {
        case_name(k): {
            "report": f"{sentence(k)} {sentence(k + CASES)}",
            "findings": [
                {"id": "a", "text": sentence(k), "label_values": [1]},
                {"id": "b", "text": sentence(k + CASES), "label_values": [2]},
            ],
        }
        for k in range(CASES)
    }
    sidecar = json.dumps({"reportseg_version": 1, "cases": cases})
    (raw / "reports.json").write_text(sidecar)
    (raw / "imagesTs" / "reports.json").write_text(sidecar)
    build_bank(preprocessed / "report_embeddings", SpyEncoder(), bank_sentences(sentence(k) for k in range(2 * CASES)))
