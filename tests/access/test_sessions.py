"""How long a login counts, by a clock of the test's own."""

from __future__ import annotations

import pytest

from nerve_core.access.sessions import Sessions

START = 1_800_000_000
LOGIN = {"iss": "https://login.example.org", "sub": "42", "iat": START, "nonce": "a"}


class Clock:
    now = float(START)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("NERVE_SESSION_IDLE_MIN", "30")
    monkeypatch.setenv("NERVE_SESSION_HOURS", "2")
    return Clock()


def test_ends_after_a_time_without_a_click(clock: Clock) -> None:
    sessions = Sessions(clock)
    assert sessions.is_new(LOGIN)
    sessions.use(LOGIN)
    assert not sessions.is_new(LOGIN)
    clock.now += 30 * 60
    assert sessions.over(LOGIN) is None
    clock.now += 1
    assert sessions.over(LOGIN) == "You were signed out after 30 minutes without a click; sign in again."


def test_looking_is_no_click_but_clicking_is(clock: Clock) -> None:
    sessions = Sessions(clock)
    sessions.use(LOGIN)
    for _ in range(3):
        clock.now += 29 * 60
        assert sessions.over(LOGIN) is None
        sessions.use(LOGIN)
    clock.now += 29 * 60
    assert sessions.over(LOGIN) is None
    clock.now += 2 * 60
    assert sessions.over(LOGIN) is not None


def test_ends_in_any_case(clock: Clock) -> None:
    sessions = Sessions(clock)
    while clock.now < START + 2 * 3600:
        sessions.use(LOGIN)
        assert sessions.over(LOGIN) is None
        clock.now += 600
    assert sessions.over(LOGIN) == "You were signed in for 2 hours; sign in again."


def test_signing_out_counts_wherever_the_cookie_was_copied(clock: Clock) -> None:
    sessions = Sessions(clock)
    sessions.use(LOGIN)
    assert sessions.end(LOGIN) is True
    assert sessions.end(LOGIN) is False
    assert sessions.over(LOGIN) == "You signed out; sign in again."
    assert sessions.over(LOGIN | {"nonce": "b"}) is None


def test_a_restart_forgets_who_clicked_but_lets_no_old_login_in(clock: Clock) -> None:
    clock.now += 31 * 60
    assert Sessions(clock).over(LOGIN) is not None


@pytest.mark.parametrize("began", [START + 3600, "soon", None, float("nan"), float("inf"), -1])
def test_a_login_from_no_time_that_can_be_is_over(clock: Clock, began: object) -> None:
    assert Sessions(clock).over(LOGIN | {"iat": began}) is not None


def test_what_is_too_old_to_count_is_forgotten(clock: Clock) -> None:
    sessions = Sessions(clock)
    for number in range(50):
        sessions.use(LOGIN | {"nonce": number})
        sessions.end(LOGIN | {"nonce": number})
    clock.now += 3 * 3600
    sessions.use(LOGIN | {"iat": clock.now})
    assert len(sessions._used) == 1
    assert not sessions._ended
    assert sessions.over(LOGIN | {"nonce": 3}) is not None
