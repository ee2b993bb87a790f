"""What a summary's numbers mean for somebody who trains or judges a model on them, in words.

Every sentence follows from the numbers by a rule with a stated limit, so a folder of one's own gets its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from blipper.datasets.sources import SOURCES
from blipper.datasets.summary import Spread, Summary
from blipper.voice.labels import EMOTIONS

Kind = Literal["class", "speaker", "sex", "intensity", "sentence", "corpus", "level", "files"]

#: A class is named when its ratio to the median of the corpus's others is beyond this, either way.
CLASS_RATIO: Final = 1.5

#: A corpus is named when it is more than this share of all clips.
CORPUS_SHARE: Final = 0.5

#: A sex is named when it says less than this share of a corpus's clips.
SEX_SHARE: Final = 0.4

#: Medians further apart than this are named: LU, and the ratio of seconds.
LOUDNESS_GAP: Final = 6.0
DURATION_RATIO: Final = 1.5

#: Up to this many speakers a corpus says little about new voices.
FEW_SPEAKERS: Final = 4

_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Caveat:
    """One thing to know about the balance of corpora.

    Parameters
    ----------
    kind : str
        What it is about.
    corpora : tuple of str
        Which corpora it speaks of.
    text : str
        One or two plain sentences.
    """

    kind: Kind
    corpora: tuple[str, ...]
    text: str


def balance_warnings(summary: Summary, corpora: Sequence[str] | None = None) -> tuple[Caveat, ...]:
    """Say in words where corpora are out of balance.

    Parameters
    ----------
    summary : Summary
    corpora : sequence of str, optional
        Those to compare; all by default. "Exists in RAVDESS alone" then means: among these.

    Returns
    -------
    tuple of Caveat
    """
    chosen = [name for name in summary.corpora if corpora is None or name in corpora]
    found: list[Caveat] = []
    if len(chosen) > 1:
        found += _between(summary, chosen)
    found += _absent(summary, chosen)
    found += _levels(summary, chosen)
    found += _unsaid(summary, chosen)
    for name in chosen:
        found += _classes(summary, name)
        found += _speakers(summary, name)
        found += _intensities(summary, name)
        found += _sentences(summary, name)
        found += _files(summary, name)
    return tuple(found)


def names(items: Sequence[str], last: str = "and") -> str:
    """Join words for people: ``"a, b and c"``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def _title(name: str) -> str:
    return SOURCES[name].title


def _number(n: int) -> str:
    return _NUMBERS[n] if n < len(_NUMBERS) else f"{n:,}"


def _ratio(ratio: float) -> str:
    for value, words in ((0.5, "half as"), (2.0, "twice as"), (3.0, "three times as"), (1 / 3, "a third as")):
        if abs(ratio / value - 1) < 0.1:
            return words
    return f"{ratio:.1f} times as"


def _between(summary: Summary, chosen: list[str]) -> Iterator[Caveat]:
    having = {
        emotion: [name for name in chosen if summary.clips(name, emotion=emotion)] for emotion in EMOTIONS
    }
    for emotion, where in having.items():
        if len(where) == 1:
            yield Caveat(
                "class",
                (where[0],),
                f"{emotion} exists in {_title(where[0])} alone: a model can tell it by that corpus's voices "
                "and rooms, and no other corpus can show that it learned the emotion.",
            )
    total = sum(summary.clips(name) for name in chosen)
    largest = max(chosen, key=summary.clips)
    if summary.clips(largest) > CORPUS_SHARE * total:
        yield Caveat(
            "corpus",
            (largest,),
            f"{_title(largest)} is {100 * summary.clips(largest) / total:.0f} % of these clips: a figure "
            "over all of them together is mostly its figure. Look at each corpus by itself as well.",
        )
    for measure, unit in (("loudness", "LUFS"), ("duration", "s")):
        spreads = [summary.spread(measure, name) for name in chosen]
        known = sorted((_median(s), s.corpus) for s in spreads if s is not None and s.quantiles)
        if len(known) < 2:
            continue
        (low, first), (high, last) = known[0], known[-1]
        if measure == "loudness" and high - low > LOUDNESS_GAP:
            text = f"{_title(last)} is {high - low:.0f} LU louder than {_title(first)}"
        elif measure == "duration" and high > DURATION_RATIO * low:
            text = f"The clips of {_title(last)} are {_ratio(high / low)} long as those of {_title(first)}"
        else:
            continue
        yield Caveat(
            "level",
            (first, last),
            f"{text} (medians {low:.1f} and {high:.1f} {unit}): that alone tells the corpora apart, and with "
            "them the emotions that only some of them have.",
        )


