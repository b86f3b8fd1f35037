"""What a model card says about the data an adapter was trained on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """A data set's name in prose, where it comes from, and under which terms."""

    title: str
    terms: str
    url: str | None = None


_ON_REQUEST = (
    "Its authors give it out for research, on signed request. Videos, file names, captions and anything derived clip "
    "by clip may not be passed on, and none of it is in this repository. Whether and for what an adapter trained on it "
    "may be used is for its terms to say: read them before you use this one, commercially above all."
)
_OWN = (
    "The clips are not public and none of them is in this repository. Ask whoever published this adapter about consent "
    "of the people shown and the terms of use."
)

NOTICES: dict[str, Notice] = {
    "synthetic": Notice(
        "drawn faces (emotrain's synthetic clips)",
        "The faces are drawn by a program; they show no person and are free to use. Figures on them say nothing about "
        "real faces.",
    ),
    "dfew": Notice("DFEW (Jiang et al., ACM MM 2020)", _ON_REQUEST, "https://dfew-dataset.github.io"),
    "mafw": Notice("MAFW (Liu et al., ACM MM 2022)", _ON_REQUEST, "https://mafw-database.github.io/MAFW"),
    "ferv39k": Notice("FERV39k (Wang et al., CVPR 2022)", _ON_REQUEST),
    "casme2": Notice("CASME II (Yan et al., 2014)", _ON_REQUEST),
    "samm": Notice("SAMM (Davison et al., 2018)", _ON_REQUEST),
    "casme3": Notice("CAS(ME)^3, part A (Li et al., 2023)", _ON_REQUEST),
    "smic": Notice("SMIC-HS (Li et al., 2013)", _ON_REQUEST),
    "mmew": Notice("MMEW (Ben et al., 2022)", _ON_REQUEST),
    "megc2019": Notice("the MEGC2019 composite of SMIC, CASME II and SAMM (See et al., 2019)", _ON_REQUEST),
}


def notice(dataset: str) -> Notice:
    """The notice of a data set layout; clips of one's own (a folder, a CSV file) have one in common."""
    return NOTICES.get(dataset, Notice("clips of its publisher", _OWN))
