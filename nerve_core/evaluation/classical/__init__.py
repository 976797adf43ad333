"""Classical baselines as first-class methods: contours and verdicts without a network, or beside one.

    from nerve_core.evaluation.classical.registry import CONTOUR_METHODS, make_contour
    from nerve_core.evaluation.classical.verdict import VERDICT_METHODS
    from nerve_core.evaluation.classical.store import load_contour, load_verdict

A contour method has the network's ``predict(scan, click, preprocess, gate) -> Prediction``, so evaluation
scores both alike. ``python -m benchmarks.classical`` fits and tunes them all.
"""
