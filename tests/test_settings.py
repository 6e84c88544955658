"""The environment gives Settings, or every fault of it by name."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from calfeed.errors import SettingsError
from calfeed.settings import Settings, secret


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    assert Settings.from_env({}) == Settings(
        events=Path("events.toml"), database_url="sqlite:///calfeed.db", base_url=None, log="text", port=8000
    )


def test_every_setting_is_read() -> None:
    settings = Settings.from_env(
        {
            "CALFEED_EVENTS": "lists/",
            "CALFEED_DATABASE_URL": "sqlite:////srv/ledger.db",
            "DATABASE_URL": "postgres://ignored/x",
            "CALFEED_BASE_URL": "https://calendar.example.org/",
            "CALFEED_ADMIN_TOKEN": "correct horse battery",
            "CALFEED_ALLOW_PRIVATE_WEBHOOKS": "127.0.0.0/8, fd00::/8",
            "CALFEED_HEARTBEAT_URL": "https://beat.example.org/x",
            "CALFEED_LOG": "json",
            "CALFEED_TRUSTED_PROXIES": "1",
            "PORT": "9000",
            "WEB_CONCURRENCY": "2",
        }
    )
    assert settings == Settings(
        events=Path("lists"),
        database_url="sqlite:////srv/ledger.db",
        base_url="https://calendar.example.org",
        admin_token="correct horse battery",
        allow_private_webhooks=(ip_network("127.0.0.0/8"), ip_network("fd00::/8")),
        heartbeat_url="https://beat.example.org/x",
        log="json",
        trusted_proxies=1,
        port=9000,
        workers=2,
    )


def test_the_platforms_database_url_serves_and_its_old_scheme_is_mended() -> None:
    assert Settings.from_env({"DATABASE_URL": "postgres://u:p@h/n"}).database_url == "postgresql://u:p@h/n"


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from a file\n")
    assert Settings.from_env({"CALFEED_ADMIN_TOKEN_FILE": str(file)}).admin_token == "from a file"
    assert secret("env:SLACK", {"SLACK_FILE": str(file)}) == "from a file"
    assert secret(f"file:{file}", {}) == "from a file"


def test_unset_and_unreadable_references_are_none(tmp_path: Path) -> None:
    assert [secret(r, {"EMPTY": ""}) for r in (None, "env:NONE", "env:EMPTY", f"file:{tmp_path / 'none'}")] == [
        None
    ] * 4
    assert secret("https://hooks.example.org/x", {}) == "https://hooks.example.org/x"


def test_all_faults_are_told_at_once_by_name_and_without_the_secret() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(
            {
                "CALFEED_DATABASE_URL": "mysql://user:hunter2@h/n",
                "CALFEED_BASE_URL": "calendar.example.org",
                "CALFEED_LOG": "xml",
                "PORT": "70000",
                "CALFEED_ALLOW_PRIVATE_WEBHOOKS": "localhost",
                "CALFEED_ADMIN_TOKEN": "one",
                "CALFEED_ADMIN_TOKEN_FILE": "/nowhere",
            }
        )
    assert [problem.path for problem in caught.value.problems] == [
        "CALFEED_DATABASE_URL",
        "CALFEED_BASE_URL",
        "CALFEED_ADMIN_TOKEN",
        "CALFEED_ALLOW_PRIVATE_WEBHOOKS",
        "CALFEED_LOG",
        "PORT",
    ]
    assert "hunter2" not in str(caught.value)
    assert "environment: error: PORT: expected a whole number from 1 to 65535, got '70000'" in str(caught.value)


def test_no_secret_stands_in_repr() -> None:
    settings = Settings(
        database_url="postgresql://u:hunter2@h/n", admin_token="hunter2", heartbeat_url="https://h/hunter2"
    )
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "calfeed.db",
        "sqlite:calfeed.db",
        "sqlite://calfeed.db",
        "sqlite://",
        "sqlite:///",
        "mysql://h/n",
        "postgresql://u:p@h:port/n",
    ],
)
def test_a_database_that_is_nowhere_is_said_by_the_name_of_the_setting(url: str) -> None:
    with pytest.raises(SettingsError) as told:
        Settings.from_env({"CALFEED_DATABASE_URL": url})
    (problem,) = told.value.problems
    expected = "expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"
    assert (problem.path, problem.message) == ("CALFEED_DATABASE_URL", expected)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///a.db",
        "postgresql:///n",
        "postgresql://u:p/:@h:5432/n",
        "postgresql://u@[::1]:5432/n?connect_timeout=3",
    ],
)
def test_a_database_may_stand_there(url: str) -> None:
    assert Settings.from_env({"DATABASE_URL": url}).database_url == url
