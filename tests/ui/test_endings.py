"""Sessions end when their browser has been gone for long enough, and not before."""

from ui.endings import GRACE, Endings


def test_a_session_ends_once_its_browser_has_been_gone_for_the_grace():
    now, active, ended = [0.0], {"a", "b"}, []
    endings = Endings(active.__contains__, ended.append, lambda: now[0])
    endings.watch("a")
    endings.watch("b")
    active.discard("a")
    now[0] = GRACE - 1
    endings.look()
    assert ended == []
    now[0] = GRACE + 1
    endings.look()
    assert ended == ["a"]
    now[0] = 10 * GRACE
    endings.look()
    assert ended == ["a"], "b is still connected, and a has ended already"


def test_a_connection_that_comes_back_starts_the_grace_anew():
    now, active, ended = [0.0], {"a"}, []
    endings = Endings(active.__contains__, ended.append, lambda: now[0])
    endings.watch("a")
    active.clear()
    now[0] = GRACE - 1
    active.add("a")
    endings.look()
    active.clear()
    now[0] = 2 * GRACE - 2
    endings.look()
    assert ended == []
    now[0] = 2 * GRACE
    endings.look()
    assert ended == ["a"]


def test_what_was_to_be_done_at_the_end_is_done_once_each():
    done: list[str] = []
    endings = Endings(lambda _: True, lambda _: None)

    def fail() -> None:
        raise OSError("no")

    endings.at_end("a", lambda: done.append("first"))
    endings.at_end("a", fail)
    endings.at_end("a", lambda: done.append("second"))
    endings.at_end("b", lambda: done.append("other"))
    endings.finish("a")
    endings.finish("a")
    endings.finish("nobody")
    assert done == ["first", "second"]