def _absent(summary: Summary, chosen: list[str]) -> Iterator[Caveat]:
    """Say which emotions corpora lack, those that lack the same ones together."""
    lacking: dict[tuple[str, ...], list[str]] = {}
    for name in chosen:
        absent = tuple(emotion for emotion in EMOTIONS if not summary.clips(name, emotion=emotion))
        if absent:
            lacking.setdefault(absent, []).append(name)
    for absent, where in lacking.items():
        have = "have" if len(where) > 1 else "has"
        titles = names([_title(name) for name in where])
        yield Caveat("class", tuple(where), f"{titles} {have} no {names(absent, 'and no')}.")


def _unsaid(summary: Summary, chosen: list[str]) -> Iterator[Caveat]:
    where = [
        name
        for name in chosen
        if summary.clips(name) and summary.clips(name, intensity="unspecified") == summary.clips(name)
    ]
    if where:
        do = "do" if len(where) > 1 else "does"
        titles = names([_title(name) for name in where])
        yield Caveat("intensity", tuple(where), f"{titles} {do} not say how intense a clip was meant to be.")


def _levels(summary: Summary, chosen: list[str]) -> Iterator[Caveat]:
    """Say where loudness or length alone sets angry clips apart from neutral ones."""
    louder: list[tuple[str, str]] = []
    longer: list[tuple[str, str]] = []
    for name in chosen:
        for measure in ("loudness", "duration"):
            neutral = summary.spread(measure, name, "neutral")
            angry = summary.spread(measure, name, "angry")
            if neutral is None or angry is None or not (neutral.quantiles and angry.quantiles):
                continue
            low, high = _median(neutral), _median(angry)
            if measure == "loudness" and abs(high - low) > LOUDNESS_GAP:
                more = "louder" if high > low else "quieter"
                louder.append((name, f"{abs(high - low):.0f} LU {more} in {_title(name)}"))
            elif measure == "duration" and not 1 / DURATION_RATIO < high / low < DURATION_RATIO:
                longer.append((name, f"{_ratio(high / low)} long in {_title(name)}"))
    for found, what in ((louder, "loudness"), (longer, "length")):
        if found:
            yield Caveat(
                "level",
                tuple(name for name, _ in found),
                f"Against neutral clips, angry ones are {names([text for _, text in found])} (medians): "
                f"{what} alone tells many of them apart, which says little about other recordings.",
            )


def _classes(summary: Summary, name: str) -> Iterator[Caveat]:
    counts = {emotion: summary.clips(name, emotion=emotion) for emotion in EMOTIONS}
    there = {emotion: n for emotion, n in counts.items() if n}
    for emotion, n in there.items():
        others = [count for other, count in there.items() if other != emotion]
        if not others:
            yield Caveat("class", (name,), f"{_title(name)} has {emotion} alone: nothing to tell it from.")
            continue
        ratio = n / median(others)
        if not 1 / CLASS_RATIO < ratio < CLASS_RATIO:
            yield Caveat(
                "class",
                (name,),
                f"{emotion} is {_ratio(ratio)} common as the other emotions in {_title(name)} ({n:,} clips; "
                f"the median of the others is {median(others):,.0f}). Accuracy hides that; look at UAR, the "
                "mean of the recalls.",
            )


