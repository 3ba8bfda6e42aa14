"""Images with lesions at four sites, reports about them, and handmade networks that read them in their own ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnunet_reportseg.audit.cases import AuditCase, KnownLesions, Lesion
from nnunet_reportseg.audit.voxels import CaseVoxels
from nnunet_reportseg.case_reports import CaseReport, read_case_report
from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.sidecar import Sidecar
from text_conditioning.assertion import Assertion

LABELS = LabelSet({"finding": (1, 2, 3, 4)}, None, ".nii.gz", "SimpleITKIO")
SITES = (("left", "upper"), ("left", "lower"), ("right", "upper"), ("right", "lower"))


def lesion_map(sites):
    """A row of four places of three voxels; lesion n stands at the place of its site."""
    voxels = np.zeros((1, 4, 5), np.int64)
    for value, site in enumerate(sites, start=1):
        voxels[0, SITES.index(site), 1:4] = value
    return voxels


def text_of(side, level):
    return f"Heart size is normal. There is a nodule in the {side} {level} lobe. No pleural effusion."


def report(case_id, text, findings=()):
    entry = {"report": text, "findings": list(findings)}
    return read_case_report(Sidecar.from_cases({case_id: entry}), case_id)


class World:
    """Cases with their voxels: paired test cases, or cases whose findings have label values."""

    def __init__(self):
        self.cases: list[AuditCase] = []
        self.of_case: dict[str, CaseVoxels] = {}
        self.places: dict[str, dict[tuple[str, str], np.ndarray]] = {}

    def add(self, case, label, lesions, sites):
        self.cases.append(case)
        self.of_case[case.case_id] = CaseVoxels(label, lesions, 0.5)
        everything = lesion_map(sites)
        self.places[case.case_id] = {site: everything == n for n, site in enumerate(sites, start=1)}


def paired_world(images=6, per_image=3):
    """A generated test split: each image once for each of its lesions."""
    world = World()
    for image in range(images):
        sites = [SITES[(image + n) % 4] for n in range(per_image)]
        lesions = lesion_map(sites)
        known = tuple(Lesion(n, {"side": s, "level": v}) for n, (s, v) in enumerate(sites, start=1))
        for value, (side, level) in enumerate(sites, start=1):
            name = f"image_{image}_r{value}"
            finding = {"id": "1", "text": f"There is a nodule in the {side} {level} lobe.", "label_values": [1]}
            case = AuditCase(
                name,
                f"image_{image}",
                (),
                None,
                report(name, text_of(side, level), [finding]),
                KnownLesions(None, value, known, ("side", "level")),
                f"image_{image}_r{value % per_image + 1}" if per_image > 1 else None,
            )
            world.add(case, (lesions == value).astype(np.int64), lesions, sites)
    return world


def findings_world(images=6, findings=2, *, linked=True):
    """Ordinary cases: every lesion is described and has its own label value, or, not linked, no label value."""
    world = World()
    for image in range(images):
        sites = [SITES[(image + n) % 4] for n in range(findings)]
        name = f"case_{image}"
        sentences = [f"There is a nodule in the {side} {level} lobe." for side, level in sites]
        entries = [{"id": str(n), "text": t, "label_values": [n]} for n, t in enumerate(sentences, start=1)]
        told = report(name, " ".join(["Heart size is normal.", *sentences]), entries if linked else ())
        world.add(AuditCase(name, name, (), None, told), lesion_map(sites), None, sites)
    return world


def places_said(told: CaseReport):
    """Sites that the report says to hold something."""
    found = set()
    for sentence in told.sentences:
        words = sentence.text.lower()
        if sentence.assertion is Assertion.PRESENT:
            found |= {site for site in SITES if all(word in words for word in site) and ("lobe" in words)}
    return found


class Network:
    """A Reader with a rule instead of weights: which of the image's places it marks under a report."""

    def __init__(self, world: World, rule):
        self.world, self.rule = world, rule
        self.prepared: dict[str, CaseReport] = {}

    def prepare(self, cases, reports):
        self.prepared = dict(reports)

    def voxels(self, case, labels):
        return self.world.of_case[case.case_id]

    def read(self, case, altered):
        places = self.world.places[case.case_id]
        result = []
        for made in altered:
            mask = np.zeros((1, 4, 5), np.int64)
            if not made.blank:
                for site in self.rule(made.report, list(places)):
                    if site in places:
                        mask[places[site]] = 1
            result.append(mask)
        return result


def follows(told, places):
    return places_said(told) if told.sentences else places


def ignores(told, places):
    return places


def finds_nothing(told, places):
    return []


def first_place(told, places):
    return places[:1]


def reads_presence(told, places):
    return places if places_said(told) or not told.sentences else []


def reads_templates(told, places):
    """Follows the very sentence of the dataset, and nothing else."""
    known = [s for s in told.sentences if s.text.startswith("There is a nodule in the ")]
    return places_said(replace(told, sentences=tuple(known), findings=()))


def breaks_down(own):
    """Segments all that is described where every described place has a lesion, else everything but."""

    def rule(told, places):
        said = places_said(told)
        return said if own(told) == [s.text for s in told.sentences] else []

    return rule
