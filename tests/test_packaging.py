"""The wheel and the source archive: complete, and at work in another folder, without the checkout."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import icalendar
import pytest

from calfeed import __version__

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]  # one build for all


def ran(*command: str | Path, cwd: Path) -> str:
    """What the command prints on stdout, in an environment that knows nothing of the checkout."""
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, built by hatchling in an environment of its own."""
    folder = tmp_path_factory.mktemp("built")
    ran(sys.executable, "-m", "venv", folder / "builder", cwd=folder)
    ran(folder / "builder/bin/pip", "install", "--quiet", "hatchling", cwd=folder)
    ran(folder / "builder/bin/hatchling", "build", "--directory", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return BytesParser().parsebytes(archive.read(f"calfeed-{__version__}.dist-info/METADATA"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's folder in a fresh environment: the wheel, and what it depends on as this environment has it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    ran(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    ran(folder / "venv/bin/pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    (packages,) = folder.glob("venv/lib/python3*/site-packages")
    # A path in a .pth file comes last, and its own .pth files (the checkout's, editable) are not read.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return folder / "venv" / "bin"


def own_files() -> set[str]:
    """Every file of the package, as a path from its parent."""
    found = (path for path in (ROOT / "calfeed").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT)) for path in found}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Code, types, templates, help with its pictures, migrations, the starting list."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.startswith(f"calfeed-{__version__}.dist-info/")}
        assert f"calfeed-{__version__}.dist-info/licenses/LICENSE" in archive.namelist()
    assert names == own_files()
    assert {
        "calfeed/py.typed",
        "calfeed/events/starter.toml",
        "calfeed/help/index.md",
        "calfeed/help/pictures/agenda.png",
        "calfeed/ledger/migrations/versions/0001_first.py",
        "calfeed/web/templates/layout.html",
        "calfeed/web/i18n/zh.json",
    } <= names


def test_the_source_archive_can_be_tested(built: Path) -> None:
    """It has the package, the tests, the lock and what make needs, and no environment or module of anybody's."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert own_files() <= names
    assert {"Makefile", "Procfile", "LICENSE", "README.md", "requirements.lock", "events.toml"} <= names
    assert {".pre-commit-hooks.yaml", ".github/CONTRIBUTING.md", "tests/conftest.py", "tests/test_readme.py"} <= names
    assert [name for name in names if "node_modules" in name or "/.venv" in name or name.endswith(".pyc")] == []
    assert sdist.stat().st_size < 8_000_000


def test_what_the_metadata_promises(metadata: Message) -> None:
    assert (metadata["Version"], __version__) == ("1.0.0", "1.0.0")
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_all("Provides-Extra") == ["apprise", "postgres"]
    versions = [one for one in metadata.get_all("Classifier", []) if "Python :: 3." in one]
    assert versions == [f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)]
    assert metadata.get_payload(decode=True) == (ROOT / "README.md").read_bytes()


def test_the_wheel_alone_does_its_work_in_another_folder(installed: Path, tmp_path: Path) -> None:
    calfeed = installed / "calfeed"
    where = ran(installed / "python", "-c", "import calfeed; print(calfeed.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert ran(calfeed, "--version", cwd=tmp_path) == "calfeed 1.0.0\n"
    ran(calfeed, "init", cwd=tmp_path)
    assert ran(calfeed, "check", cwd=tmp_path) == ""
    feed = ran(calfeed, "feed", cwd=tmp_path)
    titles = {str(one["SUMMARY"]) for one in icalendar.Calendar.from_ical(feed).walk("VEVENT")}
    assert {"Opening talk", "The conference", "Rehearsal"} <= titles
    ran(calfeed, "upgrade", cwd=tmp_path)
    ran(calfeed, "build", "--out", "site", "--base-url", "https://calendar.example.org", cwd=tmp_path)
    pages = {str(path.relative_to(tmp_path / "site")) for path in (tmp_path / "site").rglob("*")}
    assert {"index.html", "feeds/all.ics", "help/index.html", "static/style.css", "revisions.json"} <= pages


def test_the_types_are_found_by_who_imports_it(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text("from calfeed.events.parse import load\n\nreveal_type(load([]).calendar.id)\n")
    python = installed / "python"
    said = ran(sys.executable, "-m", "mypy", "--python-executable", python, "use.py", cwd=tmp_path)
    assert 'Revealed type is "str"' in said or 'Revealed type is "builtins.str"' in said
