from pydantic import BaseModel, Field


class BytesOut(BaseModel):
    """Bytes of the project's files in the store. A file that several things share counts once, with
    the first of them."""

    datasets: int = Field(description="arrays, and uploads that are not taken in yet or kept")
    models: int
    features: int = Field(0, description="of frozen encoders, of the project's texts")
    weights: int = Field(description="of trials")
    predictions: int
    checkpoints: int
    total: int


class LimitsOut(BaseModel):
    """null: none."""

    bytes: int | None
    datasets: int | None
    running_trials: int | None = Field(description="more of them wait until one has ended")
    upload_bytes: int


class DiskOut(BaseModel):
    total_bytes: int
    free_bytes: int
    reserve_bytes: int = Field(description="uploads are refused when less would stay free")


class UsageOut(BaseModel):
    """Usage of the caller's project, and what it may hold."""

    project: str
    bytes: BytesOut
    datasets: int
    jobs: int
    running_trials: int
    limits: LimitsOut
    disk: DiskOut | None = Field(description="the store's; null where it is no folder")
