"""The classical contour methods: title, paper, settings and the grid they are tuned on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import ClassifierMixin

from nerve_core.errors import DataError
from nerve_core.evaluation.classical import classifiers, contours_active, edges, growing, thresholds, typical
from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.classifiers import MOST, PixelModels, Superpixel, superpixel_regions
from nerve_core.evaluation.classical.crf import Crf
from nerve_core.evaluation.classical.method import Contour, CrfContour, Judges, Network, RegionContour

SMALL, MIDDLE, LARGE = 0.01, 0.02, 0.035
"""Radii of openings and closings tried, shares of the picture's side."""


@dataclass(frozen=True)
class ContourMethod:
    """One entry of the registry.

    Attributes:
        title: for tables.
        paper: author and year.
        params: dataclass of its settings; its defaults are the start of the tuning.
        grid: values tried of each setting.
        propose: regions of a view; None for the random field.
        estimator: gives an unfitted classifier, for those that learn.
        most: most superpixels it learns from.
    """

    title: str
    paper: str
    params: type
    grid: Mapping[str, tuple[Any, ...]]
    propose: Callable[..., list[Any]] | None = None
    estimator: Callable[[], ClassifierMixin] | None = None
    most: int = 0

    @property
    def learns(self) -> bool:
        """Whether it is fitted on training scans, beyond the prior that all share."""
        return self.estimator is not None

    @property
    def needs_network(self) -> bool:
        """Whether it refines a network's map."""
        return self.propose is None


_GRADIENT = {"sigma": (2.0, 3.0, 5.0), "strength": (0.7, 0.8, 0.9), "closing": (0.0, SMALL, MIDDLE)}
_MAP = {"sigma": (2.0, 4.0, 8.0), "level": (0.4, 0.5, 0.6, 0.7, 0.8), "opening": (0.0, MIDDLE)}

