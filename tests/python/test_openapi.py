"""The server as strangers meet it: schemathesis makes requests of its own OpenAPI document, right ones and wrong ones.

The document is the one the server serves; `tests/schemathesis` says how it is asked and what a schema cannot say.
"""

import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ROOT

WIDGET = {
    "type": "metric",
    "title": "Users",
    "dataSource": "user_events",
    "visualization": "number",
    "config": {},
}
NAMES = ["page_view", "search", "view_trip", "start_booking", "complete_booking"]


@pytest.fixture(scope="module")
def program():
    folder = subprocess.run([ROOT / ".setup/folder"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = Path(folder.strip()) / "debug" / "travelsense"
    assert found.is_file(), f"{found} is not built: run .setup/native"
    return found


@pytest.fixture
def server(program, tmp_path):
    """A server over a few events of the last weeks: its address, and what makes tokens for it."""
    now = datetime.now(UTC)
    events = tmp_path / "events.ndjson"
    with events.open("w") as file:
        for user in range(200):
            for depth, name in enumerate(NAMES):
                if user % (depth + 1) == 0:
                    at = now - timedelta(days=user % 50, minutes=10 - depth)
                    row = {"userId": f"u{user}", "name": name, "ts": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
                    file.write(json.dumps(row) + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRAVELSENSE_")}
    environment["TRAVELSENSE_JWT_SECRET"] = secrets.token_urlsafe(48)
    data = ["--data", tmp_path / "data"]
    subprocess.run([program, "import", events, *data], env=environment, check=True, capture_output=True)
    log = tmp_path / "log"
    arguments = ["serve", *data, "--bind", "127.0.0.1:0", "--rate-limit", "off", "--log-format", "json"]
    with log.open("w") as sink:
        running = subprocess.Popen([program, *arguments], env=environment, stderr=sink)
    try:
        yield address(log, running), lambda user: minted(program, environment, user)
    finally:
        running.terminate()
        assert running.wait(20) == 0


def address(log, running):
    for _ in range(600):
        for line in log.read_text().splitlines():
            said = json.loads(line)
            if said.get("message") == "listening":
                return f"http://{said['address']}"
        assert running.poll() is None, log.read_text()
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


def minted(program, environment, user):
    arguments = [program, "token", "--sub", user, "--role", "admin"]
    return subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_schemathesis_finds_nothing(server):
    url, token = server
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request(
        "POST",
        "/api/analytics-dashboard/custom",
        json.dumps({"name": "Public", "isPublic": True, "widgets": [WIDGET]}),
        {"Authorization": f"Bearer {token('somebody else')}"},
    )
    dashboard = json.load(connection.getresponse())["data"]["_id"]
    connection.close()
    command = [
        Path(sys.executable).with_name("schemathesis"),
        *["--config-file", "tests/schemathesis/schemathesis.toml"],
        *["run", f"{url}/openapi.json", "--checks", "all", "--workers", "2"],
        # More before a release: TRAVELSENSE_EXAMPLES=50.
        *["--max-examples", os.environ.get("TRAVELSENSE_EXAMPLES", "5")],
        *["--header", f"Authorization: Bearer {token('tester')}"],
    ]
    environment = {**os.environ, "TRAVELSENSE_TEST_DASHBOARD": dashboard}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
