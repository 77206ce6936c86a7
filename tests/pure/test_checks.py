"""What each check finds, and above all what it lets pass: realistic announcements of an office."""

from __future__ import annotations

import re
import time
import tomllib
from datetime import datetime, timedelta
from datetime import time as clock
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crosspost.checks import CHECKS, MOST, Checks, Earlier, Level, Picture, Subject, check
from crosspost.checks.settings import FIRM
from crosspost.config import Config, Office, SiteSettings
from crosspost.drafts import Draft, inspect
from crosspost.times import moment_of

ROOT = Path(__file__).parents[2]
JAKARTA = ZoneInfo("Asia/Jakarta")
#: A Wednesday.
DUE = datetime(2026, 11, 25, 9, 0, tzinfo=JAKARTA)
GOOD = {
    "title": "Jadwal vaksinasi anak",
    "body": "Vaksinasi diberikan gratis di semua puskesmas.",
    "source": "Surat Edaran Nomor 440/117/2026",
    "lang": "id",
}


def found(settings=None, **fields):
    """The ids of what is found, by default in a good announcement with these `fields`."""
    subject = Subject(**{"due": DUE, **GOOD, **fields})
    return {finding.id for finding in check(subject, settings or Checks())}


def sentences(check_id, **fields):
    subject = Subject(**{"due": DUE, **GOOD, **fields})
    return [f.sentence for f in check(subject, Checks()) if f.id == check_id]


