"""Everything that can be set from outside, in one class. Units stand in the names."""

import tempfile
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0)]
Pause = Annotated[float, Field(ge=0)]  # 0: none
Positive = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]  # 0 has a meaning of its own

SOCKET_PATH_LIMIT = 100  # a Unix socket's path must fit in 108 bytes, its temporary twin too


class Settings(BaseSettings):
    """Read from the environment, `KTL_DATA_DIR` and so on."""

    model_config = SettingsConfigDict(env_prefix="KTL_", extra="ignore", frozen=True)

    data_dir: Path = Path("~/.ktl")  # all that this machine keeps, if nothing below says otherwise
    database_url: str = ""  # empty: SQLite in the data folder
    broker_url: str = ""  # empty: an embedded Valkey in the data folder
    storage_url: str = ""  # empty: a folder in the data folder; or s3://bucket/prefix
    host: str = "127.0.0.1"  # the address; any other than a loopback one needs a key
    port: Annotated[int, Field(ge=0, le=65535)] = 8000  # that the API listens on
    url: str = ""  # where the client looks for the API; empty: http://host:port
    # Who may ask /metrics and /readyz: all, or who has a key; auto: all on a loopback address.
    monitoring: Literal["auto", "open", "keyed"] = "auto"
    api_key: SecretStr | None = None  # the client's
    first_key_file: Path | None = None  # a file with the first admin key, for a fresh installation

    lease_seconds: Seconds = 45.0  # after which the work of a silent worker goes to another
    recovery_interval_seconds: Seconds = 3.0  # between the API's looks for such work
    republish_after_seconds: Pause = 5.0  # that work has waited until its message is sent again
    # Between a worker's own looks for work in the database, whatever the broker says.
    look_interval_seconds: Annotated[Seconds, Field(le=10)] = 2.0
    max_attempts: Positive = 5  # of one piece of work, without progress in between
    training_slots: Whole = 0  # trials that one worker trains at once; 0: by its GPUs or cores
    compile_seconds: Pause = 120.0  # that XLA may take for one program; then the plain loop
    import_seconds: Seconds = 600.0  # that an uploaded network may take to be a model
    slot_memory_bytes: Whole = 0  # that a worker gives a trial; 0: by its machine or its container
    assumed_slot_memory_bytes: Positive = 4 * 2**30  # until a worker has said what it has
    checkpoint_interval_seconds: Pause = 1.0  # shorter epochs share a checkpoint

    stream_limit: Whole = 2000  # event streams at once in one API process
    key_stream_limit: Whole = 100  # of these, by one key
    connection_limit: Positive = 4000  # to one API process; more are answered 503
    # A request's head must have come by then; a body may not pause so long.
    request_timeout_seconds: Seconds = 30.0

    upload_limit_bytes: Positive = 4 * 2**30  # of all files of one upload
    dataset_limit_bytes: Positive = 4 * 2**30  # of all its arrays, inflated and as they are stored
    item_limit: Positive = 20_000_000  # labelled items in one dataset
    predict_limit_bytes: Positive = 64 * 2**20  # of a body that is no JSON
    # As text, the same values are several times larger.
    predict_json_limit_bytes: Positive = 8 * 2**20
    quota_bytes: Whole = 0  # that a project's files may take; 0: no quota
    quota_datasets: Whole = 0  # of a project; 0: no quota
    quota_running_trials: Whole = 0  # of a project at once, more of them wait; 0: no quota
    disk_reserve_bytes: Whole = 2**28  # uploads are refused when less would be left
    gc_interval_seconds: Pause = 600.0  # between sweeps of files that nobody needs
    gc_grace_seconds: Pause = 3600.0  # from a file's being stored to its row's commit, at most
    catalog_url: str = (
        ""  # a mirror that holds the catalogue's files by name; empty: their own homes
    )
    hub_url: str = "https://huggingface.co"  # of encoders `hf:…`, or a mirror of it
    hub_limit_bytes: Positive = 2 * 2**30  # of all files of one
    offline: bool = False  # nothing is fetched from the network: what is not here is refused

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
    def monitoring_is_open(self) -> bool:
        return self.monitoring == "open" or (self.monitoring == "auto" and self.is_loopback)

    @property
    def is_loopback(self) -> bool:
        return self.host in {"127.0.0.1", "::1", "localhost"}