def _speakers(summary: Summary, name: str) -> Iterator[Caveat]:
    speakers = summary.of_speakers(name)
    sexes = {speaker.sex for speaker in speakers}
    n = len(speakers)
    if n <= FEW_SPEAKERS:
        who = "speaker" if n == 1 else "speakers"
        kind = ""
        if len(sexes) == 1:
            female = sexes == {"female"}
            if n == 1:
                kind = ", a woman" if female else ", a man"
            else:
                kind = f", {'both' if n == 2 else 'all'} {'women' if female else 'men'}"
        yield Caveat(
            "speaker",
            (name,),
            f"{_title(name)} has {_number(n)} {who}{kind}: a split inside a speaker says nothing about new "
            f"voices, and a figure over {_number(n)} {who} says little.",
        )
    elif len(sexes) == 1:
        other = "men" if sexes == {"female"} else "women"
        yield Caveat("sex", (name,), f"{_title(name)} has no {other}.")
    if len(sexes) == 2:
        total = summary.clips(name)
        for sex, word in (("female", "women"), ("male", "men")):
            share = summary.clips(name, sex=sex) / total
            if share < SEX_SHARE:
                yield Caveat(
                    "sex", (name,), f"In {_title(name)} {100 * share:.0f} % of the clips are of {word}."
                )
    sizes = [sum(speaker.clips) for speaker in speakers]
    if max(sizes) > CLASS_RATIO * min(sizes):
        least = min(speakers, key=lambda speaker: sum(speaker.clips))
        yield Caveat(
            "speaker",
            (name,),
            f"{_title(name)}'s speakers differ in how many clips they have: {min(sizes):,} (speaker "
            f"{least.speaker}) to {max(sizes):,}.",
        )


def _intensities(summary: Summary, name: str) -> Iterator[Caveat]:
    total, unknown = summary.clips(name), summary.clips(name, intensity="unspecified")
    levels = {cell.intensity for cell in summary.cells if cell.corpus == name} - {"unspecified"}
    if levels and unknown:
        yield Caveat(
            "intensity",
            (name,),
            f"{_title(name)} says of {100 * (1 - unknown / total):.0f} % of its clips how intense they were "
            f"meant to be ({total - unknown:,} of {total:,}).",
        )
    lacking = [
        f"{level} {emotion}"
        for emotion in EMOTIONS
        if summary.clips(name, emotion=emotion)
        and not (unknown and summary.clips(name, emotion=emotion, intensity="unspecified"))
        for level in sorted(levels)
        if not summary.clips(name, emotion=emotion, intensity=level)
    ]
    if lacking:
        yield Caveat("intensity", (name,), f"{_title(name)} has no {names(lacking, 'and no')}.")


def _sentences(summary: Summary, name: str) -> Iterator[Caveat]:
    sentences = summary.of_sentences(name)
    emotions = sum(bool(summary.clips(name, emotion=emotion)) for emotion in EMOTIONS)
    alone = [sentence for sentence in sentences if sum(map(bool, sentence.clips)) == 1]
    if emotions > 1 and len(alone) == len(sentences):
        yield Caveat(
            "sentence",
            (name,),
            f"{_title(name)} numbers its sentences within each emotion, so nothing here shows which were "
            "said in several: a model may learn the words instead of the voice.",
        )
    elif emotions > 1 and alone:
        yield Caveat(
            "sentence",
            (name,),
            f"{len(alone):,} of {_title(name)}'s {len(sentences):,} sentences are said in one emotion "
            "alone: a model may learn the words instead of the voice.",
        )
    elif len(sentences) <= 2:
        yield Caveat(
            "sentence",
            (name,),
            f"{_title(name)} has {_number(len(sentences))} sentence{'s' if len(sentences) > 1 else ''}: "
            "other words are new to whatever learned from it alone.",
        )


def _files(summary: Summary, name: str) -> Iterator[Caveat]:
    source = SOURCES[name]
    gone = sum(item.corpus == name for item in summary.left_out)
    lacking = source.clips - summary.clips(name)
    if lacking > gone:
        yield Caveat(
            "files",
            (name,),
            f"{_title(name)} is not complete here: {summary.clips(name):,} of the {source.clips:,} published "
            f"clips, from {len(summary.of_speakers(name)):,} of {source.speakers:,} speakers.",
        )
    if gone:
        reasons = sorted({item.reason for item in summary.left_out if item.corpus == name})
        told = "; ".join(reasons[:3]) + ("; …" if len(reasons) > 3 else "")
        files = f"{gone:,} file{'s' if gone > 1 else ''}"
        yield Caveat("files", (name,), f"{files} of {_title(name)} left out: {told}.")
    twins = [keys for keys in summary.identical if any(key.startswith(f"{name}/") for key in keys)]
    if twins:
        yield Caveat(
            "files",
            (name,),
            f"{_title(name)}: {_number(len(twins))} sound{'s' if len(twins) > 1 else ''} under several "
            f"names, such as {names(twins[0])}. Keep such clips on one side of a split.",
        )


def _median(spread: Spread) -> float:
    return spread.quantiles[len(spread.quantiles) // 2]
