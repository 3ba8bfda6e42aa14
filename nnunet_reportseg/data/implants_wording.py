"""What implant reports say: size, texture and margin of the table, and the site where the nodule was put.

Training and test share no template, denial or filler. Denials speak of nodules only, since a real CT may show other
disease. No sentence ends on a unit: "12 mm. Nodule" is hard to tell from an abbreviation. Fillers are distractors:
nobody checked them against the CT.
"""

from __future__ import annotations

from nnunet_reportseg.data import phantom_wording
from nnunet_reportseg.data.report_writer import Wording

TRAINING_WORDING = Wording(
    positives=(
        "{size} {texture} nodule in the {site}.",
        "{texture} nodule measuring {size} with {margin} margins in the {site}.",
        "There is a nodule of {size} in the {site}.",
        "The {site} contains a nodule with {margin} margins.",
        "Nodule of {size} in the {site}, {texture}.",
        "In the {site}, a nodule measuring {size} is seen.",
        "A nodule with a diameter of {size} and {margin} margins is present in the {site}.",
        "The {site} shows a nodule of {size} in diameter.",
        "{margin} {texture} nodule of the {site}.",
        "CT shows one nodule of {size} in the {site}.",
        "We see a nodule in the {site} with {margin} margins.",
        "Lung nodule in the {site} ({size}, {texture}).",
        "Nodule of {size} within the {site}, {margin}.",
    ),
    denials=(
        "No nodule in the {site}.",
        "There is no nodule in the {site}.",
        "No nodule is seen in the {site}.",
        "The {site} shows no nodule.",
        "No evidence of a nodule in the {site}.",
        "The {site} is free of nodules.",
    ),
    fillers=phantom_wording.TRAINING_WORDING.fillers,
)

TEST_WORDING = Wording(
    positives=(
        "Pulmonary nodule of {size} located in the {site}.",
        "A focal lesion measuring {size} occupies the {site}.",
        "The {site} harbours a nodule, {texture} and {margin} in outline.",
        "Imaging demonstrates a nodule in the {site}, {size} in diameter.",
        "Identified in the {site} is a nodule with {margin} edges.",
        "{texture} lesion of {size} in the {site}.",
        "One nodule, {size} across, is found in the {site}.",
    ),
    denials=(
        "No nodule is identified in the {site}.",
        "The {site} contains no nodule.",
        "There is no evidence of a nodule in the {site}.",
        "No pulmonary nodule within the {site}.",
    ),
    fillers=phantom_wording.TEST_WORDING.fillers,
)
