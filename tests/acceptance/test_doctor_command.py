"""The doctor as an admin calls it."""

from __future__ import annotations

from crosspost.testing.loopback import Platform, Reply

SECRET = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"


def test_a_new_office_is_fit_and_says_what_could_be_better(desk):
    said = desk.run("doctor")
    assert "crosspost log init" in said
    assert "BAD" not in said
    found = desk.json("doctor")
    assert {"about", "state", "sentence", "next"} == set(found[0])
    assert {one["state"] for one in found} == {"well", "note"}


def test_what_is_bad_ends_with_1(desk):
    (desk.folder / ".env").chmod(0o644)
    assert "chmod 600" in desk.run("doctor", code=1)
    (desk.folder / "crosspost.db").unlink()
    said = desk.run("doctor", code=1)
    assert "chmod 600" in said
    assert "missing or empty" in said


def test_online_it_asks_each_platform(desk):
    class Hook(Platform):
        def answer(self, seen) -> Reply:
            return Reply(200, {})

        def phase_of(self, seen) -> str:
            return "check"

    with Hook() as hook:
        with (desk.folder / "crosspost.toml").open("a") as file:
            file.write(
                f'[channels.hook]\nplatform = "webhook"\nurl = "{hook.url}/in"\n'
                'secret = "env:HOOK"\n'
            )
        with (desk.folder / ".env").open("a") as file:
            file.write(f"HOOK={SECRET}\n")
        desk.run("doctor")
        assert hook.requests == []
        assert "hook: works" in desk.run("doctor", "--online")
        hook.fault("status:401", on="check")
        assert "hook: does NOT work" in desk.run("doctor", "--online", code=1)
