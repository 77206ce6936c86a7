"""Time stamp tokens: what is asked of an authority, and whether its answer holds (RFC 3161).

Pure: bytes in, bytes out. The reading and verifying is that of `rfc3161-client`, which is loaded
only when it is used. It must not ask anybody or keep anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING

from crosspost.errors import Refuted, Undecided
from crosspost.wording import t

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampRequest, TimeStampResponse

QUERY_TYPE = "application/timestamp-query"


@dataclass(frozen=True)
class Stamp:
    """An authority says that it saw the data at `at` (aware). `authority` is the name in its
    certificate."""

    at: datetime
    authority: str


def query(data: bytes) -> TimeStampRequest:
    """What is asked: the SHA-256 of `data`, a fresh nonce, and the authority's certificate with the
    answer. Raises Undecided without the library."""
    library = _library()
    builder = library.TimestampRequestBuilder().data(data)
    builder = builder.hash_algorithm(library.HashAlgorithm.SHA256)
    made: TimeStampRequest = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    return made


def verify(
    token: bytes,
    data: bytes,
    roots: Sequence[Certificate],
    asked: TimeStampRequest | None = None,
) -> Stamp:
    """The stamp of `data` in an answer, by an authority whose certificate leads to one of `roots`
    and was valid at that time. `asked`: it must be the answer to this.

    Raises Refuted when it is a stamp that does not hold, Undecided when it is none.
    """
    library = _library()
    answer = _read(token)
    builder = library.VerifierBuilder(roots=list(roots))
    if asked is not None and asked.nonce is not None:
        builder = builder.nonce(asked.nonce)
    try:
        builder.build().verify_message(answer, data)
        at = answer.tst_info.gen_time
    except (library.VerificationError, ValueError) as error:
        raise Refuted(
            t("The time stamp does not hold: {reason}.", reason=_reason(error))
        ) from error
    return Stamp(at if at.tzinfo else at.replace(tzinfo=UTC), _authority(answer))


def _read(token: bytes) -> TimeStampResponse:
    """Raises Undecided when this is no answer with a stamp in it."""
    library = _library()
    try:
        answer: TimeStampResponse = library.decode_timestamp_response(token)
        status = library.PKIStatus(answer.status)
    except ValueError as error:
        raise Undecided(t("This is no time stamp.")) from error
    if status is not library.PKIStatus.GRANTED:
        words = " ".join(answer.status_string or []) or status.name.lower()
        raise Undecided(t("The time stamp authority refuses: {reason}.", reason=words[:200]))
    return answer


def _authority(answer: TimeStampResponse) -> str:
    """The subject of the certificate that signed; "" when it did not send it along."""
    from cryptography.x509 import load_der_x509_certificate

    known = {(one.issuer, one.serial_number) for one in answer.signed_data.signer_infos}
    for data in answer.signed_data.certificates:
        certificate = load_der_x509_certificate(data)
        if (certificate.issuer, certificate.serial_number) in known:
            return certificate.subject.rfc4514_string()
    return ""


def _reason(error: Exception) -> str:
    """What the library says, without OpenSSL's inner words."""
    words = " ".join(str(error).split())
    if "certificate verify error" in words:
        return t(
            "its certificate does not lead to the root that is trusted, is for another use, or was "
            "not valid then"
        )
    if "Error while verifying" in words:
        return t("its signature is false")
    return words[:200].rstrip(".")


def read_roots(data: bytes) -> list[Certificate]:
    """The certificates in a PEM file. Raises Undecided when there are none."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(data)
    except ValueError as error:
        raise Undecided(
            t("There is no certificate in this file."),
            hint=t("Get the root certificate of the time stamp authority, in PEM form."),
        ) from error


def _library() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError as error:
        raise Undecided(
            t("Time stamps need a library that is not installed."),
            hint=t("Install it: pip install 'crosspost[timestamps]'"),
        ) from error
    return rfc3161_client
