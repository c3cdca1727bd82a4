"""Files of pictures, as an endpoint takes them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from app.prediction import picture_bodies
from tests.needed import needed
from tests.prediction.site import SHAPE, Site, problem, site_on_sqlite
from tests.prediction.tables import deploy
from tests.prediction.ways import TEMPERATURE, expected

Image = needed("PIL.Image")

from tests.picture_files import file_of  # noqa: E402  it needs Pillow

URL = "/v1/deployments/pets/predict"
PNG = {"Content-Type": "image/png"}
PIXELS = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), dtype=np.uint8)
FILES = [file_of(Image.fromarray(pixels[..., 0])) for pixels in PIXELS]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pictures")
    with site_on_sqlite(folder, predict_limit_bytes=2**20) as site:
        site.deploy("pets", site.add_model(1, value_range=[0, 255], temperature=TEMPERATURE))
        unit = site.add_model(1, value_range=[0, 1], dtype="float32", slope=1.0)
        site.deploy("unit", unit)
        deploy(site, folder)
        yield site


def form(site: Site, *files: bytes, url: str = URL, **options: str) -> httpx.Response:
    parts = [("file", (f"{number}.png", data)) for number, data in enumerate(files)]
    return site.client.post(url, files=parts, data=options)


def scores(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return [output["score"] for output in answer.json()["outputs"]]


def pointer_of(body: dict[str, Any]) -> str:
    pointer: str = body["errors"][0]["pointer"]
    return pointer


def test_files_are_answered_as_their_pixels_are(site: Site) -> None:
    best = expected(PIXELS).max(axis=1)
    assert scores(form(site, *FILES)) == pytest.approx(best, abs=1e-5)
    for kind in ("image/png", "IMAGE/jpeg; q=1"):  # what it is, its content says
        one = site.client.post(URL, content=FILES[1], headers={"Content-Type": kind})
        assert scores(one) == pytest.approx(best[1:2], abs=1e-5)
    array = site.client.post(URL, json={"inputs": PIXELS.tolist()}).json()
    assert form(site, *FILES).json() == array


def test_options_stand_beside_the_files(site: Site) -> None:
    plain = site.client.post(URL, json={"inputs": PIXELS.tolist(), "top_k": 2}).json()
    assert form(site, *FILES, top_k="2").json() == plain
    raw = form(site, *FILES, raw_scores="true").json()
    assert raw["calibrated"] is False
    assert form(site, *FILES, url=f"{URL}?raw_scores=true").json() == raw


def test_a_picture_of_another_size_and_mode_is_brought_to_the_models(site: Site) -> None:
    large = file_of(Image.new("RGB", (640, 480), (200, 200, 200)), "JPEG")
    grey = np.full((1, *SHAPE), 200, np.uint8)
    assert scores(form(site, large)) == pytest.approx(expected(grey).max(axis=1), abs=1e-3)


def test_dark_pictures_are_no_doubt(site: Site) -> None:
    dark = file_of(Image.fromarray(np.eye(4, dtype=np.uint8)))
    assert "warnings" not in form(site, dark).json()


def test_pictures_of_a_model_of_0_to_1_become_that(site: Site) -> None:
    white = file_of(Image.new("L", (4, 4), 255))
    answer = form(site, white, url="/v1/deployments/unit/predict")
    array = {"inputs": np.ones((1, *SHAPE)).tolist()}
    assert answer.json() == site.client.post("/v1/deployments/unit/predict", json=array).json()


def test_a_file_that_is_no_picture_is_pointed_to(site: Site) -> None:
    body = problem(form(site, FILES[0], b"#!/bin/sh", FILES[1]), 422, "unreadable_picture")
    assert pointer_of(body) == "#/file/1"
    body = problem(site.client.post(URL, content=b"", headers=PNG), 422, "unreadable_picture")
    assert pointer_of(body) == "#/file/0"
    body = problem(
        site.client.post(URL, content=FILES[0][:50], headers=PNG), 422, "unreadable_picture"
    )


def test_a_picture_of_very_many_pixels_in_a_small_file_is_refused(site: Site) -> None:
    bomb = file_of(Image.new("1", (2**14, 2**14)))
    assert len(bomb) < 2**16
    body = problem(form(site, bomb), 422, "unreadable_picture")
    assert "million pixels" in body["detail"]


@pytest.mark.parametrize(
    ("options", "code", "pointer"),
    [
        ({"top_k": "0"}, "invalid_value", "#/top_k"),
        ({"top_k": "9"}, "invalid_value", "#/top_k"),
        ({"raw_scores": "1"}, "invalid_value", "#/raw_scores"),
        ({"top": "1"}, "unknown_field", "#/top"),
        ({"inputs": "[1]"}, "unknown_field", "#/inputs"),
        ({"top_k": "1" * 300}, "unknown_field", "#"),
    ],
)
def test_options_that_are_wrong_are_pointed_to(
    site: Site, options: dict[str, str], code: str, pointer: str
) -> None:
    assert pointer_of(problem(form(site, FILES[0], **options), 422, code)) == pointer


def test_forms_that_are_broken_are_refused(site: Site) -> None:
    body = problem(site.client.post(URL, files={"picture": FILES[0]}), 422, "missing_field")
    assert pointer_of(body) == "#/file"
    problem(site.client.post(URL, files={"picture": b"x" * 300}), 422, "unknown_field")
    kind = "multipart/form-data"
    for content, said in (
        (b"", f"{kind}; boundary=x"),
        (b"--x\r\n", f"{kind}; boundary=x"),
        (b"nonsense", f"{kind}; boundary=x"),
        (FILES[0], kind),
    ):
        answer = site.client.post(URL, content=content, headers={"Content-Type": said})
        problem(answer, 400, "invalid_multipart")
    empty = site.client.post(
        URL, content=b"--x--\r\n", headers={"Content-Type": f"{kind}; boundary=x"}
    )
    assert empty.status_code in {400, 422}
    body = problem(site.client.post(URL, data={"top_k": "2"}), 415, "unsupported_media_type")
    assert "multipart/form-data" in body["detail"]


def test_pictures_are_bounded_by_number_and_by_bytes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = form(site, *[FILES[0]] * (picture_bodies.MOST_PICTURES + 1))
    assert pointer_of(problem(answer, 422, "too_large")) == "#/file"
    problem(form(site, b"x" * 2**20), 413, "too_large")
    many = [FILES[number % 3] for number in range(200)]
    assert scores(form(site, *many)) == pytest.approx(
        np.tile(expected(PIXELS).max(axis=1), 67)[:200], abs=1e-5
    )
    monkeypatch.setattr(picture_bodies, "MOST_VALUES", 2 * 16)
    problem(form(site, *FILES), 422, "too_large")


def test_a_model_of_rows_takes_none(site: Site) -> None:
    answer = form(site, FILES[0], url="/v1/deployments/people/predict")
    assert "rows of a table" in problem(answer, 415, "unsupported_media_type")["detail"]


def test_others_are_answered_while_pictures_are_decoded(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoding, may_end = threading.Event(), threading.Event()
    prepare_all = picture_bodies.prepare_all

    def slow(*arguments: Any) -> Any:
        decoding.set()
        assert may_end.wait(20)
        return prepare_all(*arguments)

    monkeypatch.setattr(picture_bodies, "prepare_all", slow)
    with ThreadPoolExecutor(1) as others:
        waiting = others.submit(form, site, FILES[0])
        assert decoding.wait(20)
        assert site.client.post(URL, json={"inputs": PIXELS.tolist()}).status_code == 200
        may_end.set()
        assert waiting.result().status_code == 200
