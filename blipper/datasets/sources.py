"""Where each corpus comes from, under which licence, and what its authors published.

The licence is the one its authors state; it binds whoever uses the corpus, and may bind a model trained
on it. None of the corpora is part of Blipper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Source:
    """One corpus as its authors describe it.

    Parameters
    ----------
    name : str
        As in :attr:`blipper.datasets.Clip.corpus`.
    title : str
        For people.
    speakers, clips : int
        As published: what a complete copy holds, defects included.
    language : str
    recorded : str
        Who speaks what, in a sentence.
    licence : str
    commercial : str
        What the licence says of commercial use, in a few words.
    url : str
        Where to get it and read the licence.
    reference : str
        The publication to cite.
    """

    name: str
    title: str
    speakers: int
    clips: int
    language: str
    recorded: str
    licence: str
    commercial: str
    url: str
    reference: str


#: Every corpus that Blipper reads, in the order in which pages show them.
SOURCES: Final[dict[str, Source]] = {
    source.name: source
    for source in (
        Source(
            name="ravdess",
            title="RAVDESS",
            speakers=24,
            clips=1440,
            language="English (North American)",
            recorded="24 professional actors say two neutral sentences, each twice, in eight emotions; all "
            "but neutral at two intensities. The speech part, without song and video.",
            licence="CC BY-NC-SA 4.0",
            commercial="no",
            url="https://zenodo.org/records/1188976",
            reference="Livingstone and Russo (2018), PLoS ONE 13(5): e0196391",
        ),
        Source(
            name="crema-d",
            title="CREMA-D",
            speakers=91,
            clips=7442,
            language="English (North American)",
            recorded="91 actors of 20 to 74 years and several backgrounds say twelve sentences in six "
            "emotions; one of the sentences at three intensities.",
            licence="ODbL 1.0",
            commercial="yes, with attribution and share-alike of the database",
            url="https://github.com/CheyneyComputerScience/CREMA-D",
            reference="Cao et al. (2014), IEEE Transactions on Affective Computing 5(4): 377-390",
        ),
        Source(
            name="tess",
            title="TESS",
            speakers=2,
            clips=2800,
            language="English (Canadian)",
            recorded="Two actresses, one younger and one older, put 200 words into the same carrier phrase "
            "in seven emotions.",
            licence="CC BY-NC-ND 4.0",
            commercial="no",
            url="https://doi.org/10.5683/SP2/E8H2MF",
            reference="Pichora-Fuller and Dupuis (2020), Borealis, V1",
        ),
        Source(
            name="savee",
            title="SAVEE",
            speakers=4,
            clips=480,
            language="English (British)",
            recorded="Four men, students and researchers of one university, say 15 sentences an emotion, 30 "
            "for neutral, in seven emotions.",
            licence="research use only",
            commercial="no",
            url="http://kahlan.eps.surrey.ac.uk/savee/",
            reference="Jackson and Haq (2014), University of Surrey",
        ),
    )
}
