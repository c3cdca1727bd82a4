"""The dashboard's files: whole, of our own, and sent so that nothing else can run beside them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings
from app.spec.spec import EXAMPLE
from app.web.router import web_files

SCRIPT_LIMIT_BYTES = 150_000
ELSEWHERE = re.compile(r"""(?:src|href|from|import|url)\s*[=(]?\s*["'(]?\s*(?:https?:)?//""")
IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*"(/web/[^"]+)\"""")
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    upgrade(settings.database)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


def scripts() -> dict[str, str]:
    return {path: each.content.decode() for path, each in web_files().items() if ".js" in path}


def test_the_front_page_and_all_that_it_names(client: httpx.Client) -> None:
    front = client.get("/")
    assert front.headers["content-type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:src|href)="(/web/[^"]+)"', front.text)
    assert len(named) >= 3
    for path in named:
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("path", ["/", "/web/main.js", "/web/style.css", "/web/icon.svg"])
def test_a_page_may_run_and_ask_nothing_from_elsewhere(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_scripts_have_the_type_that_browsers_ask_for(client: httpx.Client) -> None:
    for path in scripts():
        assert client.get(f"/web/{path}").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_reference_is_a_page_of_the_dashboard(client: httpx.Client, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/#/api")


def test_what_a_browser_has_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/web/main.js")
    again = client.get("/web/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/web/", "/web/none.js", "/web/../router.py", "/web/%2e%2e/router.py", "/web/pages"]
)
def test_no_other_file_can_be_had(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_nothing_comes_from_another_host() -> None:
    for path, each in web_files().items():
        content = each.content.decode()
        assert not ELSEWHERE.search(content.replace("http://www.w3.org/2000/svg", "")), path


def test_no_text_becomes_markup() -> None:
    for path, content in scripts().items():
        assert not MARKUP.search(content), path


def test_every_import_is_there() -> None:
    for path, content in scripts().items():
        for imported in IMPORTED.findall(content):
            assert imported.removeprefix("/web/") in web_files(), (path, imported)


def test_the_scripts_are_small() -> None:
    assert sum(len(content) for content in scripts().values()) < SCRIPT_LIMIT_BYTES


def test_every_file_is_in_the_package() -> None:
    """What stands in the folder, but not in `package-data`, would be missing in a wheel."""
    folder = Path(__file__).parents[2] / "app" / "web" / "static"
    suffixes = {".js", ".css", ".html", ".svg"}
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == set(web_files())
    assert all(Path(each).suffix in suffixes for each in found)
    assert all(len(Path(each).parts) <= 2 for each in found)


def test_the_first_pages_job_is_the_worked_example() -> None:
    (written,) = re.findall(r"const DEMO = (\{.*?\});", scripts()["pages/start.js"], re.S)
    assert json.loads(written) == EXAMPLE


WORD = re.compile(r'\bt\("([a-z_]+)"')
ENTRY = re.compile(r'[{,\s]([a-z_]+): "((?:[^"\\]|\\.)*)"')


def catalogue(language: str) -> dict[str, str]:
    return dict(ENTRY.findall(scripts()[f"words.{language}.js"]))


def test_each_language_has_every_word() -> None:
    english, chinese = catalogue("en"), catalogue("zh")
    assert set(english) == set(chinese)
    used = {name for content in scripts().values() for name in WORD.findall(content)}
    assert len(used) > 150
    assert used <= set(english)
    for name, words in english.items():
        places = set(re.findall(r"\{\d\}", words))
        assert set(re.findall(r"\{\d\}", chinese[name])) == places, name


def test_each_state_has_its_word() -> None:
    """Words whose names are put together, from what the API can answer."""
    english = catalogue("en")
    jobs = ("queued", "running", "paused", "succeeded", "failed", "cancelled", "waiting")
    others = ("ingesting", "importing", "ready", "damaged")
    names = [f"status_{each}" for each in (*jobs, *others)]
    names += [f"deployment_{each}" for each in ("ready", "loading", "failed")]
    names += [f"modality_{each}" for each in ("image", "table", "text", "features", "joined")]
    names += [f"task_{each}" for each in ("classification", "multi_label", "regression")]
    assert set(names) <= set(english)
