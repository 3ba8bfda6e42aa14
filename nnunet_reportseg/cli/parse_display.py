"""What ``reportseg parse`` prints: a report by sections with the tags of every statement, or counts of a dataset."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from text_conditioning.english import looks_english
from text_conditioning.ranks import Rank
from text_conditioning.reports import Report, Sentence
from text_conditioning.side_words import find_side_words
from text_conditioning.sizes import find_sizes

_STATES = {"present": "green", "absent": "red", "uncertain": "yellow", "historical": "blue", "unknown": "dim"}
_SIDES = {"left": "cyan", "right": "magenta", "bilateral": "bold"}
_MOST_HEADINGS = 20
_NARROWEST_TABLE = 70  # columns; in a narrower terminal no room is left for the text


def show_report(report: Report) -> None:
    """Print one line per statement, in the order in which the model is given them."""
    console = Console()
    rows: list[tuple[str, tuple[Text, ...]]] = []
    before = None
    for sentence in report.sentences:
        section = sentence.section.name.lower()
        for part in sentence.clauses or (sentence,):
            rows.append((section if section != before else "", _cells(part, report.language_known)))
            before = section
    if console.width < _NARROWEST_TABLE:
        _show_lines(console, rows)
    else:
        _show_table(console, rows)
    if report.unknown_headings:
        console.print(Text(f"Unknown headings, read as text: {', '.join(report.unknown_headings)}"))
    statements = len(report.statements)
    split = sum(bool(sentence.clauses) for sentence in report.sentences)
    console.print(Text(f"{len(report.sentences)} sentences, {split} of them split; {statements} statements"))
    _show_language(console, report.language, report.language_known, looks_english([report.text]))


def _show_table(console: Console, rows: list[tuple[str, tuple[Text, ...]]]) -> None:
    table = Table(show_lines=False, pad_edge=False)
    for title in ("section", "place", "state", "side", "level", "size"):
        table.add_column(title, no_wrap=True)
    table.add_column("text", overflow="fold", ratio=1)
    for section, cells in rows:
        table.add_row(section, *cells)
    console.print(table)


def _show_lines(console: Console, rows: list[tuple[str, tuple[Text, ...]]]) -> None:
    """Print the tags of a statement in one line and its text below."""
    for section, (*tags, words) in rows:
        if section:
            console.print(Text(f"[{section}]"))
        console.print(Text(" ").join(tag for tag in tags if tag.plain))
        console.print(words, overflow="fold")


def _cells(part: Sentence, known: bool) -> tuple[Text, ...]:
    state = part.assertion.name.lower() if known else "unknown"
    side, level = part.laterality.name.lower(), part.level.name.lower()
    sizes = ", ".join(f"{size:g}" for size in part.sizes_mm)
    if part.prior_sizes_mm:
        sizes += f" (was {', '.join(f'{size:g}' for size in part.prior_sizes_mm)})"
    if part.rank is not Rank.NONE:
        sizes = f"{part.rank.name.lower()} {sizes}".strip()
    return (
        Text(f"{part.start}-{part.end}", style="dim"),
        Text(state, style=_STATES[state]),
        Text("" if side == "none" else side, style=_SIDES.get(side, "")),
        Text("" if level == "none" else level),
        Text(sizes),
        _coloured(part.text),
    )


def _coloured(words: str) -> Text:
    text = Text(words)
    for word in find_side_words(words):
        text.stylize(_SIDES["left" if word.left else "right"], word.start, word.end)
    for size in find_sizes(words):
        text.stylize("bold", size.start, size.end)
    text.plain = " ".join(words.splitlines()) if len(words.splitlines()) > 1 else words
    return text


def _show_language(console: Console, language: str, known: bool, english: bool) -> None:
    if not known:
        console.print(
            Text(
                f"There are no rules for the language {language!r}: sentences are split, but no state, side, level "
                "or rank is read.",
                style="yellow",
            )
        )
    elif language.startswith("en") and not english:
        console.print(
            Text(
                "The text does not look English, and is read by English rules. Give --language to read no tags.",
                style="yellow",
            )
        )


def show_counts(counts: dict[str, Any], source: str) -> None:
    """Print the statistics of a dataset."""
    console = Console()
    table = Table("", "", title=source, title_justify="left", show_header=False)
    rows = {
        "cases": f"{counts['cases']}, of them {len(counts['without_report'])} without report",
        "sentences": f"{counts['sentences']}, of them {counts['split_sentences']} split into clauses",
        "statements": f"{counts['statements']}, of them {counts['different_statements']} different",
        "sentences per report": _spread(counts["sentences_per_report"]),
        "words per report": _spread(counts["words_per_report"]),
        "words per statement": _spread(counts["words_per_statement"]),
        "characters per statement": _spread(counts["characters_per_statement"]),
        **{name: _listed(counts[name]) for name in ("sections", "assertions", "sides", "levels", "ranks")},
        "with a size": f"{counts['with_size']}; with an earlier size {counts['with_prior_size']}",
        "mirroring": _mirroring(counts["mirroring"]),
        "encoder": _window(counts["encoder_window"]),
        "unknown headings": _headings(counts["unknown_headings"]),
        "without report": ", ".join(counts["without_report"][:10]) or "none",
    }
    for name, value in rows.items():
        table.add_row(name, Text(value))
    console.print(table)
    _show_language(console, counts["language"], counts["language_known"], counts["looks_english"])


def _spread(values: dict[str, float]) -> str:
    return f"{values['mean']:.1f} ({values['min']} to {values['max']})"


def _listed(values: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in values.items() if count) or "none"


def _mirroring(values: dict[str, int]) -> str:
    return (
        f"{values['sided_statements_refused']} of {values['sided_statements']} statements with a side have no mirror "
        f"image; {values['cases_not_mirrored']} cases are not mirrored"
    )


def _window(window: dict[str, Any] | None) -> str:
    if window is None:
        return "not on this machine, so the lengths in tokens are unknown; nothing is ever cut off"
    return (
        f"{window['encoder']} reads {window['tokens']} tokens at once; the longest statement has {window['longest']}; "
        f"{window['longer']} are longer and read in several windows, none is cut off"
    )


def _headings(names: dict[str, int]) -> str:
    shown = [f"{name} {count}" for name, count in list(names.items())[:_MOST_HEADINGS]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "") or "none"