HONEST = [
    "Surat Nomor B-123/M.1.10/2026 tanggal 12 Maret 2026 tentang penyuluhan hukum.",
    "Nomor rekening tidak pernah kami minta. Laporkan ke Dinas Sosial, Surat 460/88/2026.",
    "Pembayaran ke rekening kas negara sesuai Surat B-4567/L.3.20/Fd.1/11/2026.",
    "Anggaran pada rekening kas daerah sebesar Rp 1.250.000.000 telah cair.",
    "Rekening koran per 12-03-2026 dapat diambil di loket 3.",
    "Layanan BRI 1500017 dan BNI 1500046 tetap buka, telepon kantor (0342) 801234.",
    "Bank Jatim Cabang Blitar, telepon 0342-801234, buka pukul 08.00-15.00 WIB.",
    "Putusan Nomor 12/Pid.Sus-TPK/2026/PN Sby tanggal 3 Februari 2026 berkekuatan hukum tetap.",
    "Kejaksaan Negeri memeriksa dua saksi, Senin (23/11/2026), di ruang pemeriksaan.",
    "Undang-Undang Nomor 16 Tahun 2004 diubah dengan UU Nomor 11 Tahun 2021, 31 Desember 2021.",
    "Kami memperingati Hari Bhakti Adhyaksa setiap 22 Juli.",
    "Indonesia merdeka pada 17 Agustus 1945.",
    "Pelayanan Senin s.d. Jumat pukul 08.00 s.d. 15.00 WIB.",
    "Pendaftaran: Senin s.d. Jumat, 7–11 Desember 2026.",
    "Pendaftaran: Senin-Rabu, 30 November-2 Desember 2026, di PTSP.",
    "Senin dan Rabu, 30 November 2026, loket tutup.",
    "Selasa, 1 Desember 2026 pukul 09.00 WIB; hadirilah.",
    "Rapat hari Jum'at tanggal 4 Desember 2026.",
    "The desk is closed on Friday, December 4, 2026, and on Tuesday the 1st of December.",
    "Buka kembali 7 Desember 2026 (Senin).",
    "Kode registrasi 1234567890123456 hanya contoh.",
    "Nomor registrasi 3505.2026.11.000123, ID pelanggan 513012345678, NPWP 01.234.567.8-901.000.",
    "Nomor: PRINT-01/M.5.48/Fd.1/03/2026 tanggal 4 Maret 2026; perkara 45/Pdt.G/2026/PN.Blt.",
    "Tersangka AS, lahir di Blitar, 12 Mei 1980, ditahan sejak 20 November 2026.",
    "UU 1/2023 mulai berlaku 2 Januari 2026; Permendagri 77/2020.",
    "Gempa M 5,6 pada 24 November 2026 pukul 21:03:12 WIB, lokasi 8.55 LS, 112.40 BT.",
    "Bus beroperasi Sabtu-Minggu, 28-29 November 2026. Minggu ke-2 Desember 2026 libur.",
    "Denda tilang dibayar lewat BRIVA dengan kode 15 digit, bukan ke rekening pribadi.",
    "Kode 3171010008450001, 3171018108450001, 3171011708450000, 9971011708450001.",
    "Resi 3171011708450001X dan 31710117084500017.",
    "Kantor BRI 0342-8012345 buka kembali.",
    "Nomor aduan 2026110100000123 dan resi JP3301011708450001X.",
    "Jumlah peserta 128 orang; anggaran Rp 12.345.678.901.234,00.",
    "Hubungi call center 110 atau 150400, atau 119 ext. 8.",
    "Tautan: https://www.kejaksaan.go.id/berita/2026/03/31/081234567890-penyuluhan",
    "Info di kominfo.go.id, halo@info.dinas.go.id, dan https://dinas.go.id/a?b=c@d.",
    "DPRD, KPK, BPK, dan BPJS KETENAGAKERJAAN hadir. PENGUMUMAN: UPT PTSP pindah ke Gedung B.",
    "#Pengumuman #pelayanan #KejaksaanNegeri #HBA66 #ketenagakerjaan #pemberitahuan #DPRD",
    "Kunjungi https://forms.gle/AbC dan https://maps.app.goo.gl/xyz untuk peta.",
    "Ikuti @kominfo@social.example.id; tiket Rp 5.000 @ orang.",
    "Keluarga 👩‍👩‍👧‍👦 sehat, 🏴󠁧󠁢󠁥󠁮󠁧󠁿 dan ❤️‍🔥 👍🏽. Aksara ꦗꦮ\u200b dan ไทย\u200bไทย, می\u200cخواهم.",
    "שלום \u2066abc\u2069 בוקר",
    "Situs bücher.example dan 例え.jp dan пример.рф itu jujur.",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_announcements_pass_without_a_word(text):
    assert found(body=text, own_domains=frozenset({"dinas.go.id"})) == set()


def says(check_id, *cases):
    return [(check_id, case) for case in cases]


BODIES = [
    *says("text_empty", "", " \n "),
    *says(
        "capitals",
        "PENGUMUMAN LELANG",
        "PEMBERITAHUAN PENUTUPAN JALAN",
        "Warga DILARANG KERAS PARKIR DISINI ya.",
    ),
    *says(
        "hashtag_unreadable",
        "Ikuti #pelayananpublik",
        "#keterbukaaninformasi",
        "#PELAYANANPUBLIK",
        "#Pelayanankesehatan",
    ),
    *says("link_shortened", "Daftar di bit.ly/vaksin", "Lihat https://www.S.id/abc.", "t.co/x"),
    *says(
        "domain_lookalike",
        "https://kеjaksaan.go.id",  # a Cyrillic letter
        "www.аррӏе.com",  # Cyrillic alone
        "https://xn--80ak6aa92e.com/login",
        "https://go.id.bantuan.example/daftar",
        "bansos-go.id",
        "https://kemensos.go-id.example",
        "https://go.id-login.com",
        "https://d1nas.go.id",
        "https://clinas.go.id.",
    ),
    *says("control_characters", "bel \x07", "retur\r\n", "\ud800"),
    *says("bidi_characters", "buka \u202etutup", "abc \u2066x\u2069", "\u05d0 \u2067x"),
    *says("zero_width", "kan\u200btor", "kan\u00adtor", "a\ufeff", "a\u200db", "x\U000e0041"),
    *says(
        "date_weekday",
        "Selasa, 1 Maret 2026",
        "Rapat hari Senin tanggal 31 Maret 2026",
        "Jum'at 1 Desember",
        "Senin (1/12/2026)",
        "Senin, 2026-12-01",
        "1 Desember 2026 (Rabu)",
        "Monday, December 1st, 2026",
        "Monday, 1st of December 2026",
        "Pendaftaran Selasa s.d. Jumat, 7–11 Desember 2026",
        "30 Februari 2027",
        "31 November",
    ),
    *says(
        "date_past",
        "Pendaftaran ditutup 1 Maret 2020.",
        "Rapat koordinasi: Selasa, 24 November 2026",
        "Jalan akan ditutup pada 10/11/2026",
        "Registration closes on November 3, 2026",
        "Batas waktu 2026-11-24.",
    ),
    *says(
        "personal_id",
        "NIK 3171011708450001",
        "NIK: 3171 0157 0845 0001.",
        "KK 35.10.01.290220.1234",
        "NIK3171011708450001",
        "317101-170845-0001",
        "a.n. Budi, 9671011708450001",
    ),
    *says(
        "personal_phone", "WA 0812-3456-7890", "+62 812 3456 7890", "6281234567890", "+6591234567"
    ),
    *says("personal_email", "budi@gmail.com", "Surel: humas.kejari@yahoo.co.id."),
    *says(
        "personal_account",
        "transfer ke rekening 0123-01-001234-50-9",
        "No. Rek BRI: 012301001234509",
        "BCA 1234567890 a.n. Budi",
        "account number 12345678",
    ),
    *says("mention_everyone", "Halo @everyone", "@here!", "<!channel> rapat", "<@123456789>"),
    *says("mention_name", "Bersama @kejaksaan.ri.", "(@budi)"),
]


@pytest.mark.parametrize(("check_id", "text"), BODIES)
def test_what_is_wrong_with_a_text_is_found(check_id, text):
    assert check_id in found(body=text, own_domains=frozenset({"dinas.go.id"}))


FIELDS = [
    ("title_long", {"title": "a" * 201}),
    ("title_lines", {"title": "a\nb"}),
    ("source_missing", {"source": "  "}),
    ("source_long", {"source": "a" * 501}),
    ("link_invalid", {"link": "javascript:alert(1)"}),
    ("link_invalid", {"link": "https://a:b@dinas.go.id/"}),
    ("link_shortened", {"link": "https://bit.ly/abc"}),
    ("domain_lookalike", {"link": "https://kеmenkes.go.id/"}),
    ("language_missing", {"lang": " "}),
    ("language_invalid", {"lang": "Bahasa Indonesia"}),
    ("language_unknown", {"lang": "xx"}),
    ("language_unknown", {"lang": "und"}),
    ("language_unknown", {"lang": "id-ZZ99"}),
    ("capitals", {"title": "PENGUMUMAN LELANG TERBUKA"}),
    ("date_weekday", {"title": "Tutup Senin, 1 Desember 2026"}),
    ("personal_id", {"source": "3171011708450001"}),
    ("personal_id", {"pictures": (Picture("a.jpg", "KTP 3171011708450001"),)}),
    ("personal_phone", {"pictures": (Picture("a.jpg", "Telepon 081234567890"),)}),
    ("alt_missing", {"pictures": (Picture("a.jpg", " "),)}),
    ("alt_file_name", {"pictures": (Picture("/x/Poster.jpg", "poster"),)}),
    ("alt_file_name", {"pictures": (Picture("a.jpg", "WhatsApp Image 2026-03-31 at 10.00.00"),)}),
    ("alt_file_name", {"pictures": (Picture("a.jpg", "IMG_20260331"),)}),
    ("alt_file_name", {"pictures": (Picture("a.jpg", "foto kegiatan.JPEG"),)}),
    ("alt_long", {"pictures": (Picture("a.jpg", "a" * 1001),)}),
    ("photo_location", {"pictures": (Picture("a.jpg", "Gedung", located=True),)}),
    ("image_unusable", {"pictures": (Picture("a.jpg", "Gedung", problem="It is damaged."),)}),
    ("repeated", {"earlier": (Earlier(3, "JADWAL vaksinasi  anak", f"**{GOOD['body']}**"),)}),
    ("quiet_time", {"due": DUE.replace(hour=22), "quiet": (clock(22), clock(5))}),
    ("quiet_time", {"due": DUE.replace(hour=4, minute=59), "quiet": (clock(22), clock(5))}),
    ("quiet_time", {"due": DUE.replace(hour=13), "quiet": (clock(12), clock(14))}),
]


@pytest.mark.parametrize(("check_id", "fields"), FIELDS, ids=lambda value: str(value)[:60])
def test_what_is_wrong_with_a_field_is_found(check_id, fields):
    assert check_id in found(**fields)


FINE = [
    {"lang": "jv"},
    {"lang": "mak-Bugi"},
    {"lang": "zh-Hant-TW"},
    {"link": "https://www.dinas.go.id/a?b=c#d"},
    {"body": "", "pictures": (Picture("a.jpg", "Poster: loket tutup hari Jumat."),)},
    {"pictures": (Picture("a.jpg", "Foto 3 jaksa di depan gedung, memegang piagam, tersenyum."),)},
    {"pictures": (Picture("a.jpg", "Gambar peta jalan, rute dialihkan lewat Jalan Pahlawan"),)},
    {"earlier": (Earlier(3, GOOD["title"], "Vaksinasi ditunda."),)},
    {"due": DUE.replace(hour=5), "quiet": (clock(22), clock(5))},
    {"due": DUE.replace(hour=21, minute=59), "quiet": (clock(22), clock(5))},
    {"due": DUE.replace(hour=23), "quiet": (clock(22), clock(5)), "urgent": True},
    {"due": DUE.replace(hour=14), "quiet": (clock(12), clock(14))},
    {"due": DUE.replace(hour=3), "quiet": None},
    {"body": "WA kantor 0812 3456 7890", "own_phones": frozenset({"+62 812-3456-7890"})},
]


@pytest.mark.parametrize("fields", FINE, ids=lambda value: str(value)[:60])
def test_what_is_right_with_a_field_is_not_found(fields):
    assert found(**fields) == set()


# --- what is said ---------------------------------------------------------------------------------


def test_the_right_weekday_is_named():
    [said] = sentences(
        "date_weekday", body="Rapat: Senin, 31 Maret 2026.", due=DUE.replace(month=3)
    )
    assert "31 March 2026 is a Tuesday" in said


def test_without_a_year_the_nearest_day_is_meant():
    assert "date_weekday" not in found(body="Senin, 4 Januari", due=DUE.replace(month=12))
    [said] = sentences("date_weekday", body="Selasa, 4 Januari", due=DUE.replace(month=12))
    assert "4 January 2027 is a Monday" in said


def test_in_english_the_month_may_stand_first():
    assert "date_weekday" not in found(body="Tuesday, 12/1/2026", lang="en")
    assert "date_weekday" in found(body="Tuesday, 12/1/2026", lang="id")


def test_a_day_is_past_from_midnight_of_the_office_on():
    late = datetime(2026, 11, 25, 0, 1, tzinfo=JAKARTA)
    assert "date_past" in found(body="Rapat: 24 November 2026", due=late)
    assert "date_past" not in found(body="Rapat: 24 November 2026", due=late - timedelta(minutes=2))


@pytest.mark.parametrize(
    ("check_id", "text"),
    [
        ("personal_id", "NIK 3171011708450001"),
        ("personal_phone", "WA 0812-3456-7890"),
        ("personal_account", "rekening 012301001234509"),
    ],
)
def test_no_finding_repeats_a_number_whole(check_id, text):
    [said] = sentences(check_id, body=text)
    longest = max(len(digits) for digits in re.findall(r"\d+", said))
    assert longest <= 4


def test_only_who_can_choose_a_time_is_told_to_choose_another():
    night = {"due": DUE.replace(hour=23), "quiet": (clock(22), clock(5))}
    [said] = sentences("quiet_time", **night)
    assert "--at" in said
    [said] = sentences("quiet_time", **night, at_once=True)
    assert "approved later" in said
    assert "--at" not in said
    assert "--urgent" not in said


def test_those_that_block_come_first():
    subject = Subject(due=DUE, body="@everyone", lang="id")
    levels = [finding.level for finding in check(subject, Checks())]
    assert levels == sorted(levels, key=lambda level: level is not Level.BLOCK)
    assert {Level.BLOCK, Level.WARN} == set(levels)


def test_of_one_check_only_the_first_findings_are_said():
    many = " ".join(f"nama{n}@gmail{n}.com" for n in range(100))
    assert len(sentences("personal_email", body=many)) == MOST


# --- levels ---------------------------------------------------------------------------------------


def test_a_level_can_be_changed_and_a_check_switched_off():
    assert "source_missing" not in found(Checks(source_missing="off"), source="")
    [finding] = check(Subject(**{"due": DUE, **GOOD, "source": ""}), Checks(source_missing="block"))
    assert finding.level is Level.BLOCK


def test_an_address_that_leads_nowhere_is_named_with_the_reason():
    subject = Subject(**{"due": DUE, **GOOD, "dead": (("https://x.id/a", "HTTP status 404"),)})
    [finding] = check(subject, Checks(link_dead="warn"))
    assert (finding.id, finding.level) == ("link_dead", Level.WARN)
    assert finding.sentence.startswith("https://x.id/a leads nowhere: HTTP status 404.")
    assert check(subject, Checks()) == []


def test_addresses_are_looked_up_only_if_the_office_wants_to_know(monkeypatch):
    asked = []

    def dead(urls):
        asked.extend(urls)
        return [(url, "gone") for url in urls]

    monkeypatch.setattr("crosspost.adapters.probing.dead", dead)
    assert "link_dead" not in drafted("Lihat https://x.id/a")
    assert asked == []
    assert "link_dead" in drafted("Lihat https://x.id/a.", link_dead="warn")
    assert asked == ["https://x.id/a"]


def test_every_check_is_firm_or_has_a_level():
    levels = {name for name in Checks.model_fields if isinstance(getattr(Checks(), name), Level)}
    assert levels | set(FIRM) == set(CHECKS)
    assert not levels & set(FIRM)


@pytest.mark.parametrize(
    "wrong",
    [{"sourcemissing": "warn"}, {"source_missing": "loud"}, {"text_empty": "off"}]
    + [{"quiet_hours": hours} for hours in ("22-5", "25:00-05:00", "22:00", "nachts")],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        Checks(**wrong)


def test_every_check_and_setting_is_documented():
    page = (ROOT / "docs" / "checks.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (block|warn|off|always blocks) \|", page, re.MULTILINE))
    usual = {name: str(Checks().level(name)) for name in CHECKS}
    assert rows == {n: "always blocks" if n in FIRM else level for n, level in usual.items()}
    for key in set(Checks.model_fields) - set(CHECKS):
        assert f"`{key}`" in page


def test_the_example_shows_the_usual_levels():
    example = tomllib.loads((ROOT / "config.example.toml").read_text())["checks"]
    assert set(example) == set(Checks.model_fields)
    for name in set(example) & set(CHECKS):
        assert example[name] == Checks().level(name)


# --- what is known around it ----------------------------------------------------------------------


def drafted(body, url="https://info.dinas.go.id", **checks):
    """The ids of what is found in a draft of an office with this site."""
    config = Config(
        path=ROOT / "crosspost.toml",
        office=Office(name="Dinas", zone="Asia/Makassar"),
        site=SiteSettings(url=url),
        checks=Checks(**checks),
    )
    values = {key: GOOD[key] for key in ("title", "source", "lang")}
    draft = Draft(
        **values,
        body=body,
        link="",
        urgency="normal",
        images=(),
        channels=(),
        due=moment_of(DUE.replace(hour=21, minute=30), "Asia/Jakarta"),
    )
    return {finding.id for finding in inspect(config, draft)}


@pytest.mark.parametrize(
    ("url", "address", "own"),
    [
        ("https://info.dinas.go.id", "a@info.dinas.go.id", True),
        ("https://info.dinas.go.id", "a@dinas.go.id", True),
        ("https://info.dinas.go.id", "a@seksi.dinas.go.id", True),
        ("https://info.dinas.go.id", "a@lain.go.id", False),
        ("https://info.dinas.go.id", "a@bukandinas.go.id", False),
        ("https://dinas.go.id", "a@lain.go.id", False),
        ("https://office.example", "a@office.example", True),
        ("https://news.office.example", "a@office.example", True),
        ("https://news.office.example", "a@other.example", False),
        ("http://localhost:8000", "a@office.example", False),
    ],
)
def test_addresses_at_the_domain_of_the_site_are_the_offices_own(url, address, own):
    assert ("personal_email" in drafted(f"Surel {address}", url, quiet_hours="")) is not own


def test_own_domains_are_taken_as_they_are_written():
    assert not drafted("a@Gmail.com", quiet_hours="", own_domains=["@GMAIL.com"])


def test_quiet_hours_run_by_the_clock_of_the_office():
    assert drafted("Gratis.") == {"quiet_time"}  # 21:30 in Jakarta is 22:30 in Makassar
    assert drafted("Gratis.", quiet_hours="") == set()


# --- any input ------------------------------------------------------------------------------------

#: What makes checks look closer, mixed with anything.
PIECES = st.sampled_from(
    [
        *("31 ", "Maret ", "2026", "Selasa, ", "/", "-", ".", " ", "\n", "0812", "3171", "@", "#"),
        *("rekening ", "https://", "xn--", "xn--a-", ".go.id", "bit.ly/", "BRI ", "AKU", "\u200d"),
        *("\u2066", "а", "0000 Maret", "00/00/0000", "9999-12-31", "1 Jan 0000", "+", "62", "<!"),
        *("(", ")", "\ud800"),
    ]
)
ANY = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3))).map("".join))


