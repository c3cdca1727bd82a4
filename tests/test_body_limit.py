import httpx

from app.body_limit import LIMIT_BYTES
from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings
from tests.serving import serve


def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(
    settings: Settings,
) -> None:
    upgrade(settings.database)
    body = b'{"name": "' + b"x" * LIMIT_BYTES + b'"}'
    headers = {"Content-Type": "application/json"}
    with serve(create_app(settings.model_copy(update={"broker_url": "memory://"}))) as client:
        for content in (body, iter([body[:1000], body[1000:]])):
            answer: httpx.Response = client.post("/v1/jobs", content=content, headers=headers)
            assert answer.status_code == 413
            assert answer.json()["code"] == "body_too_large"
            assert str(LIMIT_BYTES) in answer.json()["detail"]
