"""``python -m bench threads`` in a tiny version: every setting has its row, and the busy process ends."""

from bench import threads


def test_one_setting_is_measured_in_a_process_of_its_own(tmp_path) -> None:
    speed, seconds = threads.in_a_process({"OMP_NUM_THREADS": "1"}, threads.write_text(tmp_path / "text", 2_000), 1)
    assert speed > 0
    assert seconds > 0


def test_the_busy_process_ends() -> None:
    with threads.busy(1) as others:
        assert [other.poll() for other in others] == [None]
    assert [other.returncode for other in others] == [-9]


def test_every_setting_has_its_row_idle_and_busy(monkeypatch) -> None:
    speeds = iter(range(1000, 9000, 1000))
    monkeypatch.setattr(threads, "in_a_process", lambda setting, text, steps: (next(speeds), 1.5))
    head, _, *rows = threads.measure(words=100, steps=7).split("\n\n")[0].split("\n")
    assert head.count("words/s") == head.count("7 steps, s") == 2
    assert [row.split("  ")[0] for row in rows] == list(threads.SETTINGS)
    assert rows[0].split() == ["default", "1,000", "1.5", "5,000", "1.5"]
    assert rows[3].split() == ["one", "thread", "4,000", "1.5", "8,000", "1.5"]
