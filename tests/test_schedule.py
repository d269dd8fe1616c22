"""When jobs are looked at: the grid, and what is learned from the jobs before."""

from hypothesis import given, strategies as st

from llamaclassify.waiting.schedule import Schedule

PAUSES = st.floats(0.001, 100)


@given(st.floats(0, 1e6), st.floats(0, 1e5), PAUSES)
def test_a_first_look_is_never_early_and_at_most_a_quarter_of_its_pause_late(origin, later, pause):
    moment = origin + later
    late = Schedule(origin).after(moment, pause) - moment
    assert -1e-6 <= late <= pause / 4 + 1e-6


@given(st.floats(0, 1e6), st.floats(0, 1e5), PAUSES)
def test_a_look_is_made_at_most_an_eighth_of_its_pause_from_when_it_is_due(origin, later, pause):
    moment = origin + later
    assert abs(Schedule(origin).near(moment, pause) - moment) <= pause / 8 + 1e-6


@given(st.floats(0, 1e6), st.floats(0, 1e5))
def test_a_last_look_is_never_late_and_hardly_early(origin, later):
    moment = origin + later
    early = moment - Schedule(origin).before(moment)
    assert -1e-6 <= early <= 1 / 64 + 1e-6


def test_looks_that_are_due_together_are_made_together():
    schedule = Schedule(0)
    assert len({schedule.near(10.126 + n / 1000, 1.0) for n in range(248)}) == 1
    assert schedule.near(10.6, 4.0) == schedule.near(10.9, 1.0) == 11


def test_the_first_pause_is_the_policys_until_enough_is_known():
    schedule = Schedule(0)
    for _ in range(7):
        schedule.learn(3)
        assert schedule.first_pause(0.5) == 0.5
    schedule.learn(3)
    assert schedule.first_pause(0.5) == 3


def test_jobs_that_take_about_the_same_are_looked_at_when_nearly_all_have_ended():
    schedule = Schedule(0)
    for n in range(100):
        schedule.learn(2 + n / 1000)
    assert schedule.first_pause(0.5) == 2.09


def test_jobs_that_differ_are_looked_at_when_the_first_have_ended():
    schedule = Schedule(0)
    for n in range(100):
        schedule.learn(n / 10)
    assert schedule.first_pause(0.5) == 1.0 + 0.25


def test_it_follows_when_jobs_become_faster():
    schedule = Schedule(0)
    for _ in range(300):
        schedule.learn(60)
    for _ in range(30):
        schedule.learn(1)
    assert schedule.first_pause(0.5) == 1.25


def test_only_the_latest_count_whatever_their_order():
    schedule = Schedule(0)
    numbers = [n * 7919 % 1000 for n in range(2000)]
    for number in numbers:
        schedule.learn(number)
    assert schedule._sorted == sorted(numbers[-256:])
