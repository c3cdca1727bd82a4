"""Names that several processes point at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from app.database import Database
from app.deployments import repository
from app.storage import Storage
from tests.prediction.site import add_model


def test_writers_of_one_new_name_take_turns(database: Database, storage: Storage) -> None:
    models = [add_model(database, storage, favourite) for favourite in (0, 1, 2)] * 4

    def point(model_id: str) -> int:
        with database.write() as session:
            return repository.point(session, "default", "pets", model_id).version

    with ThreadPoolExecutor(len(models)) as writers:
        seen = list(writers.map(point, models))
    with database.read() as session:
        row = repository.get(session, "default", "pets")
        versions = repository.history(session, row)
    assert [one.version for one in versions] == list(range(max(seen), 0, -1))
    assert (row.version, row.model_id) == (max(seen), versions[0].model_id)
    assert all(newer.model_id != older.model_id for newer, older in pairwise(versions))