@settings(max_examples=300, deadline=None)
@given(title=ANY, body=ANY, source=ANY, link=ANY, lang=st.one_of(ANY, st.just("en")), alt=ANY)
def test_no_input_makes_a_check_fail(title, body, source, link, lang, alt):
    subject = Subject(
        due=DUE,
        title=title,
        body=body,
        source=source,
        link=link,
        lang=lang,
        pictures=(Picture("a.jpg", alt),),
        quiet=(clock(22), clock(5)),
        own_domains=frozenset({"dinas.go.id"}),
        own_phones=frozenset({source}),
        earlier=(Earlier(1, title, body),),
    )
    for finding in check(subject, Checks()):
        assert finding.sentence


MEGABYTE = 1_000_000
LONG = [
    *("a", "A", "1", "1 ", "1-", "0", "08", "+1", "+1(", "a.", "a-", "a.a-", "@", "a@", "a@a."),
    *("#", "#a ", "A ", "BERITA ", "31 Maret ", "31 Maret 2026 ", "surat 31 Maret 2026 ", "\n"),
    *("Selasa, ", "Selasa, 31 ", "Maret 1, ", "Senin-Selasa, 1 ", "1/1/", "1/1/2026 ", "nomor "),
    *("rekening ", "rekening 1", "BRI ", "BRI 1234567890 ", "3171011708450001 ", "x@gmail.com "),
    *("0812-3456-7890 ", "\u200d", "\u2066", "é.", "xn--a.", "а.com ", "go.id-", "https://"),
    *("<!here", "me", "mulai ", "surat, ", "- ", "( "),
]


@pytest.mark.parametrize("piece", LONG)
def test_a_megabyte_is_checked_in_linear_time(piece):
    body = piece * (MEGABYTE // len(piece))
    began = time.process_time()
    check(Subject(due=DUE, body=body, lang="id", own_domains=frozenset({"a.example"})), Checks())
    assert time.process_time() - began < 30  # a square of it takes many minutes
