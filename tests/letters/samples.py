"""Invented letters, and what is read back out of their PDF."""

import io
import re
from typing import Any

import pypdf

from gamf.domain.correspondence import LetterKind, Standing
from gamf.letters.content import LetterContent
from gamf.letters.render import TEMPLATES


def sample(kind: LetterKind) -> LetterContent:
    """Give the sample kept beside the letter's templates."""
    return LetterContent.model_validate_json((TEMPLATES / kind / "sample.json").read_bytes())


def sample_with(kind: LetterKind, **changes: Any) -> LetterContent:  # noqa: ANN401 - any field of a letter
    """Give the sample with other values."""
    return LetterContent.model_validate(sample(kind).model_dump() | changes)


def corrective(standing: Standing, **changes: Any) -> LetterContent:  # noqa: ANN401 - any field of a letter
    """Give the corrective sample for a standing."""
    return sample_with(LetterKind.CORRECTIVE, standing=standing, **changes)


def opened(pdf: bytes) -> pypdf.PdfReader:
    """Open a PDF."""
    return pypdf.PdfReader(io.BytesIO(pdf))


def words(pdf: bytes) -> str:
    """Give every word of the PDF, in reading order, any run of blanks made one space."""
    text = " ".join(page.extract_text() for page in opened(pdf).pages)
    return re.sub(r"\s+", " ", text.replace("\u200b", "")).strip()
