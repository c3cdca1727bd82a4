from tests.prediction.conftest import site

__all__ = ["site"]
