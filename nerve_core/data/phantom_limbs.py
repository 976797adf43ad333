"""What lies where at the ankle, the forearm, the fibular head and the thigh."""

from __future__ import annotations

import math

import numpy as np

from nerve_core.data.phantom_nerve import NerveShape
from nerve_core.data.phantom_sizes import draw_area
from nerve_core.data.phantom_tissue import Tissue


def ankle(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    """Tarsal tunnel: malleolus, three tendons, and vessels beside the tibial nerve under the retinaculum.

    In one ankle of four the nerve has already parted into its two plantar branches.
    """
    fat = rng.uniform(1.6, 3.4)
    roof = tissue.curve("retinaculum", fat, rng.normal(0, 0.04), 0.3)
    shift = rng.uniform(-5.0, -1.8)
    talus = fat + rng.uniform(13.0, 16.0)
    tissue.fat("tunnel", tissue.between(0, 99), -26.5, 0.2)
    tissue.belly("hallucis", shift + 7.0, fat + 10.5, 7.0, 3.6, 0.1, rng.uniform(-36, -32))
    tissue.connective("loose", tissue.blob(shift + 4.5, fat + 4.4, 6.5, 3.6, 0.1, 0.6), -23, 0.1)
    tissue.fat("fat", tissue.between(0, roof), -28, 0.4)
    tissue.fascia("retinaculum", roof, 0.6, 0.16)
    tissue.fascia("retinaculum 2", roof + 0.45, 0.3, 0.1)
    lateral = tissue.fields.lateral
    hill = talus + 0.03 * (lateral - shift - rng.uniform(-2, 5)) ** 2 + 0.2 * tissue.fields.curve("talus", 3)
    tissue.bone("talus", hill.astype(np.float32))
    edge = shift - rng.uniform(9.5, 10.5)
    slope = rng.uniform(0.10, 0.13) * np.clip(lateral - edge, 0, None) ** 2
    malleolus = fat + 0.9 + slope + 0.02 * np.clip(edge - lateral, 0, None) ** 2
    tissue.bone("malleolus", np.minimum(malleolus, tissue.bottom + 5).astype(np.float32))
    for name, x, z, wide, high, turn in (
        ("tibialis posterior", -5.2, 2.1, 2.5, 1.35, 0.30),
        ("digitorum", -1.4, 2.5, 1.8, 1.25, 0.15),
        ("hallucis longus", 6.0, 10.0, 2.3, 1.7, 0.0),
    ):
        place = shift + x + tissue.drift(rng, 0.5)
        tissue.tendon(name, place, fat + z, wide, high, turn + rng.normal(0, 0.1), rng.uniform(-20, -12))
    artery, z = shift + rng.uniform(2.2, 3.0) + tissue.drift(rng, 0.5), fat + rng.uniform(3.1, 3.7)
    radius = rng.uniform(0.95, 1.35)
    tissue.vessel(artery, z, radius, radius * rng.uniform(0.9, 1.0))
    for x, down in ((-2.1, 1.5), (1.75, -1.55))[: int(rng.integers(1, 3))]:
        wide = rng.uniform(0.8, 1.25)
        tissue.vessel(artery + x, z + down, wide, wide * rng.uniform(0.55, 0.8), 0.2, artery=False)
    x, z = artery + rng.uniform(3.9, 4.6), z + rng.uniform(0.9, 1.8)
    common = {"rim_mm": 0.28, "fascicle_db": -29.0, "free": (0.5, 0.5)}
    if rng.random() < 0.75:
        area, turn = draw_area(rng, "ankle", "tibial"), rng.normal(0.2, 0.25)
        count = int(rng.integers(12, 20))
        return [NerveShape("tibial", x, z, area, rng.uniform(1.15, 1.6), turn, count, **common)]
    nerves = []
    for name, right, down in (("medial plantar", 0.0, -0.6), ("lateral plantar", 2.2, 2.4)):
        area, turn = draw_area(rng, "ankle", name), rng.normal(0.2, 0.3)
        count = int(rng.integers(6, 12))
        nerves.append(
            NerveShape(name, x + right, z + down, area, rng.uniform(1.1, 1.5), turn, count, **common)
        )
    return nerves


def forearm(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    """Halfway to the elbow: the median nerve between two layers of flexors, the ulnar beside its artery."""
    fat = rng.uniform(2.2, 6.0)
    roof = tissue.curve("roof", fat, rng.normal(0, 0.05), 0.5)
    x = rng.uniform(-3.5, 2.5) + tissue.drift(rng, 1.0)
    depth = fat + rng.uniform(6.0, 9.0)
    split = tissue.curve("split", depth, rng.uniform(-0.1, 0.1), 0.5)
    tissue.muscle("profundus", tissue.between(0, 99), -34, rng.uniform(-0.3, 0.3))
    tissue.muscle("superficialis", tissue.between(roof, split), -33, rng.uniform(-0.2, 0.2), 0.9)
    above = tissue.between(roof + 0.2, 99)
    for name, side in (("radialis", -1), ("ulnaris", 1)):
        wide, high = rng.uniform(4.5, 6.5), rng.uniform(2.6, 3.4)
        place = x + side * (wide + rng.uniform(3.0, 6.0))
        tissue.belly(name, place, fat + high + 0.3, wide, high, -0.15 * side, rng.uniform(-36, -31), above)
    for name, side in (("deep radial", -1), ("deep ulnar", 1)):
        place, low = x + side * rng.uniform(6.0, 8.0), depth + rng.uniform(3.4, 4.4)
        tissue.belly(name, place, low, 5.6, 3.3, 0.2 * side, rng.uniform(-36, -32))
    tissue.connective("plane", np.exp(-(((tissue.z - split) / 0.6) ** 2)), -22)
    tissue.fat("fat", tissue.between(0, roof), -28.5, 0.5)
    tissue.fascia("split", split, 0.4, 0.14)
    tissue.fascia("roof", roof, 0.55, 0.14)
    lateral, under = tissue.fields.lateral, depth + rng.uniform(7.0, 10.0)
    hills = [
        under + rng.uniform(0, 2.5) + rng.uniform(0.07, 0.11) * (lateral - x - place) ** 2
        for place in (-rng.uniform(7.5, 10.5), rng.uniform(8.5, 11.5))
    ]
    tissue.bone("bones", np.minimum(hills[0], hills[1]).astype(np.float32))
    area, aspect = draw_area(rng, "forearm", "median"), rng.uniform(1.3, 2.4)
    at = float(np.interp(x, lateral[0], split[0]))
    count, turn = int(rng.integers(8, 15)), rng.normal(0, 0.2)
    common = {"rim_mm": 0.3, "fascicle_db": -29.5}
    nerves = [NerveShape("median", x, at, area, aspect, turn, count, free=(0.0, 0.3), **common)]
    if rng.random() < 0.6:
        side = x + rng.uniform(8.5, 10.5)
        at = float(np.interp(side, lateral[0], split[0])) - rng.uniform(0.0, 1.0)
        radius = rng.uniform(0.9, 1.25)
        tissue.connective("bundle", tissue.blob(side, at, 3.8, 2.0, 0.0, 0.6), -22)
        tissue.vessel(side - radius - 0.6, at, radius, radius * 0.95)
        if side + 4 < tissue.fields.half_mm:
            area = draw_area(rng, "forearm", "ulnar")
            nerves.append(
                NerveShape(
                    "ulnar", side + 1.9, at, area, rng.uniform(1.1, 1.7), rng.normal(0, 0.3),
                    int(rng.integers(6, 11)), free=(1.0, 0.0), **common,
                )
            )  # fmt: skip
    return nerves


def fibular_head(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    """The common fibular nerve, flat and close under the skin, behind the neck of the fibula."""
    fat = rng.uniform(2.0, 4.8)
    roof = tissue.curve("roof", fat, rng.normal(0, 0.06), 0.4)
    x = rng.uniform(-2.5, 2.0) + tissue.drift(rng, 0.8)
    tissue.muscle("gastrocnemius", tissue.between(0, 99), -34, rng.uniform(-0.3, 0.3))
    area, aspect = draw_area(rng, "fibular head", "common fibular"), rng.uniform(1.5, 2.6)
    thick = math.sqrt(area / math.pi / aspect)
    z = fat + thick + rng.uniform(0.6, 1.6)
    bone = x - rng.uniform(4.5, 7.0)
    lateral = tissue.fields.lateral
    below = tissue.between(roof + 0.3, 99)
    tissue.belly("peroneus", bone - 3.0, fat + 2.6, 5.5, 2.4, 0.1, rng.uniform(-36, -32), below)
    tissue.belly("soleus", x + 7.5, z + 7.0, 8.0, 4.5, 0.2, rng.uniform(-36, -32), below)
    tissue.connective("bed", tissue.blob(x, z, 5.5, thick + 1.8, 0.1, 0.5), -22, 0.1)
    tissue.fat("fat", tissue.between(0, roof), -28.5, 0.5)
    tissue.fascia("roof", roof, 0.5, 0.14)
    low = z + thick + rng.uniform(0.6, 1.6)
    right, left = rng.uniform(0.07, 0.12), rng.uniform(0.05, 0.09)
    hill = low + right * np.clip(lateral - bone, 0, None) ** 2 + left * np.clip(bone - lateral, 0, None) ** 2
    hill = hill + 0.12 * tissue.fields.curve("neck", 2.5)
    tissue.bone("fibula", np.minimum(hill, tissue.bottom + 5).astype(np.float32))
    if rng.random() < 0.5:
        tissue.tendon("biceps", bone - 1.0, fat + 1.4, 2.6, 1.0, 0.05, rng.uniform(-18, -12))
    turn, count = rng.uniform(-0.1, 0.35), int(rng.integers(8, 14))
    return [
        NerveShape(
            "common fibular", x, z, area, aspect, turn, count,
            fascicle_db=-29, rim_mm=0.3, free=(0.6, -0.2),
        )
    ]  # fmt: skip


def thigh(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    """The sciatic nerve halfway down the thigh, deep between the hamstrings and the adductor magnus."""
    fat = rng.uniform(6.0, 14.0)
    roof = tissue.curve("roof", fat, rng.normal(0, 0.04), 0.7)
    x = rng.uniform(-4, 4) + tissue.drift(rng, 1.5)
    high = rng.uniform(5.5, 7.5)
    z = fat + 2 * high + rng.uniform(0.5, 2.5)
    below = tissue.between(roof + 0.3, 99)
    tissue.muscle("adductor", tissue.between(0, 99), -34, rng.uniform(-0.3, 0.3))
    wide, at = rng.uniform(12, 16), x - rng.uniform(2, 7)
    tissue.belly("biceps", at, fat + high + 0.3, wide, high, rng.uniform(-0.1, 0.1), -34, below)
    side = at + wide + rng.uniform(8, 11)
    tissue.belly("semitendinosus", side, fat + high, 11.0, high, -0.1, rng.uniform(-36, -32), below)
    tissue.belly("vastus", x - rng.uniform(23, 28), z + 3, 13.0, 9.0, 0.3, -35, below)
    line = tissue.curve("plane", z + rng.uniform(2.4, 3.4), rng.uniform(-0.06, 0.06), 0.6)
    tissue.connective("bed", tissue.blob(x, z, 9.5, 4.2, 0.05, 0.6), -22, 0.1)
    tissue.fat("fat", tissue.between(0, roof), -29, 0.7)
    tissue.fascia("roof", roof, 0.6, 0.18)
    tissue.fascia("plane", line, 0.4, 0.16)
    deep = z + rng.uniform(13, 18)
    hill = deep + rng.uniform(0.03, 0.05) * (tissue.fields.lateral - x + rng.uniform(6, 14)) ** 2
    tissue.bone("femur", np.minimum(hill, tissue.bottom + 5).astype(np.float32))
    area, aspect = draw_area(rng, "thigh", "sciatic"), rng.uniform(1.6, 2.8)
    return [
        NerveShape(
            "sciatic", x, z, area, aspect, rng.normal(0, 0.15), int(rng.integers(24, 44)),
            fascicle_db=-28, epineurium_db=-13, rim_mm=0.4, irregular=0.08, free=(0.0, 0.3),
        )
    ]  # fmt: skip