CONTOUR_METHODS: dict[str, ContourMethod] = {
    "typical": ContourMethod(
        "Typical ellipse (never looks at the picture)",
        "floor for the others",
        typical.Typical,
        {"size": (0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0)},
        typical.typical_ellipse,
    ),
    "threshold": ContourMethod(
        "Global threshold",
        "Prewitt & Mendelsohn 1966",
        thresholds.GlobalThreshold,
        {
            "sigma": (1.5, 3.0, 5.0),
            "level": (0.2, 0.3, 0.4, 0.5, 0.6),
            "side": ("dark", "bright"),
            "opening": (SMALL, MIDDLE, LARGE),
        },
        thresholds.global_threshold,
    ),
    "otsu": ContourMethod(
        "Otsu's threshold",
        "Otsu 1979",
        thresholds.Otsu,
        {"sigma": (1.5, 3.0, 5.0), "classes": (2, 3, 4), "opening": (SMALL, MIDDLE, LARGE)},
        thresholds.otsu,
    ),
    "adaptive": ContourMethod(
        "Adaptive threshold",
        "Bradley & Roth 2007",
        thresholds.AdaptiveThreshold,
        {
            "sigma": (1.5, 3.0, 5.0),
            "window": (0.06, 0.1, 0.16),
            "offset": (0.0, 0.15, 0.3),
            "side": ("dark", "bright"),
            "opening": (SMALL, MIDDLE),
        },
        thresholds.adaptive_threshold,
    ),
    "growing": ContourMethod(
        "Region growing",
        "Adams & Bischof 1994",
        growing.Growing,
        {"sigma": (1.5, 3.0, 5.0), "tolerance": (0.4, 0.7, 1.0, 1.4), "opening": (SMALL, MIDDLE, LARGE)},
        growing.region_growing,
    ),
    "sobel": ContourMethod(
        "Sobel edges", "Sobel & Feldman 1968", edges.GradientEdges, _GRADIENT, edges.sobel
    ),
    "prewitt": ContourMethod("Prewitt edges", "Prewitt 1970", edges.GradientEdges, _GRADIENT, edges.prewitt),
    "canny": ContourMethod(
        "Canny edges, closed and filled",
        "Canny 1986",
        edges.Canny,
        {
            "sigma": (2.0, 3.0, 5.0),
            "strong": (0.85, 0.95),
            "weak": (0.6, 0.75),
            "closing": (0.0, SMALL, MIDDLE),
        },
        edges.canny,
    ),
    "snake": ContourMethod(
        "Snake (active contour)",
        "Kass, Witkin & Terzopoulos 1988",
        contours_active.Snake,
        {"sigma": (2.0, 4.0), "tension": (0.003, 0.02), "edge": (2.0, 8.0), "size": (1.0, 1.3)},
        contours_active.snake,
    ),
    "geodesic": ContourMethod(
        "Geodesic active contour",
        "Caselles et al. 1997; Márquez-Neila et al. 2014",
        contours_active.Geodesic,
        {
            "sigma": (2.0, 4.0),
            "steepness": (50.0, 300.0, 1000.0),
            "balloon": (-1, 1),
            "size": (0.6, 1.3),
        },
        contours_active.geodesic,
    ),
    "chan_vese": ContourMethod(
        "Chan–Vese level set",
        "Chan & Vese 2001; Márquez-Neila et al. 2014",
        contours_active.ChanVese,
        {"sigma": (1.5, 4.0), "inside": (1.0, 2.0), "smoothing": (2, 4), "reach": (1.7, 2.5)},
        contours_active.chan_vese,
    ),
    "svm": ContourMethod(
        "SVM on superpixels",
        "Cortes & Vapnik 1995",
        Superpixel,
        _MAP,
        superpixel_regions,
        classifiers.svm,
        MOST["svm"],
    ),
    "forest": ContourMethod(
        "Random Forest on superpixels",
        "Breiman 2001",
        Superpixel,
        _MAP,
        superpixel_regions,
        classifiers.forest,
        MOST["forest"],
    ),
    "knn": ContourMethod(
        "k nearest neighbours on superpixels",
        "Cover & Hart 1967",
        Superpixel,
        _MAP,
        superpixel_regions,
        classifiers.knn,
        MOST["knn"],
    ),
    "crf": ContourMethod(
        "Fully connected CRF on the network's map",
        "Krähenbühl & Koltun 2011",
        Crf,
        {
            "near": (0.5, 2.0),
            "alike": (0.5, 1.5, 4.0),
            "alike_sigma": (10.0, 30.0),
            "grey_sigma": (10.0, 30.0),
        },
    ),
}


def method_of(name: str) -> ContourMethod:
    """The entry of a contour method.

    Raises:
        DataError: when there is none of that name.
    """
    if name not in CONTOUR_METHODS:
        raise DataError(
            f"There is no classical contour method {name!r}; choose one of: {', '.join(CONTOUR_METHODS)}."
        )
    return CONTOUR_METHODS[name]


def make_contour(
    name: str,
    prior: Prior,
    params: Any = None,
    click_params: Any = None,
    models: PixelModels | None = None,
    network: Network | None = None,
    verdict: Judges | None = None,
) -> Contour:
    """A contour method ready to predict.

    Args:
        name: key of ``CONTOUR_METHODS``.
        prior: learned from training groups.
        params, click_params: settings without and with a click; None takes the defaults.
        models: fitted classifiers, for those that learn.
        network: for the random field, a ``Predictor``.
        verdict: judges the nerves found.

    Raises:
        DataError: an unknown method, or one without its classifiers or its network.
    """
    entry = method_of(name)
    params, click_params = params or entry.params(), click_params or entry.params()
    if entry.needs_network:
        if network is None:
            raise DataError("The random field refines a network's map; give it a Predictor as network.")
        return CrfContour(name, params, click_params, verdict, network)
    if entry.learns and models is None:
        raise DataError(f"{entry.title} has not been fitted; fit it on training scans, or load it.")
    return RegionContour(name, params, click_params, verdict, entry.propose, prior, models)
