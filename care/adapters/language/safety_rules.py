"""The safety assessment by rules: reads every message before anything else does.

The words are the pack's (`safety.yml`), what numbers mean is in `safety_numbers`, whether a phrase holds for the
member now is in `safety_scope`. No model, no network, time linear in the length of the message. Doubt about
L0, L1 and P3 goes up: a phrase is only set aside when the text clearly says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from care.adapters.language import safety_numbers as numbers
from care.adapters.language.normalise import Normalised, normalise
from care.adapters.language.safety_lexicon import NOTHING, Level, Lexicon, LexiconError, Rule, load_lexicon
from care.adapters.language.safety_patterns import Phrase
from care.adapters.language.safety_scope import Scopes, ScopeWords, Standing
from care.model.assessment import (
    COMPLAINT,
    DISTRESS,
    MEDICAL,
    Assessment,
    Complaint,
    Context,
    Distress,
    Emotion,
    Flag,
    Medical,
    Why,
)

__all__ = ["LexiconError", "SafetyRules"]

MASK = "□"
EXCEPTION_REACH = 16  # characters around a phrase in which an exception may begin
BARE = 9  # characters; a message so short that is mostly the phrase itself is about the member's mouth
DANGEROUS_TABLETS = 4  # at once; fewer is an accidental double (L1) if the member says it was one
ORDER: dict[Level, int] = {
    **{level: place for place, level in enumerate(MEDICAL)},
    **{level: place for place, level in enumerate(DISTRESS)},
    **{level: place for place, level in enumerate(COMPLAINT)},
}
RISE = 3  # points since an earlier report, from the second day; care.md 2.2
RECOVERY_DAYS = 14  # a check-in plan runs so long; care.md 2.3
NO_CONTEXT = Context()
FEVER = 38.0  # degrees; care.md 2.2
#: What stood in the text a short while ago and is over is asked about once more (care.md 3.1).
RE_CHECKED = Medical.WATCH


@dataclass(frozen=True, slots=True)
class _Finding:
    """One thing the text says; `flag` is None for signs and for what only made a level."""

    subject: str
    flag: Flag | None
    level: Level
    rule: str
    start: int
    end: int


class SafetyRules:
    """Assesses messages by the lexicon of one pack."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._words = ScopeWords.of(lexicon.scopes, lexicon.over)

    @classmethod
    def load(cls, path: Path) -> SafetyRules:
        """Read the lexicon.

        Raises:
            LexiconError: listing every problem with file and line.
        """
        return cls(load_lexicon(path))

    @property
    def version(self) -> str:
        """The version of the lexicon, for the record of a verdict."""
        return self._lexicon.version

    def without_idioms(self, text: str) -> str:
        """Return the text without its idioms: 笑死我了 is nobody's death."""
        message = normalise(text)
        kept = list(text)
        for start, end in idioms_in(self._lexicon, message.text):
            first, last = message.original_span(start, end)
            kept[first:last] = [""] * (last - first)
        return "".join(kept)

    def assess(self, text: str, context: Context = NO_CONTEXT) -> Assessment:
        """Return what the text says about the member now; never raises on any text."""
        message = normalise(text)
        if not message.text:
            return Assessment()
        named = numbers.day_named(message.text)
        day = max((one for one in (context.day, named) if one is not None), default=None)
        reader = _Reader(self._lexicon, Scopes(message, self._words), replace(context, day=day))
        findings = reader.read()
        findings += _together(self._lexicon, findings)
        return _verdict(findings, text, message, self._emotion(reader, findings))

    def _emotion(self, reader: _Reader, findings: list[_Finding]) -> Emotion:
        felt = [
            Emotion(one.label, one.valence)
            for one in self._lexicon.feelings
            for phrase in one.says
            if phrase.possible(reader.characters)
            and any(not reader.scopes.denied(*match.span()) for match in phrase.finditer(reader.text))
        ]
        subjects = {one.subject for one in findings if one.level is not NOTHING}
        if Flag.SELF_HARM in subjects:
            felt.append(Emotion("sad", -1.0))
        if Flag.SEVERE_PAIN in subjects or Flag.DRY_SOCKET in subjects:
            felt.append(Emotion("in_pain", -0.7))
        worst = min(felt, key=lambda one: one.valence, default=Emotion())
        best = max(felt, key=lambda one: one.valence, default=Emotion())
        return worst if worst.valence < 0 else best


def idioms_in(lexicon: Lexicon, text: str) -> list[tuple[int, int]]:
    """Return where the idioms of a text in its plain form stand; they may overlap."""
    characters = frozenset(text)
    return [
        match.span() for phrase in lexicon.idioms if phrase.possible(characters) for match in phrase.finditer(text)
    ]


