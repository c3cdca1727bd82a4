"""What a process serves follows the database."""

import asyncio
import threading
import time
from collections.abc import Iterator
from threading import Event

import pytest

from app.database import Database
from app.deployments import repository
from app.errors import NotFound, Unavailable
from app.models import repository as models
from app.prediction import served as served_module
from app.prediction.served import Loaded, ServedModels
from app.storage import Storage
from app.tables.models import ModelRow
from tests.prediction.site import add_model


def point(database: Database, name: str, model_id: str) -> None:
    with database.write() as session:
        repository.point(session, "default", name, model_id)


def found(served: ServedModels, name: str) -> Loaded:
    return asyncio.run(served.find("default", name))


def test_names_share_one_model_in_memory(database: Database, storage: Storage) -> None:
    model = add_model(database, storage)
    point(database, "pets", model)
    point(database, "animals", model)
    served = ServedModels(database, storage)
    served.refresh()
    assert found(served, "pets") is found(served, "animals")
    point(database, "beasts", model)
    served.refresh()
    assert found(served, "beasts") is found(served, "pets")


def test_a_switch_and_a_removal_of_another_process_are_followed(
    database: Database, storage: Storage
) -> None:
    first, second = add_model(database, storage, 0), add_model(database, storage, 1)
    point(database, "pets", first)
    served = ServedModels(database, storage)
    served.refresh()
    old = found(served, "pets")
    point(database, "pets", second)
    served.refresh()
    assert (old.model_id, found(served, "pets").model_id) == (first, second)
    with database.write() as session:
        repository.remove(session, repository.get(session, "default", "pets"))
    served.refresh()
    with pytest.raises(NotFound):
        found(served, "pets")


def test_the_old_model_goes_on_while_the_store_does_not_give_the_new_one(
    database: Database, storage: Storage
) -> None:
    first, second = add_model(database, storage, 0), add_model(database, storage, 1)
    point(database, "pets", first)
    served = ServedModels(database, storage)
    served.refresh()
    with database.read() as session:
        onnx = models.get(session, "default", second).files["onnx"]
    missing = storage.local(onnx)
    aside = missing.rename(missing.with_suffix(".aside"))
    point(database, "pets", second)
    served.refresh()
    assert found(served, "pets").model_id == first
    aside.rename(missing)
    served.refresh()
    assert found(served, "pets").model_id == second


def test_a_model_that_failed_once_is_ready_when_it_has_been_loaded_after_all(
    database: Database, storage: Storage
) -> None:
    model = add_model(database, storage)
    point(database, "pets", model)
    with database.read() as session:
        row = models.get(session, "default", model)
    golden = storage.local(row.files["golden"])
    content = golden.read_bytes()
    golden.write_bytes(b"damaged")
    served = ServedModels(database, storage)
    for _ in range(2):
        served.refresh()
        with pytest.raises(Unavailable, match="not ready"):
            found(served, "pets")
    golden.write_bytes(content)
    served.refresh(served.load(row))
    assert found(served, "pets").model_id == model


def test_the_thread_loads_what_can_be_loaded(database: Database, storage: Storage) -> None:
    point(database, "wrong", add_model(database, storage, 0, trained=1))
    point(database, "right", add_model(database, storage, 0))
    served = ServedModels(database, storage)
    served.start()
    try:
        while is_loading(served, "wrong") or is_loading(served, "right"):
            time.sleep(0.01)
        assert found(served, "right")
        with pytest.raises(Unavailable, match=r"within 0\.0001") as raised:
            found(served, "wrong")
        assert raised.value.code == "deployment_failed"
    finally:
        served.stop()


class Slow(ServedModels):
    """Loads no model before `may_load` is set."""

    may_load: Event
    loading: Event

    def load(self, model: ModelRow) -> Loaded:
        self.loading.set()
        self.may_load.wait(30)
        return super().load(model)


@pytest.fixture
def slow(database: Database, storage: Storage) -> Iterator[Slow]:
    point(database, "pets", add_model(database, storage))
    served = Slow(database, storage)
    served.may_load, served.loading = Event(), Event()
    try:
        yield served
    finally:
        served.may_load.set()
        served.stop()


def test_requests_wait_for_a_model_that_is_being_loaded(slow: Slow) -> None:
    async def scenario() -> list[Loaded]:
        slow.start()
        await asyncio.to_thread(slow.loading.wait, 30)
        threads = threading.active_count()
        waiting = [asyncio.ensure_future(slow.find("default", "pets")) for _ in range(100)]
        await asyncio.sleep(0.05)
        assert threading.active_count() <= threads  # none is held by who waits
        assert not any(one.done() for one in waiting)
        slow.may_load.set()
        return await asyncio.gather(*waiting)

    assert len(set(map(id, asyncio.run(scenario())))) == 1


def test_the_first_request_of_a_process_waits_as_well(slow: Slow) -> None:
    async def scenario() -> Loaded:
        waiting = asyncio.ensure_future(slow.find("default", "pets"))
        await asyncio.to_thread(slow.loading.wait, 30)
        slow.may_load.set()
        return await waiting

    assert asyncio.run(scenario())


@pytest.mark.parametrize("is_known", [False, True])
def test_no_request_waits_for_ever(
    slow: Slow, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_module, "PATIENCE_SECONDS", 0.05)
    if is_known:
        slow.start()
        slow.loading.wait(30)
    with pytest.raises(Unavailable, match="being loaded") as raised:
        found(slow, "pets")
    assert raised.value.code == "deployment_loading"
    assert raised.value.headers["Retry-After"]


def is_loading(served: ServedModels, name: str) -> bool:
    try:
        found(served, name)
    except Unavailable as error:
        return error.code == "deployment_loading"
    return False


def test_it_is_settled_once_each_model_is_loaded_or_has_failed(
    database: Database, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = ServedModels(database, storage)
    assert not served.is_settled  # it has not looked yet
    served.refresh()
    assert served.is_settled
    point(database, "broken", add_model(database, storage, trained=1))
    point(database, "pets", add_model(database, storage))
    seen: list[bool] = []
    load = served.load

    def watched(model: ModelRow) -> Loaded:
        seen.append(served.is_settled)
        return load(model)

    monkeypatch.setattr(served, "load", watched)
    served.refresh()
    assert seen == [False, False]
    assert served.is_settled
