"""How large healthy nerves are: the sizes that phantoms are drawn with."""

from __future__ import annotations

import numpy as np

# (mean, standard deviation) of the cross-sectional area in mm². Bae 2021 (PMC8104199, Table 1, 107 healthy
# adults) unless noted; the sd of a pooled mean, which is not published, is taken as about a fifth of it.
CSA_MM2 = {
    ("wrist", "median"): (9.33, 1.55),
    ("wrist", "ulnar"): (5.09, 1.29),
    ("elbow", "ulnar"): (7.31, 1.69),
    ("axilla", "median"): (9.88, 2.52),
    ("axilla", "ulnar"): (6.94, 1.97),
    ("axilla", "radial"): (7.02, 1.87),
    ("popliteal", "tibial"): (21.7, 4.0),  # pooled mean, Senarai 2023, doi 10.3390/jcm12196186
    ("popliteal", "fibular"): (7.9, 1.6),  # pooled mean, Fisse 2021 Part II
    ("ankle", "tibial"): (10.9, 1.6),  # pooled mean, Senarai 2023, doi 10.3390/jcm12196186
    ("forearm", "median"): (6.31, 1.49),
    ("forearm", "ulnar"): (5.2, 1.0),  # pooled mean, Fisse 2021 Part I, doi 10.1111/ene.14759
    ("fibular head", "common fibular"): (8.4, 1.7),  # pooled mean, Fisse 2021 Part II
    # No norms at hand: together about as large as the tibial nerve that they come from.
    ("ankle", "medial plantar"): (6.0, 1.0),
    ("ankle", "lateral plantar"): (4.8, 0.9),
    # Not in the norms shipped with the project; chosen below the upper limit of a C5 root (8 mm²,
    # Practical Neurology, secondary source).
    ("neck", "C5 root"): (5.5, 0.9),
    ("neck", "C6 root"): (7.5, 1.2),
    ("neck", "C7 root"): (8.0, 1.3),
    # No norm at hand: a plausible size of the flat femoral nerve below the inguinal ligament.
    ("groin", "femoral"): (24.0, 5.0),
    # No norm at hand: somewhat more than its tibial and fibular parts at the knee together.
    ("thigh", "sciatic"): (42.0, 7.0),
}


def draw_area(rng: np.random.Generator, site: str, nerve: str) -> float:
    """Cross-sectional area in mm² of one healthy nerve, within 1.7 standard deviations of the mean."""
    mean, spread = CSA_MM2[site, nerve]
    return mean + spread * float(np.clip(rng.normal(), -1.7, 1.7))
