"""How good the engine is: ``python -m tests.evaluation.evaluate``, or ``nox -s evaluate``.

Weights fitted on half of the types answer for the other half, both ways round, so that nothing is reported
on types that it was fitted on. With ``--documents FOLDER`` the weights of the package answer for documents
of your own, laid out as those under ``tests/evaluation/documents``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from attrs import evolve, frozen

from llamaclassify.models import Rule
from llamaclassify.server import ocr
from llamaclassify.server.engine.engine import Engine
from llamaclassify.server.engine.model import Model

from .as_files import Labelled, right_ones, written
from .bench import Bench
from .corpus import DOCUMENTS, Corpus
from .everyday import everyday
from .layouts import laid_out, long_pdf
from .measures import Answer, Report, answers, by_type, report
from .scans import pdfs_and_scans
from .speed import Speed, measure_speed
from .tasks import Sampler
from .training import SEED, halves, train

_DOCS = Path(__file__).parents[2] / "docs" / "engine.md"
_BEGIN, _END = "<!-- written by nox -s evaluate -->\n", "<!-- end -->\n"

_COLUMNS = (
    "asked with",
    "right",
    "everyday ones",
    "a wrong type",
    "macro-F1",
    "null: precision / recall",
    "null on foreign documents",
    "ECE",
    "AUROC",
)


@frozen
class Setting:
    """One way of asking.

    Attributes:
        title: What the table calls it.
        knowledge: What the lexicon may know of the rules' types.
        size: How many rules; 1 for one rule alone.
        fitting: The share of tasks in which one rule is right.
        languages: Whether the documents are in other languages than the rules.
        encoder: Whether there is one.
    """

    title: str
    knowledge: str
    size: int
    fitting: float = 0.75
    languages: bool = False
    encoder: bool = True


SETTINGS = (
    Setting("14 rules of known types", "known", 14),
    Setting("5 rules of known types", "known", 5),
    Setting("5 rules, half of the types known", "half", 5),
    Setting("5 rules by description alone", "unknown", 5),
    Setting("one rule of a known type", "known", 1, 0.5),
    Setting("one rule by description alone", "unknown", 1, 0.5),
    Setting("14 rules in English, documents in six other languages", "known", 14, languages=True),
    Setting("14 rules of known types, without the encoder", "known", 14, encoder=False),
    Setting("5 rules by description alone, without the encoder", "unknown", 5, encoder=False),
)


def main() -> None:
    """Measure, print, and write the table of the documentation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=Path, help="your own, for the package's weights")
    parser.add_argument("--tasks", type=int, default=2000, help="for each setting")
    parser.add_argument("--damage", type=float, default=0.1, help="share of documents to damage further")
    parser.add_argument("--errors", type=int, default=0, help="list the commonest mistakes")
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = Corpus.read(options.documents or DOCUMENTS)
        if not options.documents:
            corpus = with_layouts(corpus, folder)
        bench = Bench.new()
        benches = {True: bench, False: bench.without_encoder()}
        parts = {
            encoder: _parts(corpus, one, own=bool(options.documents)) for encoder, one in benches.items()
        }
        print(f"{len(corpus.examples)} documents of {len(corpus.wordings)} types")
        rows = []
        for setting in SETTINGS:
            if setting.languages and options.documents:
                continue
            given = [
                answer
                for part, model in parts[setting.encoder]
                for answer in _ask(setting, part, model, benches[setting.encoder], options)
            ]
            rows.append((setting, report(given)))
            print(_row(setting, rows[-1][1]), flush=True)
            if setting is SETTINGS[0]:
                in_detail = given
            if options.errors:
                show_errors(given, options.errors)
        show_types(in_detail)
        if not options.documents:
            show_files(written(Corpus.read(DOCUMENTS), bench.lexicon, folder / "files"), folder / "scans")
        if not options.no_speed:
            speed = _speed(corpus, folder)
            print(speed)
            for kind, per_second in speed.by_type.items():
                print(f"{kind:30s} {per_second:6.1f} documents/s and worker")
            if not (options.no_write or options.documents):
                _write(corpus, rows, speed)


def with_layouts(corpus: Corpus, folder: Path) -> Corpus:
    """The written documents and everyday ones, each also laid out as some file."""
    plain = (*corpus.examples, *everyday())
    return evolve(corpus, examples=(*plain, *(laid_out(example, folder) for example in plain)))


