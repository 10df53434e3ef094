"""`python -m tests.abuse.coverage_guided TARGET RUNS SEED FOLDER`: atheris tries inputs that reach new lines."""

import sys
from pathlib import Path
from typing import Any

import atheris

_fuzz: Any = atheris
with _fuzz.instrument_imports(include=["gamf.client", "gamf.domain", "gamf.runtime.settings"]):
    from tests.abuse.targets import TARGETS, examples


def main(target: str, runs: str, seed: str, folder: str) -> None:
    """Try so many inputs; libFuzzer ends the process itself, with a status other than 0 at the first that escapes."""
    corpus = Path(folder) / target
    corpus.mkdir()
    for number, example in enumerate(examples()[target]):
        (corpus / str(number)).write_bytes(example)
    options = [f"-runs={runs}", f"-seed={seed}", "-max_len=2000", f"-artifact_prefix={folder}/", str(corpus)]
    _fuzz.Setup([sys.argv[0], *options], TARGETS[target])
    _fuzz.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:5])
