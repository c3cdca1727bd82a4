"""The models that this process answers with: the deployments table, at most about a second old."""

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Literal

import structlog

from app.damage import mark
from app.database import Database
from app.errors import DamagedArtifact, NotFound, Unavailable, WorkFailure
from app.inputs import Inputs
from app.models.schemas import Signature
from app.models.stored import file_path
from app.prediction import repository, sessions
from app.prediction.batching import Batcher
from app.prediction.checking import check_of
from app.prediction.checks import ValueCheck
from app.prediction.encoding import CannotTokenise, prepare_of, shared_tokeniser
from app.prediction.feeds import Prepare
from app.prediction.sessions import LoadFailed, Session
from app.prediction.splitting import SplitRequests
from app.storage import Storage
from app.tables.deployments import DeploymentRow
from app.tables.models import ModelRow
from app.tasks.contract import AnswerForm
from app.tensors import TensorSpec

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 1.0
PATIENCE_SECONDS = 5.0  # how long a request waits for a model that is being loaded


@dataclass(frozen=True)
class Loaded:
    """A model in memory, shared by all names that point to it.

    `temperature`: its scores are calibrated by; None where they are not. `inputs`: what it is asked
    about, and `tensor` the one tensor of it that its graph takes. `check`: holds what is asked
    against what it was trained on.
    """

    model_id: str
    labels: tuple[str, ...]
    temperature: float | None
    inputs: Inputs
    tensor: TensorSpec
    check: ValueCheck
    session: Session
    batcher: Batcher
    form: AnswerForm = "label"  # of an answer in the native protocol
    answers: str = "probabilities"  # what the graph calls its output
    unit: str = ""  # of a quantity


@dataclass(frozen=True)
class NotLoaded:
    """`failed` is for good, unless a stored file may be whole again; `loading` is tried again."""

    model_id: str
    status: Literal["loading", "failed"]
    reason: str
    may_heal: bool = False
    is_under_way: bool = False  # being loaded for the first time: soon it is decided


Name = tuple[str, str]  # project, deployment
State = tuple[Literal["ready", "loading", "failed"], str | None]
READY: State = ("ready", None)
UNSEEN: State = ("loading", "this process has yet to load it")
Serving = Loaded | NotLoaded | SplitRequests


