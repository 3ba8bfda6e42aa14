"""What phantom reports say. Training and test share no template, denial or filler; only the site phrases are common.

No positive template hedges ("likely", "suspicious for"), so that the assertion state of every sentence is certain.
"""

from __future__ import annotations

from nnunet_reportseg.data.report_writer import Wording
from nnunet_reportseg.data.training_fillers import TRAINING_FILLERS

TRAINING_WORDING = Wording(
    positives=(
        "There is a nodule in the {site}.",
        "A solid nodule is seen in the {site}.",
        "Nodule in the {site}.",
        "The {site} contains a well-defined nodule.",
        "A round lesion is present in the {site}.",
        "CT shows a soft tissue nodule in the {site}.",
        "In the {site}, a rounded mass is visible.",
        "Solid lesion within the {site}.",
        "Rounded density noted in the {site}.",
        "A well-circumscribed mass lies in the {site}.",
        "The {site} shows a focal soft tissue lesion.",
        "Focal opacity in the {site}.",
        "We note a solid mass in the {site}.",
        "A smooth-bordered nodule occupies the {site}.",
    ),
    denials=(
        "No nodule in the {site}.",
        "There is no lesion in the {site}.",
        "No mass is seen in the {site}.",
        "The {site} shows no focal lesion.",
        "No evidence of a nodule in the {site}.",
        "The {site} is free of nodules.",
    ),
    fillers=TRAINING_FILLERS,
)

TEST_WORDING = Wording(
    positives=(
        "A spherical nodule is identified in the {site}.",
        "Within the {site} there is a solid mass.",
        "Imaging demonstrates a lesion in the {site}.",
        "Pulmonary nodule located in the {site}.",
        "The {site} harbours a dense round nodule.",
        "A compact mass is found in the {site}.",
        "One solid nodule can be seen in the {site}.",
        "Soft tissue nodule, {site}.",
    ),
    denials=(
        "No lesion is identified in the {site}.",
        "The {site} contains no nodule.",
        "There is no evidence of a mass in the {site}.",
        "No focal density within the {site}.",
    ),
    fillers=(
        "The cardiac silhouette is not enlarged.",
        "The pleural spaces are dry.",
        "No fluid around the heart.",
        "The bony structures are intact.",
        "The central airways are patent.",
        "No hilar adenopathy.",
        "The great vessels are of normal size.",
        "The soft tissues of the thorax are normal.",
    ),
)
