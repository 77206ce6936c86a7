"""What the demonstration's office has to say. The office, its numbers and addresses are made up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """One announcement of the demonstration; `seconds` from its start, `alt` with the image."""

    title: str
    body: str
    source: str
    seconds: int
    link: str = ""
    alt: str = ""
    lang: str = "id"


ANNOUNCEMENTS = (
    Item(
        "Pemeliharaan jaringan selesai",
        "Layanan perizinan daring sudah dapat dipakai kembali sejak pukul 06.30.\n\n"
        "Permohonan yang masuk selama pemeliharaan tetap kami proses sesuai urutan.",
        "Nota Dinas Nomor 21/KOMINFO/2026",
        -300,
    ),
    Item(
        "Jadwal vaksinasi anak di puskesmas",
        "Vaksinasi campak dan rubela bagi anak usia **9 sampai 59 bulan** diberikan gratis.\n\n"
        "- Puskesmas Sukamaju: Senin dan Rabu, 08.00 sampai 11.00\n"
        "- Puskesmas Mekarsari: Selasa dan Kamis, 08.00 sampai 11.00\n\n"
        "Bawalah buku KIA dan kartu identitas orang tua.",
        "Surat Edaran Dinas Kesehatan Nomor 440/117/2026",
        3,
        alt="Poster biru: vaksinasi anak, Senin sampai Kamis pukul 08.00 sampai 11.00, gratis.",
    ),
    Item(
        "Hoaks: pesan berantai tentang bantuan tunai",
        "Beredar pesan yang meminta warga mengisi nomor rekening agar menerima bantuan tunai. "
        "Pesan itu **tidak benar**.\n\n"
        "Pemerintah kabupaten tidak pernah meminta PIN, kata sandi, atau kode OTP. "
        "Jangan teruskan pesan tersebut.",
        "Klarifikasi Dinas Sosial Nomor 460/88/2026",
        6,
        link="https://www.example.go.id/klarifikasi",
    ),
    Item(
        "Jalan Merdeka ditutup hari Minggu",
        "Jalan Merdeka ditutup hari Minggu pukul 05.00 sampai 10.00 untuk hari bebas kendaraan.\n\n"
        "Kendaraan dari arah timur dialihkan lewat Jalan Pahlawan.",
        "Surat Dinas Perhubungan Nomor 551/203/2026",
        9,
    ),
    Item(
        "Public information desk moves to Building B",
        "From Monday the public information desk is on the ground floor of Building B. "
        "Opening hours stay the same: Monday to Friday, 8 am to 3 pm.",
        "Office circular 7/2026",
        12,
        lang="en",
    ),
)


def draw_poster(path: Path) -> None:
    """A simple poster, drawn here so that no picture has to be shipped."""
    from PIL import Image, ImageDraw, ImageFont

    poster = Image.new("RGB", (1200, 630), "#0b3d91")
    pen = ImageDraw.Draw(poster)
    pen.rectangle((0, 520, 1200, 630), fill="#f2c200")
    for line, size, top, colour in (
        ("Vaksinasi anak", 110, 120, "white"),
        ("Senin sampai Kamis, 08.00 sampai 11.00", 52, 290, "white"),
        ("Gratis di puskesmas Anda", 52, 545, "#0b3d91"),
    ):
        pen.text((80, top), line, font=ImageFont.load_default(size), fill=colour)
    poster.save(path)
