"""Personal data in the text or in the description of an image: identity numbers, telephone
numbers, e-mail addresses, bank accounts.

Pure. It must not repeat a number whole: a finding is printed and may be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crosspost.checks.subject import Subject
from crosspost.wording import t

# Sixteen digits in the ways that people group them: 4-4-4-4, 6-6-4, 2-2-2-6-4, or not at all.
_SIXTEEN = re.compile(
    r"(?:(?<![\w/])|(?<=NIK)|(?<=KK))(?<!\d[ .-])"
    r"(?:\d{16}|\d{4}(?:[ .-]\d{4}){3}|(?:\d{6}|\d\d(?:[ .-]\d\d){2})[ .-]\d{6}[ .-]\d{4})"
    r"(?![\w/])(?![ .-]\d)"
)
# Provinces of Papua; those founded in 2022 are not yet in the library's table of regencies.
_PAPUA = ("91", "92", "93", "94", "95", "96", "97")

# Indonesian mobile numbers, and any that begins with + and a country.
_PHONE = re.compile(
    r"(?<![\w/.+-])(?:(?:\+62|62|0)[ .-]?8\d(?:[ .-]?\d){6,10}|\+\d(?:[ ().-]{0,2}\d){7,14})"
    r"(?![\w/])"
)
_EMAIL = re.compile(
    r"(?<![\w@.+%/:-])[A-Za-z0-9._%+-]{1,64}@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63})\b"
)
_NUMBER = r"(?P<n>\d(?:[ .-]?\d){%s})(?![\d/])(?![.-]\w)"
_ACCOUNT = re.compile(
    r"(?:\brekening|\bnorek|\bno\.?[ ]?rek|\baccount[ ](?:no|number))[^\d\n]{0,60}"
    + _NUMBER % "7,15",
    re.IGNORECASE,
)
_BANK = re.compile(
    r"\b(?:BRI|BNI|BCA|BTN|BSI|BJB|Mandiri|Bank[ ][A-Z]\w{1,20})\b[^\d\n]{0,20}" + _NUMBER % "9,15"
)
_DATE_OR_MONEY = re.compile(r"\d{1,2}[ .-]\d{1,2}[ .-]\d{4}|\d{1,3}(?:\.\d{3})+")


def identity(subject: Subject) -> Iterator[str]:
    """NIK and KK numbers: sixteen digits, place and date among them."""
    for name, text in subject.fields():
        for match in _SIXTEEN.finditer(text):
            if _is_identity(digits := _digits(match[0])):
                yield t(
                    "The {field} has what looks like an identity number (NIK) or a family card "
                    "number (KK), {shown}. It must not be public: take it out, or black it out.",
                    field=name,
                    shown=_masked(digits),
                )


def phone(subject: Subject) -> Iterator[str]:
    """Mobile numbers that are not the office's own."""
    own = {_international(number) for number in subject.own_phones}
    for name, text in subject.words():
        for match in _PHONE.finditer(text):
            if _is_mobile(match[0]) and _international(match[0]) not in own:
                yield t(
                    "The {field} has a mobile number, {shown}. Take it out if it is a person's; if "
                    "it is the office's, write it into own_phones under [checks].",
                    field=name,
                    shown=_masked(_digits(match[0])),
                )


def email(subject: Subject) -> Iterator[str]:
    """E-mail addresses elsewhere than at the office's own domains."""
    for name, text in subject.fields():
        for match in _EMAIL.finditer(text):
            domain = match["domain"].lower()
            if not any(domain == own or domain.endswith("." + own) for own in subject.own_domains):
                yield t(
                    "The {field} has an e-mail address at {domain}. Take it out if it is a "
                    "person's; if it is the office's, write {domain} into own_domains under "
                    "[checks].",
                    field=name,
                    domain=domain,
                )


def account(subject: Subject) -> Iterator[str]:
    """Numbers after the word for an account, or after the name of a bank."""
    for name, text in subject.fields():
        found = dict.fromkeys(
            _digits(match["n"])
            for pattern in (_ACCOUNT, _BANK)
            for match in pattern.finditer(text)
            if not _DATE_OR_MONEY.fullmatch(match["n"]) and not _is_phone(match["n"])
        )
        for digits in found:
            yield t(
                "The {field} has what looks like a bank account, {shown}. Take it out if it is a "
                "person's; people must be able to trust that the office names no private account.",
                field=name,
                shown=_masked(digits),
            )


def _is_identity(digits: str) -> bool:
    """Place, date and serial number are possible (a KK number has the date of its issue)."""
    from stdnum.exceptions import ValidationError
    from stdnum.id import nik

    if digits.endswith("0000") or int(digits[6:8]) > 71:
        return False
    if nik.is_valid(digits):
        return True
    try:
        nik.get_birth_date(digits)
    except ValidationError:
        return False
    return digits.startswith(_PAPUA)


def _is_mobile(number: str) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number if not number.startswith("62") else "+" + number, "ID")
    except phonenumbers.NumberParseException:
        return False
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) in kinds


def _is_phone(number: str) -> bool:
    import phonenumbers

    try:
        return number.startswith("0") and phonenumbers.is_valid_number(
            phonenumbers.parse(number, "ID")
        )
    except phonenumbers.NumberParseException:
        return False


def _international(number: str) -> str:
    digits = _digits(number)
    return "62" + digits[1:] if digits.startswith("0") else digits


def _digits(number: str) -> str:
    return "".join(c for c in number if c in "0123456789")


def _masked(digits: str) -> str:
    return f"{digits[:4]}…{digits[-2:]}"
