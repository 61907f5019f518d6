"""The leakage audit: does the test part, or an input, know what it should not?

auditing.py         audit(): which checks apply to which data
finding.py          what is found, and how it is written down
copies.py           duplicates, near duplicates, overlapping windows, groups in both parts
label_checks.py     labels given away by words, numbers and dates; panels scaled as a whole
series_checks.py    covariates that hold the target, series that run ahead, copied blocks, scaling
pipeline_checks.py  whether this package's own pipelines keep test rows out
prices.py           how bad: the error of a cheap model with a leak and without
lines.py            rows of a frame → lines of the file
"""

from .auditing import audit
from .finding import KINDS, Audit, Cost, Finding

__all__ = ["KINDS", "Audit", "Cost", "Finding", "audit"]
