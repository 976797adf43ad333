"""Simulated pathology and sham controls: the truth from which the verdict is learned and judged."""

from nerve_core.data.pathology.kinds import KINDS, csa_factor
from nerve_core.data.pathology.synthesis import Altered, affect, sham

__all__ = ["KINDS", "Altered", "affect", "csa_factor", "sham"]
