"""Why a verdict was given: maps of evidence, whether they are true, what would change it, similar scans.

>>> from nerve_core.explain import METHODS
>>> METHODS["grad_cam"].title
'Grad-CAM'
"""

from nerve_core.explain.judge import Judge, judge_of
from nerve_core.explain.methods import DEFAULT, METHODS, Evidence, explain

__all__ = ["DEFAULT", "METHODS", "Evidence", "Judge", "explain", "judge_of"]
