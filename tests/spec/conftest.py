from tests.jobs.conftest import api_settings, body, client

__all__ = ["api_settings", "body", "client"]
