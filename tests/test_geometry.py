"""The left-right axis, for every orientation, transpose and reader of nnU-Net."""

from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from nnunetv2.imageio.nibabel_reader_writer import NibabelIO, NibabelIOWithReorient
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO, SimpleITKIOWithReorient

from nnunet_reportseg.errors import GeometryError
from nnunet_reportseg.frames import compose, crop_frame, patient_frame
from nnunet_reportseg.geometry import PatientAxes, common_left_right_axis, patient_axes, properties_of_file

SHAPE = (5, 6, 7)


def _orientations():
    """All 48 axis-aligned direction matrices: columns are image axes, rows patient left, posterior, superior."""
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            for axis, (row, sign) in enumerate(zip(order, signs, strict=True)):
                matrix[row, axis] = sign
            yield matrix


def _image_of_patient_coordinate(direction, patient_axis, tilt=0.0):
    """An image whose voxel values are the physical coordinate along a patient axis (LPS)."""
    image = sitk.Image(*SHAPE, sitk.sitkFloat64)
    if tilt:
        c, s = np.cos(tilt), np.sin(tilt)
        direction = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ direction
    image.SetDirection(direction.ravel().tolist())
    image.SetSpacing((1.0, 2.0, 3.0))
    values = np.zeros(SHAPE[::-1])
    for z, y, x in np.ndindex(values.shape):
        values[z, y, x] = image.TransformIndexToPhysicalPoint((x, y, z))[patient_axis]
    result = sitk.GetImageFromArray(values)
    result.CopyInformation(image)
    return result


@pytest.mark.parametrize("tilt", [0.0, 0.3])
@pytest.mark.parametrize("reader", [SimpleITKIO, NibabelIO, SimpleITKIOWithReorient, NibabelIOWithReorient])
def test_axes_and_signs_agree_with_physical_coordinates(tmp_path, reader, tilt):
    for number, direction in enumerate(_orientations()):
        for patient_axis in range(3):
            file = tmp_path / f"{number}_{patient_axis}.nii.gz"
            sitk.WriteImage(_image_of_patient_coordinate(direction, patient_axis, tilt), str(file))
            data, properties = reader().read_images((str(file),))
            for transpose in permutations(range(3)):
                array = data[0].transpose(transpose)
                axes = patient_axes(properties, transpose)
                slopes = [np.diff(array, axis=a).mean() / abs(np.diff(array, axis=a).max() or 1) for a in range(3)]
                grows = np.diff(array, axis=axes.axes[patient_axis]).mean()
                assert np.sign(grows) == axes.signs[patient_axis], (number, patient_axis, transpose, slopes)
                header = patient_axes(properties_of_file(file, reader.__name__), transpose)
                assert header == axes


def test_design_formula_for_the_left_right_axis():
    for direction in _orientations():
        for transpose in permutations(range(3)):
            axes = patient_axes({"sitk_stuff": {"direction": direction.ravel()}}, transpose)
            row = direction[0]
            i = int(np.argmax(np.abs(row)))
            assert axes.left_right == transpose.index(2 - i)
            assert axes.signs[0] == np.sign(row[i])


def test_an_image_without_orientation_is_not_known():
    assert not patient_axes({"sitk_stuff": {"direction": (1.0, 0.0, 0.0, 1.0)}}, (0, 1, 2)).known
    assert not patient_axes({"spacing": (1, 1, 1)}, (0, 1, 2)).known


def test_mixed_left_right_axes_are_refused_by_name():
    axes = {
        "case_a": PatientAxes((2, 1, 0), (1, 1, 1)),
        "case_b": PatientAxes((2, 1, 0), (-1, 1, 1)),
        "case_c": PatientAxes((1, 2, 0), (1, 1, 1)),
    }
    with pytest.raises(GeometryError, match=r"^case 'case_c', file .*raw: .*array axis 1: case_c.*Fix: reorient"):
        common_left_right_axis(axes, Path("raw"))
    del axes["case_c"]
    assert common_left_right_axis(axes, Path("raw")) == 2


@pytest.mark.parametrize("lower", [None, (1, 2, 3)])
def test_an_array_that_runs_the_other_way_is_told(lower):
    trained = PatientAxes((2, 1, 0), (1, 1, -1))
    for signs in product((1, -1), repeat=3):
        frame = patient_frame(SHAPE, trained.axes, signs)
        if lower is not None:
            frame = compose(frame, crop_frame(lower, 3))
        expected = {2 - row for row in range(3) if signs[row] != trained.signs[row]}
        assert trained.backwards_in(frame) == expected
    other = patient_frame(SHAPE, (2, 0, 1), (-1, -1, -1))  # another axis is no matter of direction
    assert trained.backwards_in(other) == {2}


def test_nibabel_and_simpleitk_agree(tmp_path):
    file = tmp_path / "a.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6)), np.diag([-1.0, 2.0, 3.0, 1.0])), file)
    axes = [patient_axes(r().read_images((str(file),))[1], (0, 1, 2)) for r in (SimpleITKIO, NibabelIO)]
    assert axes[0] == axes[1]
    assert axes[0].signs == (1, -1, 1)


@pytest.mark.parametrize("reader", ["SimpleITKIO", "NibabelIO"])
def test_an_unreadable_header_is_named(tmp_path, reader):
    file = tmp_path / "broken.nii.gz"
    file.write_bytes(b"not an image")
    with pytest.raises(GeometryError, match=r"file .*broken\.nii\.gz: the image header cannot be read .*Fix:"):
        properties_of_file(file, reader)


@pytest.mark.parametrize("reader", ["SimpleITKIO", "NibabelIO"])
@pytest.mark.parametrize(
    ("voxels", "named"),
    [
        (np.zeros((4, 5, 6, 2)), "4 dimensions"),
        (np.zeros((4, 5, 6), np.dtype([(name, np.uint8) for name in "RGB"])), "3 numbers per voxel"),
    ],
    ids=["four axes", "colours"],
)
def test_what_is_no_volume_is_named(tmp_path, reader, voxels, named):
    file = tmp_path / "a.nii.gz"
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), file)
    with pytest.raises(GeometryError, match=rf"a\.nii\.gz.*{named}"):
        properties_of_file(file, reader)
