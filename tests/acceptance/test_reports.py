"""A month for the head of the office, from real deliveries."""

from __future__ import annotations

import csv

GOOD = ("add", "Kantor tutup hari Jumat.", "--title", "Pengumuman", "--source", "SE 1/2026")


def test_a_month_in_every_form(desk):
    desk.run(*GOOD)
    desk.run("approve", "1")
    desk.run("daemon", "--once")
    desk.run(*GOOD[:1], "Yang kedua.", *GOOD[2:])
    desk.run("cancel", "2")
    found = desk.json("report")
    assert found["total"]["on_time"] == 1
    assert found["total"]["cancelled"] == 1
    assert sum(approval["number"] for approval in found["approvals"]) == 1
    assert "site\t2\t1\t0" in desk.run("report")
    said = desk.run("report", "--html", "m.html", "--csv", "m.csv", "--list", "list.csv")
    assert said.count("Written") == 3
    assert "<svg" in (desk.folder / "m.html").read_text()
    with (desk.folder / "list.csv").open(encoding="utf-8-sig", newline="") as file:
        [_, line] = list(csv.reader(file))
    assert line[2] == "Pengumuman"


def test_another_month_is_empty_and_a_wrong_one_is_refused(desk):
    assert desk.json("report", "--month", "2025-01")["total"]["planned"] == 0
    assert "2026-11" in desk.run("report", "--month", "November", code=2)


def test_a_file_that_cannot_be_written_is_a_sentence(desk):
    said = desk.run("report", "--html", "nowhere/m.html", code=1)
    assert "cannot be written" in said
