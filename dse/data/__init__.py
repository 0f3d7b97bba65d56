"""Data sets: images in memory as uint8, with the patients, folds and test parts of their authors.

Importing this package is cheap: numpy, Pillow and scikit-learn are imported when data is read.
"""

from dse.data.catalog import dataset_names, describe_datasets, load_dataset
from dse.data.dataset import Dataset, Skipped, Split

__all__ = ["Dataset", "Skipped", "Split", "dataset_names", "describe_datasets", "load_dataset"]
