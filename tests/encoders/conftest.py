from tests.trials.conftest import add_dataset, place

__all__ = ["add_dataset", "place"]