class ServedModels:
    """Requests read one immutable dict, so a switch is one assignment: a request that began with
    the old model ends with it, and the old model goes when the last of them has ended."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database, self._storage = database, storage
        self._models: dict[Name, Serving] = {}
        self._unfit: dict[Name, NotLoaded] = {}  # canaries that do not answer
        self._has_looked = False  # into the database
        self._changed: Future[None] = Future()  # of `_models`; each change has its own
        self._refreshing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_fresh, name="deployments", daemon=True)
        self._lookups = ThreadPoolExecutor(1, "deployment-lookup")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._lookups.shutdown()
        if self._thread.ident is not None:
            self._thread.join()

    def ready(self, project: str, name: str) -> Loaded | None:
        """Returns None where there is no such model, or not yet, or several take turns."""
        model = self._models.get((project, name))
        return model if isinstance(model, Loaded) else None

    async def find(self, project: str, name: str, *, takes_turns: bool = False) -> Loaded:
        """Finds the model that the name points to; with `takes_turns` the canary in its share of
        the calls. Raises NotFound, or Unavailable with the reason. Only a name that this process
        does not know goes to the database: another process may have made it just now."""
        model = self._models.get((project, name))
        if isinstance(model, Loaded):
            return model
        if isinstance(model, SplitRequests):
            return model.next() if takes_turns else model.stable
        deadline = monotonic() + PATIENCE_SECONDS
        if model is None:
            loop = asyncio.get_running_loop()
            looked = loop.run_in_executor(self._lookups, self._look_up, project, name)
            await asyncio.wait([looked], timeout=PATIENCE_SECONDS)
            if not looked.done():
                raise _not_ready(name, NotLoaded("", "loading", "other models are being loaded"))
            looked.result()
        model = await self._decided((project, name), deadline)
        if model is None:
            raise NotFound("deployment_not_found", "expected a deployment, got an unknown name")
        if isinstance(model, NotLoaded):
            raise _not_ready(name, model)
        return model.stable if isinstance(model, SplitRequests) else model

    async def _decided(self, name: Name, deadline: float) -> Serving | None:
        """What the name serves as soon as that is no longer under way, at the latest then."""
        while True:
            changed = self._changed  # before the look, so that no change is missed
            model = self._models.get(name)
            left = deadline - monotonic()
            if not (isinstance(model, NotLoaded) and model.is_under_way and left > 0):
                return model
            await asyncio.wait([asyncio.wrap_future(changed)], timeout=left)

    def state(self, row: DeploymentRow) -> State:
        """State of the row's model in this process, and why it is not ready."""
        model = self._models.get((row.project, row.name))
        if isinstance(model, NotLoaded) and model.model_id == row.model_id:
            return model.status, model.reason
        return READY if model is not None and model.model_id == row.model_id else UNSEEN

    def canary_state(self, row: DeploymentRow, model_id: str) -> State:
        """The same of the row's canary, which answers nothing until it is ready."""
        model, unfit = self._models.get(name := (row.project, row.name)), self._unfit.get(name)
        if unfit is not None and unfit.model_id == model_id:
            return unfit.status, unfit.reason
        is_tried = isinstance(model, SplitRequests) and model.candidate.model_id == model_id
        return READY if is_tried else UNSEEN

    @property
    def is_settled(self) -> bool:
        """Tells whether each deployment is loaded, or has failed for good."""
        loading = (
            isinstance(one, NotLoaded) and one.status == "loading" for one in self._models.values()
        )
        return self._has_looked and not any(loading)

    def load(self, model: ModelRow) -> Loaded:
        """Raises LoadFailed when the graph does not answer as trained, WorkFailure when the store
        does not give it."""
        signature = Signature.model_validate(model.signature)
        onnx, golden = (file_path(self._storage, model, kind) for kind in ("onnx", "golden"))
        prepare = self._prepare(model, signature)
        session = sessions.load(onnx, golden, signature.inputs, signature.task, prepare)
        return Loaded(
            model.id,
            signature.task.names,
            signature.temperature,
            signature.inputs,
            signature.inputs.tensors[0],
            check_of(signature.inputs),
            session,
            Batcher(session),
            signature.task.form,
            signature.task.answers,
            signature.task.unit,
        )

    def _prepare(self, model: ModelRow, signature: Signature) -> Prepare | None:
        """What decoded items go through before the graph. Raises as `load` does."""
        if signature.encoder is None:
            return None
        path = partial(file_path, self._storage, model, "tokenizer")
        try:
            return prepare_of(shared_tokeniser(signature.encoder, path))
        except CannotTokenise as error:
            raise LoadFailed(str(error)) from error

    def refresh(self, *loaded: Loaded) -> None:
        """Makes this process serve what the database says. `loaded` is not loaded again."""
        with self._refreshing:
            with self._database.read() as session:
                canaries = repository.all_canaries(session)
                found = repository.all_with_models(session)
                wanted = {(each.project, each.name): model for each, model in found}
                tried = {(x.project, x.name): canaries[x.id] for x, _ in found if x.id in canaries}
            # Names that are gone go first, new ones are known as loading before any file is read.
            self._set(
                {
                    name: self._models.get(name)
                    or NotLoaded(model.id, "loading", "it is being loaded", is_under_way=True)
                    for name, model in wanted.items()
                }
            )
            self._has_looked = True
            ready = {one.model_id: one for each in self._models.values() for one in _loaded(each)}
            ready |= {one.model_id: one for one in loaded}
            self._unfit = {name: each for name, each in self._unfit.items() if name in tried}
            for name, model in wanted.items():
                serving = self._split(name, model, tried.get(name), ready)
                if serving is not self._models[name]:
                    self._set({**self._models, name: serving})

    def _split(
        self,
        name: Name,
        model: ModelRow,
        tried: tuple[int, ModelRow] | None,
        ready: dict[str, Loaded],
    ) -> Serving:
        current = self._models[name]
        stable = current.stable if isinstance(current, SplitRequests) else current
        serving = self._following(stable, model, ready)
        if tried is None or isinstance(serving, NotLoaded):
            return serving
        percent, row = tried
        before = self._unfit.get(name) or NotLoaded(row.id, "loading", "it is being loaded")
        candidate = self._following(before, row, ready)
        if isinstance(candidate, NotLoaded):
            self._unfit[name] = candidate
            return serving  # alone, until the other is there
        self._unfit.pop(name, None)
        if isinstance(current, SplitRequests) and current.is_of(serving, candidate, percent):
            return current
        return SplitRequests(serving, candidate, percent)

    def _set(self, models: dict[Name, Serving]) -> None:
        self._models = models
        changed, self._changed = self._changed, Future()
        changed.set_result(None)

    def _following(
        self, current: Loaded | NotLoaded, model: ModelRow, ready: dict[str, Loaded]
    ) -> Loaded | NotLoaded:
        """What a name that serves `current` and points to `model` serves from now on."""
        if model.id in ready:
            return ready[model.id]
        match current:
            case NotLoaded(model.id, "failed", may_heal=False):
                return current
        try:
            return ready.setdefault(model.id, self.load(model))
        except LoadFailed as failure:
            log.error("model_not_loaded", model=model.id, reason=str(failure))
            return NotLoaded(model.id, "failed", str(failure))
        except WorkFailure as failure:  # tried again; the old model goes on
            return current if isinstance(current, Loaded) else self._unread(model, failure, current)

    def _unread(self, model: ModelRow, failure: WorkFailure, before: NotLoaded) -> NotLoaded:
        """What stands for a model whose files the store does not give."""
        if isinstance(failure, DamagedArtifact):
            failed = NotLoaded(model.id, "failed", f"{failure.reason}: {failure.detail}", True)
            if failed != before:
                mark(self._database, failure)
            return failed
        log.warning("model_not_fetched", model=model.id, reason=failure.detail)
        return NotLoaded(model.id, "loading", failure.detail)

    def _look_up(self, project: str, name: str) -> None:
        with self._database.read() as session:
            is_there = repository.is_known(session, project, name)
        if is_there:
            self.refresh()

    def _keep_fresh(self) -> None:
        while True:
            try:
                self.refresh()
            except Exception as error:  # a database that is away must not end the serving
                log.warning("deployments_not_refreshed", error=str(error))
            if self._stopping.wait(INTERVAL_SECONDS):
                return


def _loaded(serving: Serving) -> tuple[Loaded, ...]:
    if isinstance(serving, SplitRequests):
        return serving.stable, serving.candidate
    return (serving,) if isinstance(serving, Loaded) else ()


def _not_ready(name: str, model: NotLoaded) -> Unavailable:
    detail = f"`{name}` is not ready: {model.reason}"
    return Unavailable(f"deployment_{model.status}", detail, headers={"Retry-After": "1"})
