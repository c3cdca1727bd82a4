"""What the API sends and what a worker takes are the same tasks with the same fields."""

import inspect
import typing
from dataclasses import fields

import pytest

from app.messages import MESSAGES, Message


@pytest.fixture(scope="module")
def tasks() -> dict[str, object]:
    """A worker's own, by name."""
    from worker.process.tasks import (
        application,  # with TensorFlow: not where these tests are collected
    )

    return {name: task.run for name, task in application.tasks.items() if name.startswith("ktl.")}


def test_every_message_has_its_task_and_every_task_its_message(tasks) -> None:
    assert {kind.task for kind in MESSAGES} == tasks.keys()
    assert len({kind.task for kind in MESSAGES}) == len(MESSAGES)
    assert set(Message.__subclasses__()) == set(MESSAGES)


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_messages_fields_are_its_tasks_arguments(kind: type[Message], tasks) -> None:
    task = tasks[kind.task]
    sent = {field.name: field.type for field in fields(kind)}
    inspect.signature(task).bind(**sent)
    taken = {name: hint for name, hint in typing.get_type_hints(task).items() if name in sent}
    assert taken == {name: typing.get_type_hints(kind)[name] for name in sent}
