"""The API keeps what its OpenAPI document says: judged by schemathesis, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from calfeed.channels.transport import Refused
from calfeed.events.model import Duration
from calfeed.ledger import Ledger
from calfeed.ledger.allowances import Quota
from calfeed.ledger.audiences import Audience
from calfeed.ledger.subscriptions import Wish
from calfeed.publish import Publisher
from calfeed.settings import Settings
from calfeed.web.app import create_app
from calfeed.web.limits import Limiter

pytestmark = pytest.mark.judges

JUDGES = Path(__file__).parents[1] / "judges"
BIN = JUDGES / ".venv-api" / "bin"
NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
OPERATOR = "a-token-for-operators-only"

SOURCE = """
[calendar]
id = "visit"
name = { en = "The visit", ru = "Визит" }
timezone = "Asia/Shanghai"
url = "https://calendar.example.org"

[[feeds]]
id = "expo"
name = "EXPO"
categories = ["expo"]

[[events]]
id = "talks"
summary = "Talks"
start = 2024-05-16T10:00:00
location = { name = "Beijing", geo = [39.9, 116.4] }
categories = ["summit"]
rrule = "FREQ=DAILY;COUNT=3"

[[events.overrides]]
recurrence_id = 2024-05-17T10:00:00
start = 2024-05-17T15:00:00

[[events]]
id = "expo"
summary = { en = "EXPO", ru = "ЭКСПО" }
start = 2024-05-17
end = 2024-05-21
categories = ["expo"]
"""


@dataclass
class Api:
    """A running API, an active subscription and its token."""

    url: str
    subscription: str
    token: str


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """Answers without bounds on how often it is asked, and looks no host up."""
    source = tmp_path / "events.toml"
    source.write_text(SOURCE)
    with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}") as ledger:
        ledger.upgrade()
        publisher = Publisher(source, ledger, clock=lambda: NOW)
        publisher.reload()
        app = create_app(publisher, ledger, Settings(events=source, admin_token=OPERATOR), clock=lambda: NOW)
        counter = app.extensions["calfeed.self_service"]
        counter.asking = counter.writing = Limiter(Quota("tests", 10**9, timedelta(hours=1)))
        counter.check = _only_this_machine
        one, token = ledger.self_service.create(WISH, NOW)
        ledger.self_service.verify(one.id, NOW)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Api(f"http://127.0.0.1:{server.server_port}/api/v1", one.id, token)
        server.shutdown()


WISH = Wish(
    audience=Audience(feed="all", categories=(), before=(Duration(days=1),)),
    kind="webhook",
    url="https://example.org/hook",
    host="example.org",
    home="https://calendar.example.org",
)


def _only_this_machine(url: str) -> None:
    if not url.startswith("https://127.0.0.1/"):
        raise Refused("not here")


@pytest.mark.parametrize(("part", "secret"), [("events", ""), ("subscriptions", "token"), ("operator", OPERATOR)])
def test_schemathesis_finds_nothing(api: Api, part: str, secret: str) -> None:
    """Nothing undocumented comes back, nothing documented is refused, nothing wrong is taken, and nothing breaks."""
    command = [BIN / "schemathesis", "run", f"{api.url}/openapi.json", "--url", api.url, "--include-tag", part]
    command += ["--max-examples", "25", "--seed", "1", "--generation-database", "none"]
    if secret:
        command += ["-H", f"Authorization: Bearer {api.token if secret == 'token' else secret}"]
    env = {**os.environ, "SUBSCRIPTION": api.subscription, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": "."}
    judged = subprocess.run(
        command, check=False, cwd=JUDGES / "api", env=env, capture_output=True, text=True, timeout=600
    )
    assert judged.returncode == 0, judged.stdout[-5000:] + judged.stderr[-2000:]


def test_the_document_is_valid(api: Api, tmp_path: Path) -> None:
    """By the schema of OpenAPI 3.1 itself."""
    import requests

    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(requests.get(f"{api.url}/openapi.json", timeout=10).json()))
    judged = subprocess.run(
        [BIN / "openapi-spec-validator", path], check=False, capture_output=True, text=True, timeout=60
    )
    assert (judged.returncode, judged.stdout.strip()) == (0, f"{path}: OK")
