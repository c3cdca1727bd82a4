from app.jobs.page.confusion import Cell, Mistake, confusion


def test_cells_are_shaded_by_the_root_of_their_share_of_the_row() -> None:
    found = confusion([[75, 25, 0], [1, 99_999, 0], [0, 0, 0]], ["a", "b", "c"])
    assert found.rows[0] == [Cell(75, "r9"), Cell(25, "w5"), Cell(0, "zero")]  # 10√.75, 10√.25
    assert found.rows[1][0] == Cell(1, "w1")  # rare, and seen all the same
    assert found.rows[2] == [Cell(0, "zero")] * 3


def test_mistakes_stand_by_how_common_they_are() -> None:
    found = confusion([[8, 2], [5, 15]], ["a", "b"])
    assert found.mistakes == [Mistake("b", "a", 5, 0.25), Mistake("a", "b", 2, 0.2)]
