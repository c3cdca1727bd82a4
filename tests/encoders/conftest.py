from tests.trials.conftest import add_dataset, context

__all__ = ["add_dataset", "context"]
