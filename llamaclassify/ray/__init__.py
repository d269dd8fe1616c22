"""Classification inside Ray Data, and one rate budget for all workers of a cluster. Needs the extra ``ray``.

::

    ds = ray.data.read_parquet("documents/")
    classify(ds, rules=RULES).write_parquet("classified/")
"""

from .budget import RayBudget
from .dataset import Classifier, classify

__all__ = ["Classifier", "RayBudget", "classify"]
