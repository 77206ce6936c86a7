"""Templates: what they make of an announcement's fields, and what is wrong with one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.errors import ContentError
from crosspost.post import Capabilities, Content, Markup
from crosspost.rendering import render, templates
from crosspost.rendering.spans import text_of
from crosspost.rendering.templates import DEFAULTS, VALUES
from crosspost.style import Style

PAGE = "https://kejari.go.id/p/k7q2/"
CONTENT = Content(
    code="k7q2",
    revision=1,
    title="Loket tutup",
    body="Loket 4 tutup **hari ini**.",
    source="Surat B-12/2026",
    link="",
    lang="id",
    urgency="normal",
    tags=("layanan publik", "loket"),
)
TELEGRAM = Capabilities(markup=Markup.TELEGRAM_HTML)
PLAIN = Capabilities()
MINIMAL = "{{ body }}\n{{ link }}\n{{ source }}"


def text(template: str | None = None, can: Capabilities = PLAIN, **fields: object) -> str:
    style = Style(templates={"normal": template, "urgent": template} if template else {},
                  signature="Humas Kejari")  # fmt: skip
    content = replace(CONTENT, **fields)  # type: ignore[arg-type]
    (post,) = render(content, can, len, page=PAGE, channel="main", style=style, office="Kejari")
    return post.text


def test_without_a_template_title_text_link_source_hashtags_and_signature_follow() -> None:
    assert text() == (
        "Loket tutup\n\nLoket 4 tutup hari ini.\n\n"
        f"Selengkapnya: {PAGE}\nSumber: Surat B-12/2026\n\n#LayananPublik #Loket\n\nHumas Kejari"
    )


def test_an_urgent_one_says_so_in_its_own_language() -> None:
    assert text(urgency="urgent").startswith("Penting: Loket tutup\n\n")
    assert text(urgency="urgent", lang="en").startswith("Important: Loket tutup\n\n")
    assert text(urgency="urgent", title="").startswith("Penting\n\nLoket 4")


@pytest.mark.parametrize("kind", templates.CLASSES)
def test_the_default_is_the_template_that_stands_in_the_documentation(kind: str) -> None:
    some = {"link": PAGE, "read_more": f"Baca: {PAGE}", "source_line": "Sumber: S", "title": "J",
            "important": "P: J", "hashtags": "#A #B", "signature": "H https://x.id"}  # fmt: skip
    for chosen in product((True, False), repeat=len(some)):
        values = {name: "" for name in VALUES if name != "body"} | {"urgent": True}
        values |= {n: v for (n, v), keep in zip(some.items(), chosen, strict=True) if keep}
        one, other = templates.frame(DEFAULTS[kind], values), templates.default(kind, values)
        said = [[(text_of(row.spans), row.optional) for row in frame.tail if row.spans]
                for frame in (one, other)]  # fmt: skip
        assert said[0] == said[1]
        for lines in ("head", "tail"):
            spans = [templates.joined(getattr(frame, lines)) for frame in (one, other)]
            assert spans[0] == spans[1]
        assert (one.before, one.after) == (other.before, other.after)


@pytest.mark.parametrize(
    ("template", "made"),
    [
        (MINIMAL, f"Loket 4 tutup hari ini.\n{PAGE}\nSurat B-12/2026"),
        ("{{ office }}:\n\n\n\n{{ body }}\n\n{{ source }} ({{ link }})\n\n\n",
         f"Kejari:\n\nLoket 4 tutup hari ini.\n\nSurat B-12/2026 ({PAGE})"),
        ("{% if urgent %}\nSEGERA\n{% else %}\nPengumuman\n{% endif %}\n\n" + MINIMAL,
         f"Pengumuman\n\nLoket 4 tutup hari ini.\n{PAGE}\nSurat B-12/2026"),
        ("{{ title|upper }}\n{{ body }}\n{{ link }} {{ source }} {{ lang }}",
         f"LOKET TUTUP\nLoket 4 tutup hari ini.\n{PAGE} Surat B-12/2026 id"),
    ],
)  # fmt: skip
def test_a_template_decides_which_lines_there_are(template: str, made: str) -> None:
    assert templates.problem(template) == ""
    assert text(template) == made


def test_a_line_whose_values_are_empty_leaves_no_gap() -> None:
    template = "Satu\n{{ title }}\nDua\n\n" + MINIMAL
    assert text(template, title="").startswith("Satu\nDua\n\nLoket")


def test_bold_and_italic_are_the_platform_s_own() -> None:
    template = "{{ title|bold }} {{ office|italic }}\n\n" + MINIMAL
    assert text(template, TELEGRAM).startswith("<b>Loket tutup</b> <i>Kejari</i>\n\nLoket 4")


def test_optional_lines_go_from_the_last_to_the_first_before_the_body_is_touched() -> None:
    whole = text()
    for left_out in ("\n\nHumas Kejari", "\n\n#LayananPublik #Loket"):
        shorter = whole.replace(left_out, "")
        assert text(can=replace(PLAIN, max_length=len(whole) - 1)) == shorter
        whole = shorter
    cut = text(can=replace(PLAIN, max_length=len(whole) - 1))
    assert cut.startswith("Loket tutup\n\nLoket 4 tutup hari…")
    assert cut.endswith("Sumber: Surat B-12/2026")


def test_what_an_author_writes_is_never_read_as_a_template() -> None:
    evil = "{{ source.__class__ }} {% for x in y %} {{ 7 * 7 }}"
    made = text(MINIMAL, body=f"`{evil}`", source=evil, title=evil)
    assert made == f"{evil}\n{PAGE}\n{evil}"


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_no_text_can_bring_signs_of_the_template_in(title: str, body: str, source: str) -> None:
    signs = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5\ufdd6"
    made = text(title=f"a{title}{signs}", body=f"b{body}{signs}", source=f"c{source}{signs}")
    assert not set(made) & set(signs)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ body }}\n{{ link }}", "leaves out source"),
        ("{{ body }}\n{{ source }}", "leaves out link"),
        ("{{ link }} {{ source }}", "a line with nothing but {{ body }}"),
        ("Isi: {{ body }}\n{{ link }} {{ source }}", "a line with nothing but {{ body }}"),
        ("{{ body }", "does not work"),
        ("{% if %}\n" + MINIMAL, "does not work"),
        ("{{ tittle }}\n" + MINIMAL, "'tittle' is undefined"),
        ("{{ title.x.y }}\n" + MINIMAL, "does not work"),
        ("{{ 1 / 0 }}\n" + MINIMAL, "does not work"),
        ("{{ title.__class__.__mro__ }}\n" + MINIMAL, "does not work"),
        ("{{ cycler.__init__ }}\n" + MINIMAL, "does not work"),
        ("{% include 'x' %}\n" + MINIMAL, "does not work"),
        (MINIMAL + "x" * 5_000, "longer than 5000"),
    ],
)
def test_what_is_wrong_with_a_template_is_said(template: str, words: str) -> None:
    assert words in templates.problem(template)


def test_a_template_that_fails_only_for_this_announcement_is_a_refusal() -> None:
    template = "{% if title == 'Loket tutup' %}{{ 1 / 0 }}{% endif %}\n" + MINIMAL
    assert templates.problem(template) == ""
    with pytest.raises(ContentError, match="template of main does not work"):
        text(template)


def test_hashtags_can_be_left_out_and_are_limited_where_the_platform_does() -> None:
    assert "#" not in text(can=replace(PLAIN, hashtags=False))
    assert "#LayananPublik\n" in text(can=replace(PLAIN, max_hashtags=1))
    style = Style(hashtags=False)
    (post,) = render(CONTENT, PLAIN, len, page=PAGE, channel="main", style=style)
    assert "#" not in post.text


def test_a_channel_has_its_own_text_where_the_announcement_gives_one() -> None:
    own = replace(CONTENT, texts={"main": "Loket 4 tutup, *maaf*."})
    (post,) = render(own, PLAIN, len, page=PAGE, channel="main")
    assert post.text.startswith("Loket tutup\n\nLoket 4 tutup, maaf.\n\nSelengkapnya")
    (other,) = render(own, PLAIN, len, page=PAGE, channel="other")
    assert "hari ini" in other.text


def test_the_signature_of_a_channel_wins_over_the_office_s() -> None:
    assert Style(signature="Sini").over({}, "Sana").signature == "Sini"
    assert Style().over({}, "Sana").signature == "Sana"
    assert Style(signature="").over({}, "Sana").signature == ""
    merged = Style(templates={"urgent": "u"}).over({"normal": "n", "urgent": "x"}, "")
    assert merged.templates == {"normal": "n", "urgent": "u"}


def test_head_and_tail_keep_their_own_gap_to_the_body() -> None:
    frame = templates.frame("A\n{{ body }}\n\nB", {})
    assert (text_of(templates.joined(frame.head)), frame.before, frame.after) == ("A", "\n", "\n\n")
