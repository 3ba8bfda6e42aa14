"""The picture shows the patient's right on the left, however the volume was stored."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.demo.picture import radiological


@pytest.mark.parametrize("stored", ["LPS", "RAS", "RPI", "SAL", "PIR"])
def test_slices_are_axial_and_radiological_in_every_orientation(stored):
    right_anterior_top = sitk.Image([6, 5, 4], sitk.sitkInt16)
    right_anterior_top.SetSpacing((1.0, 2.0, 3.0))
    right_anterior_top[0, 0, 3] = 7  # identity direction: x to the left, y to posterior, z to superior
    array, spacing = radiological(sitk.DICOMOrient(right_anterior_top, stored))
    assert array.shape == (4, 5, 6)
    assert array[3, 0, 0] == 7
    np.testing.assert_allclose(spacing, (1.0, 2.0, 3.0))
