"""A DICOM SEG holds the voxels of the masks where they lie in the patient, and says what they are."""

from __future__ import annotations

import sys
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from nnunet_reportseg.dicom_series import read_series_files, series_files
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.inference.dicom_seg import require_highdicom, require_usable_header, write_dicom_seg
from tests.convert.dicom_files import volume, write_series
from tests.inference.dicom_places import edit_headers, places_of_mask, places_of_segment

LONG = "A spiculated nodule of 8 mm in the posterior segment of the left upper lobe,\nadjacent to the pleura."
TEXTS = {"a": LONG, "empty": "Nothing.", "b/2": "Läsion \\ 左上葉 " + "x" * 2000}
FRAME_OF_REFERENCE, PATIENT_SEX = "0020|0052", "0010|0040"


def axial() -> sitk.Image:
    image = volume()
    image.SetDirection(np.eye(3).ravel().tolist())
    return image


@pytest.fixture(params=["axial, reversed on disk", "oblique"])
def series(request, tmp_path):
    """The files of a series, in order."""
    is_axial = request.param.startswith("axial")
    folder = write_series(
        tmp_path / "series",
        image=axial() if is_axial else volume(),
        reverse=is_axial,
    )
    files = series_files(folder, case="c")
    if is_axial:
        edit_headers(files, SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Änne", SliceThickness=1.25)
    return files


def write_masks(folder: Path, files, voxels: dict[str, np.ndarray]) -> list[dict]:
    """Masks (z, y, x) on the grid of a series, and their entries of the index."""
    folder.mkdir()
    entries = []
    for number, (finding, mask) in enumerate(voxels.items()):
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.CopyInformation(read_series_files(files, case="c"))
        sitk.WriteImage(image, str(folder / f"{number}.nii.gz"))
        empty = not mask.any()
        entries.append({"id": finding, "text": TEXTS[finding], "file": f"{number}.nii.gz", "empty": empty})
    return entries


def random_masks() -> dict[str, np.ndarray]:
    """Two that overlap, one of which leaves slices out, and an empty one."""
    rng = np.random.default_rng(0)
    shape = sitk.GetArrayFromImage(volume()).shape
    found = {finding: rng.random(shape) < 0.3 for finding in TEXTS}
    found["empty"][:] = False
    found["b/2"][[0, 3]] = False
    assert (found["a"] & found["b/2"]).any()
    return found


def test_every_voxel_lies_where_it_lies_in_the_mask(series, tmp_path):
    folder, voxels = tmp_path / "out", random_masks()
    entries = write_masks(folder, series, voxels)
    index = write_dicom_seg(folder, entries, series, case="c")
    assert index == {"file": "findings.dcm", "segments": {"1": "a", "2": "b/2"}}
    for number, entry in ((1, entries[0]), (2, entries[2])):
        places = places_of_mask(folder / entry["file"])
        assert len(places) == voxels[entry["id"]].sum()
        assert places_of_segment(folder / "findings.dcm", number) == places
    segmentation = highdicom.seg.segread(folder / "findings.dcm")
    assert segmentation.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices == 2.5
    slices = [pydicom.dcmread(file).SOPInstanceUID for file in series]
    found = segmentation.get_pixels_by_source_instance(slices, assert_missing_frames_are_empty=True)
    for segment, finding in enumerate(("a", "b/2")):
        assert np.array_equal(found[..., segment] != 0, voxels[finding])


def test_segments_say_what_they_are(series, tmp_path):
    entries = write_masks(tmp_path / "out", series, random_masks())
    write_dicom_seg(tmp_path / "out", entries, series, case="c")
    segmentation, source = pydicom.dcmread(tmp_path / "out" / "findings.dcm"), pydicom.dcmread(series[0])
    assert segmentation.SOPClassUID.name == "Segmentation Storage"
    assert segmentation.SegmentationType == "BINARY"
    assert segmentation.SegmentsOverlap == "YES"
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientName", "PatientID"):
        assert segmentation[keyword].value == source[keyword].value
    assert segmentation.SeriesInstanceUID != source.SeriesInstanceUID
    first, second = segmentation.SegmentSequence
    assert first.SegmentLabel == "A spiculated nodule of 8 mm in the posterior segment of the..."
    assert first.SegmentDescription == " ".join(LONG.split())
    assert second.SegmentLabel.startswith("Läsion / 左上葉 xxx")
    assert len(second.SegmentLabel) == 63
    assert len(second.SegmentDescription) == 1023
    assert [segment.TrackingID for segment in (first, second)] == ["a", "b/2"]
    for segment in (first, second):
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        assert segment.SegmentAlgorithmName == "nnunet-reportseg"
        assert segment.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
        assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "52988006"


def test_without_voxels_there_is_no_file(series, tmp_path):
    voxels = {finding: np.zeros_like(mask) for finding, mask in random_masks().items()}
    entries = write_masks(tmp_path / "out", series, voxels)
    assert write_dicom_seg(tmp_path / "out", entries, series, case="c") == {"file": None, "segments": {}}
    assert not (tmp_path / "out" / "findings.dcm").exists()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"FrameOfReferenceUID": None}, "Frame Of Reference UID"),
        ({"SOPClassUID": None}, "SOPClassUID"),
        ({"PatientSex": "WOMAN"}, "WOMAN"),
    ],
)
def test_a_header_that_does_not_do_is_named_beforehand(values, named, series):
    require_usable_header(series, case="c")
    edit_headers(series, **values)
    with pytest.raises(DatasetError, match=rf"case 'c'.*does not do for a DICOM SEG.*{named}.*--dicom-seg"):
        require_usable_header(series, case="c")


def test_an_anonymised_header_does(series, tmp_path):
    names = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate")
    edit_headers(series, **dict.fromkeys((*names, "StudyTime")))
    require_usable_header(series, case="c")
    entries = write_masks(tmp_path / "out", series, random_masks())
    write_dicom_seg(tmp_path / "out", entries, series, case="c")
    assert pydicom.dcmread(tmp_path / "out" / "findings.dcm").PatientID == ""


def test_files_without_preamble_do(tmp_path):
    """Archives of old times write files that begin with the first attribute."""
    folder = write_series(tmp_path / "series")
    for file in folder.iterdir():
        header = pydicom.dcmread(file)
        content = file.read_bytes()[128 + 4 + 12 + header.file_meta.FileMetaInformationGroupLength :]
        file.write_bytes(content)
        assert header.file_meta.TransferSyntaxUID.is_implicit_VR
    files = series_files(folder, case="c")
    require_usable_header(files, case="c")
    entries = write_masks(tmp_path / "out", files, random_masks())
    write_dicom_seg(tmp_path / "out", entries, files, case="c")
    places = places_of_mask(tmp_path / "out" / entries[0]["file"])
    assert places_of_segment(tmp_path / "out" / "findings.dcm", 1) == places


def test_a_missing_highdicom_names_the_extra(monkeypatch):
    require_highdicom()
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(DatasetError, match=r"highdicom.*pip install 'nnunet-reportseg\[dicom\]'"):
        require_highdicom()