def _parts(corpus: Corpus, bench: Bench, *, own: bool) -> list[tuple[Corpus, Model]]:
    if own:
        return [(corpus, Model.load())]
    one, other = halves(corpus, SEED)
    return [(one, train(other, bench, unseen=one)), (other, train(one, bench, unseen=other))]


def _ask(
    setting: Setting, corpus: Corpus, model: Model, bench: Bench, options: argparse.Namespace
) -> list[Answer]:
    corpus = corpus.in_other_languages() if setting.languages else corpus
    sampler = Sampler(corpus, bench.lexicon, SEED + 1, size=setting.size, fitting=setting.fitting)
    tasks = sampler.tasks(options.tasks // 2, setting.knowledge, damage=options.damage)
    return answers(bench.measure(tasks), model, encoder=bench.encoder is not None)


def _row(setting: Setting, given: Report) -> str:
    figures = (
        f"{given.accuracy:.3f}",
        f"{given.everyday:.3f}",
        f"{given.wrong:.3f}",
        f"{given.macro_f1:.3f}",
        f"{given.null_precision:.3f} / {given.null_recall:.3f}",
        f"{given.foreign_recall:.3f}",
        f"{given.calibration_error:.3f}",
        f"{given.separation:.3f}",
    )
    return f"| {setting.title} | {' | '.join(figures)} |".replace("nan", "\u2013")


def show_types(given: Sequence[Answer]) -> None:
    """Print how each type fared."""
    for kind, one in sorted(by_type(given).items(), key=lambda entry: entry[1].f1):
        print(f"{kind:30s} {one.tasks:4d} tasks  precision {one.precision:.2f}  recall {one.recall:.2f}")


def show_errors(given: Sequence[Answer], most: int) -> None:
    """Print the commonest mistakes."""
    mistakes = Counter(
        f"{answer.task.example.name}: {answer.given}, not {answer.gold}"
        for answer in given
        if not answer.right
    )
    for mistake, count in mistakes.most_common(most):
        print(f"{count:3d}  {mistake}")


def show_files(files: Labelled, folder: Path) -> None:
    """Print what the engine makes of files and of scans, by the weights of the package."""
    engine = Engine.load()
    print(f"as files, by the package's own weights: {right_ones(files, engine)} of {len(files.files)} right")
    if not ocr.is_available("eng"):
        print("as scans: not measured, as Tesseract's data for English is not installed")
        return
    pdfs, scans = pdfs_and_scans(files, folder)
    print(f"the PDF files among them: {right_ones(pdfs, engine)} of {len(pdfs.files)} right")
    print(f"scans of their first pages: {right_ones(scans, engine)} of {len(scans.files)} right")


def _speed(corpus: Corpus, folder: Path) -> Speed:
    rules = [Rule(wording.labels[0][:50], wording.full[0]) for wording in list(corpus.wordings.values())[::6]]
    files = {example.name.split(" as ")[0]: example.kind or "none" for example in corpus.examples}
    documents = [
        (kind, path)
        for name, kind in files.items()
        for path in (DOCUMENTS / name, *folder.glob(f"{name.replace('/', '-')}.*"))
        if path.exists()
    ]
    return measure_speed(documents, rules[:14], long_pdf(folder / "long.pdf"), folder)


def _write(corpus: Corpus, rows: Sequence[tuple[Setting, Report]], speed: Speed) -> None:
    text = _DOCS.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    foreign = sum(example.kind is None for example in corpus.examples)
    seconds = f"{speed.first_answer:.1f} s from nothing to the first answer"
    table = [
        f"{len(corpus.examples)} documents of {len(corpus.wordings)} types, {foreign} of no type:",
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|---" * len(_COLUMNS) + "|",
        *(_row(setting, given) for setting, given in rows),
        "",
        f"Speed, two workers on 2 cores: {speed.per_second:.0f} documents a second, reading files included;",
        f"{seconds}; {speed.long_document:.1f} s for 50 rules on a PDF of 300 pages;",
        f"at most {speed.memory:.0f} MB a worker, that PDF included.",
        "",
    ]
    _DOCS.write_text(before + _BEGIN + "\n".join(table) + _END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
