"""What lies where: the sites and their cross-sections (those of `phantom_limbs` among them)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nerve_core.data.phantom_limbs import ankle, fibular_head, forearm, thigh
from nerve_core.data.phantom_nerve import NerveShape
from nerve_core.data.phantom_sizes import draw_area
from nerve_core.data.phantom_tissue import Tissue


@dataclass(frozen=True)
class Site:
    """A place to scan.

    Attributes:
        nerves: names, the main one first.
        depth_mm: range of imaging depths used there.
        draw: paints everything but the nerves and returns them, healthy.
    """

    nerves: tuple[str, ...]
    depth_mm: tuple[float, float]
    draw: Callable[[Tissue, np.random.Generator], list[NerveShape]]


def _wrist(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    shift = rng.uniform(-2.5, 2.5)
    roof = rng.uniform(2.6, 4.0)
    tissue.muscle("deep", tissue.between(0, 99), -33, 0.05)
    tunnel = tissue.curve("retinaculum", roof, rng.normal(0, 0.02), 0.25)
    floor = tissue.curve("floor", roof + rng.uniform(8.5, 10.5), wave=0.5, across=7)
    tissue.connective("tunnel", tissue.between(tunnel, floor), -29)
    tissue.fat("fat", tissue.between(0, tunnel), -26.5, 0.35)
    tissue.fascia("floor", floor, 0.25, 0.2)
    depth = float(floor.mean()) + rng.uniform(1.8, 3.2)
    arch = tissue.curve("radius", depth, wave=0.3) + 0.010 * (tissue.fields.lateral - rng.uniform(-4, 4)) ** 2
    tissue.bone("radius", arch.astype(np.float32))
    area = draw_area(rng, "wrist", "median")
    aspect = rng.uniform(1.7, 2.7)
    thick = 2 * math.sqrt(area / math.pi / aspect)
    x, z = shift + tissue.drift(rng, 1.2), roof + 0.45 + thick / 2
    # Flexor tendons in two rows below the nerve, and to its sides above them.
    row = z + thick / 2 + 1.5
    for index in range(5):
        place = shift - 8.4 + 4.2 * index + rng.normal(0, 0.35)
        lift = 1.6 if abs(place - x) > 1.35 * math.sqrt(area * aspect / math.pi) + 1.2 else 0.0
        tissue.tendon(
            f"superficial {index}",
            place + tissue.drift(rng, 0.5),
            row - lift + rng.normal(0, 0.2),
            rng.uniform(1.7, 2.1),
            rng.uniform(1.2, 1.5),
            rng.normal(0, 0.2),
            rng.uniform(-20, -11),
        )
    for index in range(5):
        tissue.tendon(
            f"deep {index}",
            shift - 8.9 + 4.3 * index + rng.normal(0, 0.4),
            row + 2.9 + rng.normal(0, 0.2),
            rng.uniform(1.8, 2.2),
            rng.uniform(1.1, 1.4),
            rng.normal(0, 0.15),
            rng.uniform(-20, -12),
        )
    tissue.fascia("retinaculum", tunnel, 0.55, 0.16)
    tissue.fascia("retinaculum 2", tunnel - 0.45, 0.3, 0.10)
    nerves = [
        NerveShape(
            "median",
            x,
            z,
            area,
            aspect,
            rng.normal(0, 0.06),
            int(rng.integers(13, 22)),
            rim_mm=0.25,
            free=(0.0, 1.0),
        )
    ]
    side = x + rng.uniform(9.0, 10.0)
    tissue.vessel(side, roof + 0.6, 1.1, 1.0)
    if side + 4.5 < tissue.fields.size[1] * tissue.fields.spacing_mm / 2:
        nerves.append(
            NerveShape(
                "ulnar",
                side + 2.6,
                roof + 1.3,
                draw_area(rng, "wrist", "ulnar"),
                rng.uniform(1.1, 1.6),
                rng.normal(0, 0.3),
                int(rng.integers(7, 12)),
                rim_mm=0.2,
                free=(1.0, 0.5),
            )
        )
    return nerves


def _elbow(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    fat = rng.uniform(2.8, 5.0)
    roof = tissue.curve("roof", fat, rng.normal(0, 0.05), 0.4)
    tissue.muscle("flexor", tissue.between(0, 99), -34, rng.uniform(-0.3, 0.3))
    split = tissue.curve("split", fat + rng.uniform(6.5, 9), rng.uniform(-0.25, 0.1), 0.5)
    tissue.muscle("deep flexor", tissue.between(split, 99), -32, rng.uniform(-0.5, 0.5), 0.8)
    tissue.fascia("split", split, 0.4, 0.18)
    x = rng.uniform(-2.5, 1.5) + tissue.drift(rng, 1.0)
    z = fat + rng.uniform(2.2, 3.4)
    bone = x - rng.uniform(4.8, 5.8)
    tissue.connective("groove", tissue.blob(x - 0.6, z + 0.4, 4.4, 2.9, 0.2, 0.5), -22, 0.2)
    tissue.fat("fat", tissue.between(0, roof), -28.5, 0.45)
    tissue.fascia("roof", roof, 0.5)
    tissue.fascia("roof 2", roof + 0.6, 0.25)
    hill = (
        z
        - 0.5
        + 0.12 * np.clip(tissue.fields.lateral - bone, 0, None) ** 2
        + 0.045 * np.clip(bone - tissue.fields.lateral, 0, None) ** 2
    )
    hill = hill + 0.12 * tissue.fields.curve("epicondyle", 2.5)
    tissue.bone("epicondyle", np.minimum(hill, tissue.bottom + 5).astype(np.float32))
    return [
        NerveShape(
            "ulnar",
            x,
            z + 0.3,
            draw_area(rng, "elbow", "ulnar"),
            rng.uniform(1.1, 1.6),
            rng.uniform(0.1, 0.6),
            int(rng.integers(7, 13)),
            rim_mm=0.3,
            free=(0.6, -0.3),
        )
    ]


def _axilla(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    fat = rng.uniform(3.5, 7.5)
    roof = tissue.curve("roof", fat, rng.normal(0, 0.06), 0.5)
    tissue.muscle("triceps", tissue.between(0, 99), -34, rng.uniform(-0.3, 0.3))
    radius = rng.uniform(1.9, 2.7)
    x, z = rng.uniform(-2, 2) + tissue.drift(rng, 1.0), fat + rng.uniform(5.5, 7.5)
    tissue.connective("gaps", tissue.between(roof, z + 6.5), -26, 0.1)
    below = tissue.between(roof + 0.2, 99)
    tissue.belly("coracobrachialis", x - 11.5, z + 3.5, 6.5, 4.5, 0.35, rng.uniform(-36, -32), below)
    tissue.belly("biceps", x - 10.5, z - 4.5, 6.8, 3.8, 0.15, rng.uniform(-36, -32), below)
    tissue.belly("long head", x + 12.0, z + 1.0, 6.0, 5.5, -0.2, rng.uniform(-36, -32), below)
    tissue.belly("medial head", x + 1.5, z + 10.5, 9.5, 4.6, rng.uniform(-0.15, 0.15), -34)
    sheath = tissue.blob(x + 0.5, z, 7.2, 5.2, 0.05, 0.5)
    tissue.connective("sheath", sheath, -22, rng.uniform(-0.3, 0.3))
    tissue.fat("fat", tissue.between(0, roof), -29.5, 0.6)
    tissue.fascia("roof", roof, 0.6)
    if rng.random() < 0.6:
        tissue.bone("humerus", (z + 11 + 0.05 * (tissue.fields.lateral - x + 4) ** 2).astype(np.float32))
    tissue.vessel(x, z, radius, radius * rng.uniform(0.9, 1.0), 0.2)
    for side in (1, -1)[: int(rng.integers(1, 3))]:
        tissue.vessel(
            x + side * rng.uniform(4.4, 5.2),
            z + rng.uniform(0.3, 2.2),
            rng.uniform(1.4, 2.1),
            rng.uniform(0.9, 1.4),
            rng.normal(0, 0.3),
            artery=False,
        )
    nerves = []
    for name, hour, count in (("median", -2.25, 11), ("ulnar", -0.95, 9), ("radial", 1.75, 9)):
        turn = hour + rng.normal(0, 0.18)
        area = draw_area(rng, "axilla", name)
        away = radius + 0.75 + math.sqrt(area / math.pi)
        nerves.append(
            NerveShape(
                name,
                x + away * math.cos(turn) + tissue.drift(rng, 0.3),
                z + away * math.sin(turn),
                area,
                rng.uniform(1.1, 1.6),
                turn + math.pi / 2 + rng.normal(0, 0.25),
                count + int(rng.integers(-2, 4)),
                rim_mm=0.3,
                free=(math.cos(turn), math.sin(turn)),
            )
        )
    return nerves


def _neck(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    fat = rng.uniform(1.8, 3.6)
    top = tissue.curve("platysma", fat, rng.normal(0, 0.03), 0.3)
    under = tissue.curve("under", fat + rng.uniform(2.8, 4.2), rng.uniform(0.02, 0.12), 0.4)
    x = rng.uniform(-1, 3) + tissue.drift(rng, 0.8)
    z = float(np.interp(x, tissue.fields.lateral[0], under[0])) + rng.uniform(1.8, 2.8)
    lean = rng.uniform(-0.25, 0.15)
    tissue.connective("loose", tissue.between(0, 99), -27, 0.1)
    tissue.muscle("deep", np.clip((tissue.z - z - 9) / 2.5, 0, 1), -33, rng.uniform(-0.3, 0.3))
    for name, side in (("anterior scalene", -1), ("middle scalene", 1)):
        wide, high = rng.uniform(3.3, 4.4), rng.uniform(4.2, 5.6)
        tissue.belly(
            name,
            x + side * (wide + 1.2) + 3.5 * lean,
            z + 3.4 + 0.5 * side,
            wide,
            high,
            -0.35 * side - lean,
            rng.uniform(-36, -32),
            tissue.between(under + 0.3, 99),
        )
    groove = x + lean * (tissue.z - z)
    gap = np.exp(-(((tissue.x - groove) / 1.5) ** 2)) * np.clip((tissue.z - under) / 0.6, 0, 1)
    tissue.connective("groove", np.clip(1.4 * gap, 0, 1) * np.clip((z + 9 - tissue.z) / 2, 0, 1), -20, 1.2)
    tissue.muscle("sternomastoid", tissue.between(top, under), -34, 0.05)
    for name, line, strength in (("top", top, 0.5), ("under", under, 0.65), ("under 2", under + 0.7, 0.3)):
        tissue.fascia(name, line, strength, 0.12)
    tissue.fat("fat", tissue.between(0, top), -27.5, 0.4)
    size = rng.uniform(2.9, 3.8)
    medial = x - rng.uniform(9.5, 12.0)
    tissue.connective("carotid sheath", tissue.blob(medial, z + 2.5, size + 2.4, size + 2.0, soft=0.5), -21)
    tissue.vessel(medial, z + 2.8, size, size * rng.uniform(0.92, 1.0))
    tissue.vessel(
        medial + 1.2,
        z - 1.6 - 0.1 * size,
        size * rng.uniform(0.9, 1.2),
        rng.uniform(1.2, 2.0),
        0.1,
        artery=False,
    )
    if rng.random() < 0.5:
        hill = z + rng.uniform(11, 13.5) + 0.045 * (tissue.fields.lateral - x - rng.uniform(-1, 3)) ** 2
        tissue.bone("process", np.minimum(hill, tissue.bottom + 5).astype(np.float32))
    nerves, place = [], z
    for name in ("C5 root", "C6 root", "C7 root"):
        area = draw_area(rng, "neck", name)
        half = math.sqrt(area / math.pi)
        place += half if nerves else 0
        # Roots are dark and of one fascicle, some trunks of two: darkness is no sign of disease here.
        nerves.append(
            NerveShape(
                name,
                x + lean * (place - z) + rng.normal(0, 0.25),
                place,
                area,
                rng.uniform(1.0, 1.3),
                rng.normal(0, 0.5),
                1 if rng.random() < 0.85 else 2,
                fascicle_db=-35,
                epineurium_db=-18,
                rim_mm=0.28,
                rim_db=-14,
                irregular=0.04,
            )
        )
        place += half + rng.uniform(0.5, 1.0)
    return nerves


def _groin(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    fat = rng.uniform(6, 12)
    lata = tissue.curve("fascia lata", fat, rng.normal(0, 0.05), 0.6)
    area = draw_area(rng, "groin", "femoral")
    radius = rng.uniform(3.4, 4.6)
    artery = rng.uniform(2, 6) + tissue.drift(rng, 1.0)
    z = fat + radius + rng.uniform(1.6, 3.0)
    iliaca = tissue.curve("iliaca", fat + rng.uniform(2.4, 3.4), 0.12, 0.4)
    tissue.muscle("iliopsoas", tissue.between(0, 99), -35, rng.uniform(-0.4, 0.4))
    tissue.connective("femoral sheath", np.clip((tissue.x - artery + radius + 2) / 1.5, 0, 1), -23, 0.1)
    low = tissue.curve("pectineus", z + radius + 2.5, -0.1, 0.8)
    tissue.muscle("pectineus", tissue.between(low, 99) * np.clip((tissue.x - artery + 3) / 2, 0, 1), -33)
    tissue.connective("under fascia", tissue.between(lata, iliaca), -22, 0.05)
    aspect = rng.uniform(1.9, 3.0)
    x = artery - radius - math.sqrt(area * aspect / math.pi) - rng.uniform(0.8, 2.2)
    tissue.connective("perineural", tissue.blob(x, fat + 4.4, 6.5, 3.0, 0.15, 0.6), -21, 0.15)
    tissue.fat("fat", tissue.between(0, lata), -28.5, 0.8)
    tissue.fascia("lata", lata, 0.6, 0.18)
    tissue.fascia("iliaca", iliaca, 0.55, 0.15, np.clip((artery - radius - tissue.x) / 1.0, 0, 1))
    if rng.random() < 0.35:
        hill = z + radius + rng.uniform(9, 12) + 0.022 * (tissue.fields.lateral - rng.uniform(-6, 2)) ** 2
        tissue.bone("head", hill.astype(np.float32))
    tissue.vessel(artery, z, radius, radius * rng.uniform(0.92, 1.0))
    tissue.vessel(
        artery + radius + rng.uniform(4.2, 5.5),
        z + rng.uniform(0.5, 2.0),
        rng.uniform(3.6, 4.8),
        rng.uniform(2.4, 3.6),
        rng.normal(0, 0.2),
        artery=False,
    )
    thick = math.sqrt(area / math.pi / aspect)
    depth = float(np.interp(x, tissue.fields.lateral[0], iliaca[0])) + thick + 0.5
    return [
        NerveShape(
            "femoral",
            x,
            depth,
            area,
            aspect,
            rng.uniform(0.02, 0.22),
            int(rng.integers(18, 32)),
            fascicle_db=-27,
            epineurium_db=-15,
            rim_mm=0.25,
            rim_db=-13,
            irregular=0.09,
            free=(-1.0, 0.15),
        )
    ]


def _popliteal(tissue: Tissue, rng: np.random.Generator) -> list[NerveShape]:
    fat = rng.uniform(4, 9)
    roof = tissue.curve("roof", fat, rng.normal(0, 0.04), 0.6)
    x = rng.uniform(-2, 2) + tissue.drift(rng, 1.2)
    z = fat + rng.uniform(5.5, 8.5)
    tissue.muscle("gastrocnemius", tissue.between(0, 99), -34, rng.uniform(-0.3, 0.3))
    tissue.fat("fossa", tissue.between(roof, z + 13), -26, 0.35)
    below = tissue.between(roof + 0.3, 99)
    for name, side in (("medial gastrocnemius", -1), ("lateral gastrocnemius", 1)):
        tissue.belly(
            name, x + side * rng.uniform(13.5, 15), z + rng.uniform(9, 11), 9.0, 6.5, -0.5 * side, -35
        )
    for name, side in (("biceps femoris", -1), ("semimembranosus", 1)):
        wide, high = rng.uniform(9, 12), rng.uniform(6, 8)
        tissue.belly(
            name,
            x + side * (wide + rng.uniform(5.5, 7.5)),
            fat + high - 0.5 + rng.uniform(0, 1.5),
            wide,
            high,
            0.25 * side,
            rng.uniform(-36, -32),
            below,
        )
    tissue.fat("fat", tissue.between(0, roof), -29.5, 0.7)
    tissue.fascia("roof", roof, 0.6, 0.18)
    deep = z + rng.uniform(7.5, 9.5)
    if rng.random() < 0.7:
        hill = deep + rng.uniform(9, 12) + 0.014 * (tissue.fields.lateral - x) ** 2
        tissue.bone("femur", hill.astype(np.float32))
    tissue.vessel(
        x + rng.uniform(0.5, 2.5), deep - 1.2, rng.uniform(2.6, 3.4), rng.uniform(1.8, 2.6), 0.1, artery=False
    )
    tissue.vessel(x + rng.uniform(1.5, 3.5), deep + 5.2, rng.uniform(2.4, 2.9), rng.uniform(2.3, 2.8))
    area = draw_area(rng, "popliteal", "tibial")
    aspect = rng.uniform(1.1, 1.6)
    fibular = draw_area(rng, "popliteal", "fibular")
    gap = math.sqrt(area * aspect / math.pi) + math.sqrt(fibular * 1.3 / math.pi) + rng.uniform(1.0, 4.5)
    common = {"fascicle_db": -29.0, "epineurium_db": -13.0, "rim_mm": 0.35, "rim_db": -11.0}
    return [
        NerveShape(
            "tibial",
            x,
            z,
            area,
            aspect,
            rng.normal(0, 0.3),
            int(rng.integers(22, 36)),
            free=(0.0, -0.6),
            **common,
        ),
        NerveShape(
            "fibular",
            x - gap,
            z - rng.uniform(0, 2.0),
            fibular,
            rng.uniform(1.2, 1.8),
            rng.uniform(-0.5, 0.1),
            int(rng.integers(9, 15)),
            free=(-1.0, 0.0),
            **common,
        ),
    ]


SITES: dict[str, Site] = {
    "neck": Site(("C5 root", "C6 root", "C7 root"), (26, 34), _neck),
    "axilla": Site(("median", "ulnar", "radial"), (25, 33), _axilla),
    "elbow": Site(("ulnar",), (20, 28), _elbow),
    "wrist": Site(("median", "ulnar"), (19, 25), _wrist),
    "groin": Site(("femoral",), (32, 42), _groin),
    "popliteal": Site(("tibial", "fibular"), (34, 44), _popliteal),
    "ankle": Site(("tibial", "medial plantar", "lateral plantar"), (18, 25), ankle),
    "forearm": Site(("median", "ulnar"), (22, 30), forearm),
    "fibular head": Site(("common fibular",), (17, 25), fibular_head),
    "thigh": Site(("sciatic",), (40, 55), thigh),
}
