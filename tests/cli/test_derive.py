from app.cli.derive import conditions


def test_conditions_on_the_command_line_have_types() -> None:
    said = ["hospital=va", "hospital=null", "age=63", "smokes=true", "note=[1]", 'id="7"', "x=NaN"]
    assert conditions(said) == {
        "hospital": ["va", None],
        "age": [63],
        "smokes": [True],
        "note": ["[1]"],
        "id": ["7"],
        "x": ["NaN"],
    }
