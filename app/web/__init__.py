"""The dashboard: static files of our own, which call the public API as any other client does."""
