"""Letters made into PDF, by Typst, in this process."""

import threading
from pathlib import Path
from typing import Final

import typst

from gamf.domain.correspondence import Language, LetterKind
from gamf.letters.content import LetterContent

TEMPLATES: Final = Path(__file__).parent
PDF_STANDARD: Final = "ua-1"


class RenderError(Exception):
    """A letter that cannot be printed, and never will be as it stands; says nothing of what it holds."""


class LetterRenderer:
    """Makes letters, one at a time per template, from any thread.

    Keeps each template's compiler: a cold one's first letter takes twice as long. Its cache needs no care,
    since the binding evicts what its last ten compilations did not use.
    """

    def __init__(self) -> None:
        """Find the typefaces that come with Typst: the same letter on every machine."""
        self._fonts = typst.Fonts(include_system_fonts=False)
        self._templates = {
            (kind, language): _Template(kind, language, self._fonts)
            for kind in LetterKind
            for language in Language
        }

    def render(self, content: LetterContent) -> bytes:
        """Give the letter as a tagged PDF/UA-1, the same bytes for the same content.

        Raises `RenderError` when it cannot be printed, for instance a character that no typeface here has.
        """
        return self._templates[content.kind, content.language].render(content)


class _Template:
    def __init__(self, kind: LetterKind, language: Language, fonts: typst.Fonts) -> None:
        source = TEMPLATES / kind / f"{language}.typ"
        self._compiler = typst.Compiler(source, root=TEMPLATES, font_paths=fonts)
        self._one_at_a_time = threading.Lock()

    def render(self, content: LetterContent) -> bytes:
        with self._one_at_a_time:
            try:
                pdf = self._compiler.compile(
                    format="pdf",
                    sys_inputs={"letter": content.model_dump_json()},
                    pdf_standards=PDF_STANDARD,
                )
            except typst.TypstError:
                # Typst quotes the text it cannot set: a name must not reach a log that way.
                raise RenderError(f"letter {content.letter_id} cannot be printed") from None
        if not isinstance(pdf, bytes):
            raise RenderError(f"letter {content.letter_id} came out as several files")
        return pdf
