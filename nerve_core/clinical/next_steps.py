"""What published guidelines and reviews say about what to do next: sentences to keep, change or strike.

They are offered for the nerve and site that the reader chose, whatever the model's verdict; nothing here is
derived from a verdict, and none of it is advice of this program.
"""

from __future__ import annotations

from dataclasses import dataclass

from nerve_core.clinical.pairs import ELBOW, TARSAL, WRIST


@dataclass(frozen=True)
class Step:
    """One published sentence.

    Attributes:
        text: what the source says, in our words.
        source: the paper, with its address.
    """

    text: str
    source: str

    @property
    def sentence(self) -> str:
        return f"{self.text} ({self.source})"


_CARPAL = (
    Step(
        "In carpal tunnel syndrome, ultrasound should be considered in screening for structural "
        "abnormalities at the wrist (Level B); the area of the median nerve at the wrist may be offered as a "
        "diagnostic test (Level A), and probably adds to electrodiagnostic studies (Level B).",
        "AANEM guideline 2012, doi:10.1002/mus.23389",
    ),
    Step(
        "If carpal tunnel syndrome is diagnosed: strong evidence that a splint or a steroid injection "
        "improves what patients report, and that surgical release does more at 6 and 12 months than "
        "splinting, anti-inflammatory drugs or a single injection.",
        "AAOS guideline 2016, doi:10.2106/JBJS.16.00719",
    ),
)
_ULNAR = (
    Step(
        "If ulnar neuropathy at the elbow is diagnosed and mild or moderate: information on avoiding "
        "prolonged movements and positions eased discomfort; night splints and nerve gliding added nothing "
        "in one trial.",
        "Cochrane review CD006839, Caliandro",
    ),
    Step(
        "If surgery is considered for it: simple decompression and transposition did equally well in trials, "
        "and transposition had more wound infections.",
        "Cochrane review CD006839, Caliandro",
    ),
)
_FIBULAR = (
    Step(
        "Follow the fibular nerve above the fibular head too: the lesion was found at the head in 55 % and "
        "just above it in 71 % of patients. Ultrasound adds to electrodiagnostic testing here.",
        "Visser 2013, doi:10.1002/mus.23729",
    ),
    Step(
        "If fibular neuropathy is diagnosed: whatever presses on the nerve from outside is removed first; "
        "many settle with observation and changed activity, and surgery is for those that do not.",
        "Review 2021, PMC8567814",
    ),
)
_TIBIAL = (
    Step(
        "Look for what presses on the tibial nerve in the tarsal tunnel: ultrasound found a cause in 13 of "
        "23 patients with tarsal tunnel syndrome.",
        "Fantino 2020, doi:10.1016/j.otsr.2020.02.021",
    ),
)
_ANYWHERE = (
    Step(
        "Where several nerves are large away from places of entrapment, nerve ultrasound is one of the "
        "supportive criteria for chronic inflammatory demyelinating polyneuropathy.",
        "EAN/PNS guideline 2021, doi:10.1111/ene.14959",
    ),
)

_BY_PLACE: dict[str, tuple[tuple[str, ...], tuple[Step, ...]]] = {
    "median": ((*WRIST, "carpal tunnel outlet"), _CARPAL),
    "ulnar": (ELBOW, _ULNAR),
    "fibular": (("fibular head", "popliteal fossa"), _FIBULAR),
    "tibial": (TARSAL, _TIBIAL),
}


def next_steps(nerve: str, site: str) -> list[Step]:
    """Published sentences for a nerve at a site, those of the site first; never empty."""
    places, steps = _BY_PLACE.get(nerve, ((), ()))
    return [*(steps if site in places else ()), *_ANYWHERE]
