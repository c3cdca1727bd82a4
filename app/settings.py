"""Everything that can be set from outside, in one class. Units stand in the names."""

import tempfile
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SOCKET_PATH_LIMIT = 100  # a Unix socket's path must fit in 108 bytes, its temporary twin too


class Settings(BaseSettings):
    """Read from the environment, `KTL_DATA_DIR` and so on."""

    model_config = SettingsConfigDict(env_prefix="KTL_", extra="ignore", frozen=True)

    data_dir: Path = Path("~/.ktl")
    database_url: str = ""  # empty: SQLite in the data folder
    broker_url: str = ""  # empty: an embedded Valkey in the data folder
    storage_url: str = ""  # empty: a folder in the data folder; or s3://bucket/prefix
    host: str = "127.0.0.1"
    port: int = 8000
    url: str = ""  # where the client looks for the API; empty: http://host:port
    api_key: SecretStr | None = None  # the client's
    first_key_file: Path | None = None  # a file with the first admin key, for a fresh installation

    lease_seconds: float = 45.0
    recovery_interval_seconds: float = 3.0
    republish_after_seconds: float = 5.0
    max_attempts: int = 5
    training_slots: int = 0  # trials that one worker trains at once; 0: by its cores
    checkpoint_interval_seconds: float = 1.0  # shorter epochs share a checkpoint

    upload_limit_bytes: int = 4 * 2**30
    item_limit: int = 20_000_000  # labelled items in one dataset
    predict_limit_bytes: int = 64 * 2**20
    predict_json_limit_bytes: int = 8 * 2**20  # as text, the same values are several times larger
    catalog_url: str = (
        ""  # a mirror that holds the catalogue's files by name; empty: their own homes
    )

    @cached_property
    def home(self) -> Path:
        return self.data_dir.expanduser().absolute()

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'ktl.db'}"

    @property
    def storage(self) -> str:
        return self.storage_url or str(self.home / "store")

    @property
    def cache_dir(self) -> Path:
        return self.home / "cache"

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    @property
    def broker_socket(self) -> Path:
        socket = self.run_dir / "broker.sock"
        if len(str(socket)) <= SOCKET_PATH_LIMIT:
            return socket
        name = sha256(str(self.home).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"ktl-{name}" / "broker.sock"

    @property
    def broker(self) -> str:
        return self.broker_url or f"redis+socket://{self.broker_socket}?virtual_host=0"

    @property
    def base_url(self) -> str:
        return self.url or f"http://{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return self.host in {"127.0.0.1", "::1", "localhost"}
