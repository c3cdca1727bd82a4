"""No JSON body needs a megabyte. Uploads and predictions have limits of their own.

Starlette has such a limit too; its answer is plain text, and ours are all problem+json.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooLarge

LIMIT_BYTES = 2**20
WITH_OWN_LIMIT = ("/v1/datasets", "/v1/deployments/")


class BodyLimit:
    """Counts what arrives, whatever Content-Length says."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(WITH_OWN_LIMIT):
            await self._app(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LIMIT_BYTES:
                detail = f"expected a body of at most {LIMIT_BYTES} bytes, got more"
                raise TooLarge("body_too_large", detail)
            return message

        await self._app(scope, counted, send)