class _Reader:
    """Reads one message."""

    def __init__(self, lexicon: Lexicon, scopes: Scopes, context: Context) -> None:
        self.lexicon, self.scopes, self.context = lexicon, scopes, context
        self.whole = scopes.message.text
        self.text = self._without_idioms()
        self.characters = frozenset(self.text)

    def read(self) -> list[_Finding]:
        """Return everything the text says, numbers included."""
        found = [one for rule in self.lexicon.rules if self._applies(rule) and (one := self._rule(rule))]
        found += self._temperatures() + self._pain() + self._tablets() + self._moods()
        return self._measured(found)

    def _measured(self, found: list[_Finding]) -> list[_Finding]:
        """Whoever took a temperature below 38 has no more fever than that, whatever they call it."""
        taken = [one.value for one in numbers.temperatures(self.whole, self.context.asked)]
        if not taken or max(taken) >= FEVER:
            return found
        felt = {rule.code for rule in self.lexicon.rules if rule.felt}
        return [replace(one, level=RE_CHECKED) if one.rule in felt else one for one in found]

    def _without_idioms(self) -> str:
        text = self.whole
        for start, end in idioms_in(self.lexicon, text):
            text = text[:start] + MASK * (end - start) + text[end:]
        return text

    def _applies(self, rule: Rule) -> bool:
        if rule.asked and self.context.asked not in rule.asked:
            return False
        if not rule.treatments:
            return True
        return self.context.treatment is None or self.context.treatment in rule.treatments

    def _rule(self, rule: Rule) -> _Finding | None:
        """Return the first finding of a row that holds, else the gravest of what remains of the others, else None."""
        best: _Finding | None = None
        for phrase in rule.says:
            if not phrase.possible(self.characters):
                continue
            for match in phrase.finditer(self.text):
                finding = self._judged(rule, *match.span())
                if finding is not None and (best is None or ORDER[finding.level] > ORDER[best.level]):
                    best = finding
                if finding is not None and finding.subject == rule.subject:
                    break
            if best is not None and best.subject == rule.subject:
                break
        if best is not None and any(one.regex.search(self.text) for one in rule.unless):
            return None
        return best

    def _judged(self, rule: Rule, start: int, end: int) -> _Finding | None:
        if any(self._overlaps(one, start, end) for one in rule.excepted):
            return None
        if rule.near and not self._about(rule, start, end):
            return None
        level = rule.level_for(self.context.treatment, self.context.day)
        standing = self.scopes.standing(start, end, rule.subject, own_care=rule.own_care)
        if standing is Standing.HOLDS or standing.value in rule.ignores:
            if level is NOTHING and rule.sign is None:
                return None
            return _Finding(rule.subject, rule.flag, level, rule.code, start, end)
        if standing.value in rule.softened:
            return _Finding("softened", None, rule.softened[standing.value], f"{rule.code}.{standing}", start, end)
        if standing is Standing.OVER and ORDER[level] >= ORDER[Medical.L2] and isinstance(level, Medical):
            recent = self.scopes.is_recent(start)
            return _Finding("over", None, RE_CHECKED, f"{rule.code}.over", start, end) if recent else None
        return None

    def _about(self, rule: Rule, start: int, end: int) -> bool:
        """Whether what the row demands nearby is there, or goes without saying."""
        if rule.implied:
            if rule.implied & {self.context.treatment, self.context.asked}:
                return True
            if self.context.treatment is None and len(self.text) <= BARE and (end - start) * 2 > len(self.text):
                return True
        return any(one.regex.search(self.text, max(0, start - rule.reach), end + rule.reach) for one in rule.near)

    def _overlaps(self, phrase: Phrase, start: int, end: int) -> bool:
        if not phrase.possible(self.characters):
            return False
        window = phrase.regex.finditer(self.text, max(0, start - EXCEPTION_REACH), end + EXCEPTION_REACH)
        return any(match.start() < end and match.end() > start for match in window)

    def _temperatures(self) -> list[_Finding]:
        found = []
        for reading in numbers.temperatures(self.whole, self.context.asked):
            level = _fever(reading.value, self.context.day)
            if level is not None and self._holds(reading, "fever"):
                found.append(self._number(reading, Flag.FEVER, level, f"number.temperature.{level.value}"))
        return found

    def _pain(self) -> list[_Finding]:
        if self.context.asked == "checkin.sens":
            return self._sensitivity()
        found = []
        for reading in numbers.pain_scores(self.whole, self.context.asked, recovering=self._recovering()):
            level = _pain(reading.value, self.context)
            if level is not None and self._holds(reading, "severe_pain"):
                flag = Flag.SEVERE_PAIN if level is not Medical.WATCH else None
                found.append(self._number(reading, flag, level, f"number.pain.{level.value}"))
        rise = numbers.pain_rise(self.whole, self.context.asked)
        early = self.context.day in (0, 1) and self.context.treatment != "root_canal"  # a flare-up comes on day one
        if rise is not None and rise.value >= RISE and not early:
            found.append(self._number(rise, Flag.SEVERE_PAIN, Medical.L2, "number.pain.rise"))
        return found

    def _recovering(self) -> bool:
        return self.context.treatment is not None and (self.context.day or 0) <= RECOVERY_DAYS

    def _sensitivity(self) -> list[_Finding]:
        score = numbers.bare_score(self.whole)
        if score is None or score < 5:
            return []
        whole = numbers.Reading("pain", score, 0, len(self.whole))
        if score < 7:
            return [self._number(whole, None, Medical.WATCH, "number.sensitivity.watch")]
        if self.context.treatment == "whitening":
            return [self._number(whole, Flag.SEVERE_PAIN, Medical.L2, "number.sensitivity.L2")]
        return [self._number(whole, None, Medical.L3, "number.sensitivity.L3")]

    def _tablets(self) -> list[_Finding]:
        found = []
        for reading in numbers.tablets(self.text):
            if reading.value >= DANGEROUS_TABLETS and self._holds(reading, "medication_error"):
                found.append(self._number(reading, Flag.MEDICATION_ERROR, Medical.L0, "number.tablets.L0"))
        return found

    def _moods(self) -> list[_Finding]:
        score = numbers.bare_score(self.whole) if self.context.asked == "checkin.mood" else None
        if score is None or not 1 <= score <= 3:
            return []
        level = Distress.P2 if score == 1 else Distress.P1
        whole = numbers.Reading("pain", score, 0, len(self.whole))
        return [self._number(whole, Flag.DISTRESS, level, f"number.mood.{level.value}")]

    def _holds(self, reading: numbers.Reading, subject: str) -> bool:
        return self.scopes.standing(reading.start, reading.end, subject, own_care=True) is Standing.HOLDS

    @staticmethod
    def _number(reading: numbers.Reading, flag: Flag | None, level: Level, code: str) -> _Finding:
        return _Finding(flag.value if flag else code, flag, level, code, reading.start, reading.end)


