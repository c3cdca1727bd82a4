"""Grids over pictures of all sizes, and what patches are painted with."""

import numpy as np
import pytest

from app.prediction.explaining.contract import MOST
from app.prediction.explaining.pictures import OccludedPicture, colour_of


@pytest.mark.parametrize(
    ("shape", "cell", "patch", "cells"),
    [
        ((28, 28, 1), (2, 2), (6, 6), (14, 14)),
        ((224, 224, 3), (15, 15), (45, 45), (15, 15)),
        ((8, 8, 1), (1, 1), (1, 1), (8, 8)),
        ((16, 16, 1), (2, 2), (2, 2), (8, 8)),
        ((1, 1, 3), (1, 1), (1, 1), (1, 1)),
        ((3, 1000, 1), (1, 67), (1, 201), (3, 15)),
        ((4096, 4096, 1), (274, 274), (822, 822), (15, 15)),
    ],
)
def test_the_grid_covers_the_picture_with_few_patches(
    shape: tuple[int, int, int],
    cell: tuple[int, int],
    patch: tuple[int, int],
    cells: tuple[int, int],
) -> None:
    occluded = OccludedPicture(np.zeros(shape, np.uint8), MOST)
    assert len(occluded) == cells[0] * cells[1] <= MOST
    told = occluded.told([0.0] * len(occluded))
    assert (told.cell, told.patch) == (cell, patch)
    assert np.shape(told.contributions) == cells


def test_each_cell_is_painted_over_with_those_around_it() -> None:
    picture = np.random.default_rng(0).integers(1, 255, (28, 28, 3)).astype(np.uint8)
    occluded = OccludedPicture(picture, MOST)
    colour, _ = colour_of(picture)
    for place, corner, far in (
        (0, (0, 0), (4, 4)),
        (14 + 2, (0, 2), (6, 8)),
        (195, (24, 24), (28, 28)),
    ):
        (shown,) = occluded.rows(range(place, place + 1))
        painted = np.zeros((28, 28), bool)
        painted[corner[0] : far[0], corner[1] : far[1]] = True
        assert (shown[painted] == colour).all()
        assert (shown[~painted] == picture[~painted]).all()
    all_rows = np.concatenate(
        [np.asarray(occluded.rows(range(a, a + 49))) for a in range(0, 196, 49)]
    )
    assert (all_rows == np.asarray(occluded.rows(range(196)))).all()


def test_strokes_are_rubbed_out_with_their_paper() -> None:
    digit = np.zeros((28, 28, 1), np.uint8)
    digit[4:24, 13:16] = 255
    assert colour_of(digit)[1] == "border"
    assert colour_of(digit)[0].tolist() == [0]
    ink = 255 - digit
    ink[0, :8] = 250  # not quite white
    assert colour_of(ink)[0].tolist() == [255]
    through = digit.copy()
    through[:, 13:16] = 255  # a stroke goes over the edge
    assert colour_of(through)[0].tolist() == [0]


def test_a_photo_loses_a_patch_to_its_mean_colour() -> None:
    photo = np.zeros((4, 4, 3), np.uint8)
    photo[:2] = (200, 100, 51)
    colour, filling = colour_of(photo)
    assert (colour.tolist(), filling, colour.dtype) == ([100, 50, 26], "mean", np.uint8)
    assert colour_of(photo / np.float32(255))[0] == pytest.approx(np.array([100, 50, 25.5]) / 255)


def test_a_picture_of_one_colour_is_its_own_paper() -> None:
    plain = np.full((5, 5, 1), 7, np.uint8)
    assert (colour_of(plain)[0].tolist(), colour_of(plain)[1]) == ([7], "border")
