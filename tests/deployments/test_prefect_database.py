"""Prefect's database that is damaged: said with what to do, and set aside before a server is started."""

import sqlite3
from contextlib import closing

import pytest

from deployments import doctor_prefect, prefect_database
from lake import settings


@pytest.fixture
def database(layout, monkeypatch):
    """One that is whole, with a few pages."""
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    path = prefect_database.path(str(layout.base))
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE run (name TEXT)")
        db.executemany("INSERT INTO run VALUES (?)", [("x" * 1000,)] * 100)
    return path


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def nonsense(path):
    path.write_bytes(b"nonsense" * 1000)


def test_one_that_is_whole_empty_or_not_there_is_left_as_it_is(database, layout):
    assert prefect_database.set_aside(str(layout.base)) == []
    database.write_bytes(b"")
    assert prefect_database.set_aside(str(layout.base)) == []
    database.unlink()
    assert prefect_database.set_aside(str(layout.base)) == []


@pytest.mark.parametrize("damage", [cut, nonsense])
def test_one_that_is_damaged_is_told_by_doctor_and_set_aside_whole(database, layout, damage):
    damage(database)
    before = database.read_bytes()
    found = {one.name: one for one in doctor_prefect.all_of(settings.load(), None)}
    assert found["Prefect database"].state == "fail"
    assert "crypto-lake down, then crypto-lake up" in found["Prefect database"].remedy
    (line,) = prefect_database.set_aside(str(layout.base))
    assert "it is prefect.db.damaged now" in line
    assert not database.exists()
    assert database.with_name("prefect.db.damaged").read_bytes() == before
