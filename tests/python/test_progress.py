"""The bar that long imports show."""

import io
import sys
from types import SimpleNamespace

import pytest
import travelsense as ts
import travelsense._progress as progress
from travelsense._progress import Progress, lasting


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def terminal(monkeypatch):
    screen = Terminal()
    # pytest puts its own standard error back between a fixture and its test.
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=screen, modules={}))
    return screen


def test_short_imports_show_nothing(clock, terminal):
    shown = Progress("importing x")
    clock[0] = 0.9
    shown(1, 2, 0, None)
    shown.close()
    assert terminal.getvalue() == ""


def test_without_tqdm_a_line_says_how_far_it_is(clock, terminal, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    shown = Progress("importing x")
    for second in (1.5, 1.6, 2.5):
        clock[0] = second
        shown(int(1000 * second), 4000, 0, None)
    shown.close()
    assert terminal.getvalue() == "\rimporting x: 1,500 rows, 38 % \rimporting x: 2,500 rows, 62 % \n"


def test_with_tqdm_its_bar_is_shown(clock, terminal):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    shown = Progress("importing x")
    clock[0] = 2.0
    shown(10, None, 512, 1024)
    shown.close()
    assert "importing x:  50%" in terminal.getvalue()


def test_a_question_says_which_share_is_done(clock, terminal, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    shown = Progress("funnel")
    for second, share in ((0.5, 0.2), (1.5, 0.5), (2.5, 1.0)):
        clock[0] = second
        shown.share(share)
    shown.close()
    assert terminal.getvalue() == "\rfunnel: 50 % \rfunnel: 100 % \n"


def test_what_is_no_terminal_is_left_alone(clock, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=screen, modules={}))
    shown = Progress("importing x")
    clock[0] = 5.0
    shown(1, 2, 0, None)
    shown.close()
    assert screen.getvalue() == ""


def test_a_notebook_shows_it_although_it_is_no_terminal(clock, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=screen, modules={"ipykernel": None}))
    shown = Progress("funnel")
    clock[0] = 5.0
    shown.share(0.25)
    shown.close()
    assert screen.getvalue() == "\rfunnel: 25 % \n"


def slow(monkeypatch, shown):
    """What takes three ticks on a clock by which a tick is a second."""
    from threading import Event

    told, over = [], Event()
    monkeypatch.setattr(progress, "PAUSE", 0.001)
    monkeypatch.setattr(progress, "monotonic", lambda: float(len(told)))
    real = Progress.lasts

    def lasts(self):
        told.append(self)
        real(self)
        if len(told) >= 3:
            over.set()

    monkeypatch.setattr(Progress, "lasts", lasts)
    with shown:
        assert over.wait(5)


def test_what_does_not_say_how_far_it_is_shows_that_it_lasts(terminal, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    slow(monkeypatch, lasting("rebuilding"))
    assert terminal.getvalue().startswith("\rrebuilding: 1 s ")
    assert terminal.getvalue().endswith("\n")


def test_with_tqdm_its_line_is_shown(terminal, monkeypatch):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    slow(monkeypatch, lasting("rebuilding"))
    assert "rebuilding: 1 s" in terminal.getvalue()
    assert "it/s" not in terminal.getvalue()


def test_what_ends_soon_or_is_told_not_to_shows_nothing(terminal, monkeypatch):
    monkeypatch.setattr(progress, "PAUSE", 0.001)
    with ts.open(":memory:") as a:
        a.rebuild()
        monkeypatch.setattr(progress, "PATIENCE", 0.0)
        a.rebuild(progress=False)
    assert terminal.getvalue() == ""
