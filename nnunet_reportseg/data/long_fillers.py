"""Sentences for long reports: varied, plausible, and about anything but the findings of the benchmarks.

None names a side, a level, a nodule or the size of one, so that the target of a report stays what it was. No sentence
is used twice in a report, and neither split's short fillers contain one of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

LEAST_TOKENS = 600

PARAMETERS: Mapping[str, Sequence[str]] = {
    "degree": ("mild", "minimal", "slight", "moderate", "discrete", "mild to moderate"),
    "aorta": ("29 mm", "31 mm", "32 mm", "33 mm", "34 mm", "35 mm"),
    "trunk": ("23 mm", "24 mm", "25 mm", "26 mm", "27 mm"),
    "node": ("4 mm", "5 mm", "6 mm", "7 mm"),
    "slice": ("1 mm", "1.25 mm", "2 mm", "3 mm", "5 mm"),
    "kv": ("100 kV", "110 kV", "120 kV", "130 kV"),
    "delay": ("45 seconds", "55 seconds", "60 seconds", "70 seconds"),
    "volume": ("70 ml", "80 ml", "90 ml", "100 ml"),
    "vertebra": ("T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12"),
    "quality": ("good", "diagnostic", "sufficient", "adequate"),
    "normal": ("unremarkable", "of normal appearance", "within normal limits", "inconspicuous"),
}

TEMPLATES: tuple[str, ...] = (
    "The examination was performed in a single breath hold with a slice thickness of {slice}.",
    "Images were acquired at {kv} with automatic modulation of the tube current.",
    "A volume of {volume} of iodinated contrast was given, followed by a saline flush.",
    "Image acquisition began {delay} after the start of the injection.",
    "Multiplanar reconstructions in coronal and sagittal planes were reviewed together with the axial images.",
    "Maximum intensity projections were available for the assessment of the vessels.",
    "Image quality is {quality}, with {degree} motion artefacts near the diaphragm.",
    "Beam hardening at the level of the shoulders is {degree} and does not limit the assessment.",
    "The patient tolerated the examination well.",
    "The field of view covers the chest from the thoracic inlet to the adrenal glands.",
    "The thyroid gland is homogeneous and {normal}.",
    "The soft tissues of the neck, as far as they are included, are {normal}.",
    "The trachea is straight, and its wall is thin and smooth.",
    "The main bronchi and the segmental bronchi are open as far as the periphery.",
    "There is {degree} thickening of the bronchial walls, as is common in smokers.",
    "Secretions in the airways are not found.",
    "The oesophagus is collapsed over most of its length and {normal}.",
    "A small sliding hiatal hernia is present.",
    "The ascending aorta measures {aorta} at the level of the pulmonary trunk.",
    "The pulmonary trunk has a width of {trunk}.",
    "The aortic arch gives off its three branches in the usual order.",
    "There is {degree} calcification of the aortic arch.",
    "The descending aorta follows a {degree} elongated course.",
    "The coronary arteries show {degree} calcified plaques.",
    "Filling of the pulmonary arteries is homogeneous down to the segmental level.",
    "The superior vena cava is of normal width and drains freely.",
    "The azygos vein is slender.",
    "The cardiac chambers have a normal size for the patient's age.",
    "The pericardium is thin and smooth.",
    "There is {degree} epicardial fat.",
    "The interventricular septum is of regular thickness.",
    "Mitral annulus and aortic valve show {degree} calcification.",
    "Mediastinal lymph nodes have a short axis of up to {node} and a preserved fatty hilum.",
    "Axillary lymph nodes are oval and {normal}.",
    "Hilar lymph nodes are not enlarged by size criteria.",
    "The thymic bed contains fatty tissue only.",
    "The mediastinal fat is evenly attenuating.",
    "The pleura is smooth on all images.",
    "Pleural thickening or calcified plaques are not seen.",
    "The fissures are thin and complete.",
    "The diaphragm is smoothly outlined and in a normal position.",
    "The costophrenic angles are sharp.",
    "Dependent attenuation of the posterior parenchyma is {degree} and positional.",
    "There is {degree} centrilobular emphysema.",
    "The interstitium is delicate, without reticulation or honeycombing.",
    "Ground glass changes or consolidation are not present.",
    "The pulmonary vessels taper regularly towards the periphery.",
    "Mosaic attenuation is {degree} and without clinical relevance.",
    "The ribs are intact and regularly mineralised.",
    "The sternum shows no step and no fracture line.",
    "There are {degree} degenerative changes at {vertebra}, with small osteophytes.",
    "A Schmorl node is found in the end plate of {vertebra}.",
    "The height of the vertebral body {vertebra} is preserved.",
    "The thoracic kyphosis is {degree} accentuated.",
    "A small haemangioma is suspected in the vertebra {vertebra}.",
    "The spinal canal is sufficiently wide at all levels.",
    "The clavicles and scapulae are {normal}.",
    "The shoulder joints show {degree} osteoarthritis.",
    "The muscles of the chest wall are symmetric and {normal}.",
    "The breast tissue is predominantly fatty.",
    "The skin and subcutaneous tissues are {normal}.",
    "The liver is homogeneous on the images that include it.",
    "There is {degree} hepatic steatosis.",
    "The gallbladder contains no radiopaque calculi.",
    "The intrahepatic bile ducts are slender.",
    "The spleen is homogeneous and normal in length.",
    "The pancreas shows {degree} lipomatosis, which is in keeping with age.",
    "The adrenal glands are slender.",
    "The kidneys, as far as included, are without hydronephrosis.",
    "The stomach is filled with {degree} residues of food.",
    "Free fluid or free air in the abdomen is not detected.",
    "The abdominal aorta shows {degree} wall calcification.",
    "Retroperitoneal lymph nodes are not enlarged on the included images.",
    "A venous port or other catheters are not in place.",
    "There are no surgical clips.",
    "An incidental accessory spleen is noted.",
    "The fat of the anterior abdominal wall is {normal}.",
    "The chest is of normal configuration and symmetric.",
    "The examination is compared with the outside radiographs that the patient provided.",
    "Clinical details were taken from the electronic request form.",
    "Inspiration was {quality}, as judged from the position of the diaphragm.",
    "The thoracic duct is not delineated.",
    "The internal mammary vessels are {normal}.",
    "The subclavian vessels are {normal}.",
    "The bronchial arteries are not dilated.",
    "The aortic root measures {aorta} in the sagittal reconstruction.",
    "Costal cartilages show {degree} calcification, corresponding to age.",
    "The window settings for lung, soft tissue and bone were all reviewed.",
    "Dose and protocol are documented in the archive of the department.",
    "The images were read by two physicians in consensus.",
)


def count_tokens(text: str) -> int:
    """Words, numbers and punctuation marks: no subword tokenizer of an encoder gives fewer."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def draw_long_filler(rng: np.random.Generator) -> tuple[str, ...]:
    """Different sentences, at least 600 tokens together, in random order."""
    sentences: list[str] = []
    tokens = 0
    for index in rng.permutation(len(TEMPLATES)):
        words = {name: options[int(rng.integers(len(options)))] for name, options in PARAMETERS.items()}
        sentences.append(TEMPLATES[index].format(**words))
        tokens += count_tokens(sentences[-1])
        if tokens >= LEAST_TOKENS:
            break
    return tuple(sentences)
