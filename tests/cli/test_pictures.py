import numpy as np

from app.cli.pictures import braille, fitted


def test_each_dot_has_its_place():
    image = np.zeros((4, 2))
    image[0, 0] = image[3, 1] = 1  # dots 1 and 8
    assert braille(image, 0.5) == chr(0x2800 + 0x01 + 0x80)


def test_edges_are_filled_up():
    assert braille(np.ones((5, 3)), 0.5) == "⣿⡇\n⠉⠁"


def test_nothing_is_above_the_threshold():
    assert braille(np.zeros((4, 4)), 0.0) == "⠀⠀"


def test_fitting_takes_the_nearest_pixels():
    image = np.array([[1, 2], [3, 4]])
    doubled = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert fitted(image, 4).tolist() == doubled
    assert fitted(np.array(doubled), 2).tolist() == image.tolist()
    assert fitted(np.zeros((28, 14)), 16).shape == (16, 8)
