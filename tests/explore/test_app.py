"""What the server answers, and to whom."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dse.cost import Budget
from dse.errors import InvalidValue
from dse.explore.app import make_app
from dse.explore.cloud import Cloud
from dse.explore.explorer import COSTS, Explorer
from dse.explore.guard import TOKEN
from dse.explore.server import HOST, listening
from dse.network import parse_network
from dse.space import load_space

POSTS = (
    "update",
    "options",
    "source",
    "start",
    "save",
    "emit",
    "onnx",
    "train",
    "cancel",
    "enqueue",
)


def test_the_page_holds_its_token_and_asks_nobody_else(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert f'<meta name="token" content="{client.headers[TOKEN]}">' in page.text
    assert "http" not in page.text.replace("http://www.w3.org", "")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in ("colours.css", "explore.css", "base.js", "explore.js", "plotly.js"):
        assert f"/assets/{name}" in page.text or name == "base.js"
        assert client.get(f"/assets/{name}").status_code == 200
    assert client.get("/assets/..%2f..%2fpyproject.toml").status_code == 404


def test_a_move_is_answered(client: TestClient, explorer: Explorer) -> None:
    decisions = explorer.space.sample(random.Random(1))
    asked = {"decisions": decisions, "budget": {"params": 1}}
    answer = client.post("/update", json=asked).json()
    assert answer["decisions"] == decisions
    assert answer["design"]["over"].keys() == {"params"}
    source = client.post("/source", json=asked).json()
    assert parse_network(source["json"], "x") == explorer.space.bind(decisions)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "evil.example:8610"},
        {"host": "127.0.0.1.evil.example"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused(
    client: TestClient, method: str, headers: dict[str, str]
) -> None:
    path = "/" if method == "GET" else "/update"
    answer = client.request(method, path, headers=headers, content=b'{"decisions": {}}')
    assert answer.status_code == 403
    assert answer.json()["problem"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_what_is_posted_needs_the_token(client: TestClient, path: str, token: str) -> None:
    headers = {TOKEN: token.encode()}
    answer = client.post(f"/{path}", json={"decisions": {}}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", ["", "[]", "{", "{}", '{"decisions": 3, "budget": {}}'])
def test_nonsense_is_answered_with_a_sentence(client: TestClient, path: str, body: str) -> None:
    answer = client.post(f"/{path}", content=body)
    assert answer.status_code == 400
    assert answer.json()["problem"]


def test_a_request_is_not_endless(client: TestClient) -> None:
    answer = client.post("/update", content=b" " * 200_001)
    assert answer.status_code == 403


@pytest.mark.parametrize("limit", ["much", True, None, -1, 0])
def test_a_limit_is_a_number_above_zero(client: TestClient, limit: object) -> None:
    answer = client.post("/update", json={"decisions": {}, "budget": {"params": limit}})
    assert answer.status_code == 400
    assert "limit" in answer.json()["problem"] or "budget" in answer.json()["problem"]


def test_designs_are_kept_and_never_overwritten(client: TestClient, explorer: Explorer) -> None:
    rng = random.Random(0)
    one, other = explorer.space.sample(rng), explorer.space.sample(rng)
    answer = client.post("/save", json={"decisions": one, "name": "mine"}).json()
    assert answer == {"said": "saved as designs/mine.json"}
    kept = Path("designs/mine.json").read_text()
    assert parse_network(kept, "mine") == explorer.space.bind(one)
    assert client.post("/save", json={"decisions": one, "name": "mine"}).status_code == 200
    answer = client.post("/save", json={"decisions": other, "name": "mine"})
    assert answer.status_code == 400
    assert "another design" in answer.json()["problem"]
    assert Path("designs/mine.json").read_text() == kept
    said = client.post("/emit", json={"decisions": one}).json()["said"]
    assert Path(said.removeprefix("written to ")).read_text().startswith('"""')


@pytest.mark.parametrize("name", ["../mine", "a/b", "Mine!", "x" * 400, 7])
def test_a_name_cannot_leave_the_folder(
    client: TestClient, explorer: Explorer, name: object
) -> None:
    decisions = explorer.space.sample(random.Random(0))
    answer = client.post("/save", json={"decisions": decisions, "name": name})
    assert answer.status_code == 400
    assert not list(Path().rglob("*.json"))


def test_runs_that_were_not_asked_for_are_not_shown(client: TestClient) -> None:
    for path in ("/runs/x", "/runs/%2e%2e", "/runs/%2e%2e%2fx"):
        assert client.get(path).status_code in (400, 404)
    asked: dict[str, Any] = {"run": "x", "trial": 1}
    assert client.post("/start", json=asked).status_code == 400
    assert client.post("/enqueue", json={"decisions": {}, "run": "x"}).status_code == 400


def test_the_cloud_is_drawn_beside_the_page_and_within_the_budget() -> None:
    explorer = Explorer(load_space("hybrid-mobilenet"), Budget(params=1.5e6))
    app, token = make_app(explorer, Cloud(explorer))
    with TestClient(app, base_url="http://127.0.0.1:1", headers={TOKEN: token}) as client:
        have: dict[str, list[float]] = {name: [] for name in COSTS}
        presets: list[dict[str, Any]] = []
        while not presets or len(have["params"]) < 4:
            more = client.get(f"/cloud?since={len(have['params'])}").json()
            assert more["problem"] == ""
            presets = more["presets"]
            for name in COSTS:
                have[name] += more["costs"][name]
            time.sleep(0.05)
        assert max(have["params"]) <= 1.5e6
        taken = client.post("/start", json={"point": 3}).json()["decisions"]
        assert explorer.space.cost(taken).params == have["params"][3]
        named = {preset["name"]: preset for preset in presets}
        decisions = next(p for name, p in named.items() if "hybrid" in name)["decisions"]
        answer = client.post("/update", json={"decisions": decisions}).json()
        assert answer["design"]["digest"] == explorer.space.bind(decisions).digest


@pytest.mark.slow
def test_a_budget_that_nothing_fits_is_said() -> None:
    explorer = Explorer(load_space("fire"), Budget(params=10))
    cloud = Cloud(explorer)
    cloud.begin()
    try:
        while not cloud.finished:
            time.sleep(0.05)
        assert "params <= 10" in cloud.document(0)["problem"]
    finally:
        cloud.close()


def test_a_taken_port_is_said_and_the_next_free_one_found() -> None:
    first = listening(None)
    try:
        port = first.getsockname()[1]
        assert first.getsockname()[0] == HOST == "127.0.0.1"
        with pytest.raises(InvalidValue, match=f"the port {port} cannot be listened at"):
            listening(port)
        second = listening(None)
        assert second.getsockname()[1] > port
        second.close()
    finally:
        first.close()


def test_every_answer_is_one_json_document(client: TestClient) -> None:
    for path in ("/cloud", "/cloud?since=x", "/jobs"):
        json.loads(client.get(path).text)