def _fever(degrees: float, day: int | None) -> Medical | None:
    """Return what a body temperature means; care.md 2.2 and 3.2."""
    if degrees >= 38.5:
        return Medical.L1
    if degrees >= FEVER:
        return Medical.L1 if day is not None and day >= 3 else Medical.L2
    return Medical.WATCH if degrees >= 37.5 else None


def _pain(score: float, context: Context) -> Medical | None:
    """Return what a pain score means; care.md 2.2 and 2.4 (braces ache most in the first two days)."""
    if score >= 9:
        return Medical.L1
    if score >= 7:
        early = context.day == 0 or (context.treatment == "ortho" and context.day is not None and context.day <= 2)
        return Medical.WATCH if early else Medical.L2
    return Medical.WATCH if score >= 5 else None


def _together(lexicon: Lexicon, findings: list[_Finding]) -> list[_Finding]:
    """Return what findings mean together."""
    held: dict[str, _Finding] = {}
    for one in findings:
        if one.subject not in held or ORDER[one.level] > ORDER[held[one.subject].level]:
            held[one.subject] = one
    more = []
    for row in lexicon.together:
        met = [
            next(
                (
                    held[s]
                    for s in sorted(group)
                    if s in held and ORDER[held[s].level] >= ORDER[row.least.get(s, NOTHING)]
                ),
                None,
            )
            for group in row.groups
        ]
        if all(met):
            more += [
                _Finding(row.flag.value, row.flag, row.level, row.code, one.start, one.end) for one in met if one
            ]
    return more


def _verdict(findings: list[_Finding], text: str, message: Normalised, emotion: Emotion) -> Assessment:
    counted = sorted((one for one in findings if one.level is not NOTHING), key=lambda one: (one.start, one.rule))
    whys: dict[Why, None] = {}
    for one in counted:
        start, end = message.original_span(one.start, one.end)
        track = (
            "medical"
            if isinstance(one.level, Medical)
            else "distress"
            if isinstance(one.level, Distress)
            else "complaint"
        )
        whys[Why(track, text[start:end], one.rule, start, end)] = None
    by_gravity = sorted(counted, key=lambda one: -ORDER[one.level])
    return Assessment(
        medical=max(
            (one.level for one in counted if isinstance(one.level, Medical)), key=MEDICAL.index, default=Medical.NONE
        ),
        distress=max(
            (one.level for one in counted if isinstance(one.level, Distress)),
            key=DISTRESS.index,
            default=Distress.NONE,
        ),
        complaint=max(
            (one.level for one in counted if isinstance(one.level, Complaint)),
            key=COMPLAINT.index,
            default=Complaint.NONE,
        ),
        flags=tuple(dict.fromkeys(one.flag for one in by_gravity if one.flag)),
        why=tuple(whys),
        emotion=emotion,
    )
