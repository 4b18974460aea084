"""Data sets for the reader `python_dataset`: an object that is pickled here and read by lbann-train's helpers."""

import os
import pickle

import lbann


class Sample:
    """One sample: arrays, or None for what there is not."""

    def __init__(self, sample=None, label=None, response=None):
        self.sample, self.label, self.response = sample, label, response


class SampleDims:
    """Dims of the parts of a sample; None for what there is not."""

    def __init__(self, sample=None, label=None, response=None):
        self.sample, self.label, self.response = sample, label, response


class Dataset:
    """Base of data sets: `__len__`, `__getitem__(index) -> Sample` and `get_sample_dims() -> SampleDims`."""

    def __len__(self):
        raise NotImplementedError("a Dataset has __len__")

    def __getitem__(self, index):
        raise NotImplementedError("a Dataset has __getitem__")

    def get_sample_dims(self):
        """Dims of the parts of every sample."""
        raise NotImplementedError("a Dataset has get_sample_dims")


class DistConvDataset(Dataset):
    """A data set that is cut over processes: `rank` of `num_io_partitions` is set before samples are asked for."""

    rank = 0
    num_io_partitions = 1


def construct_python_dataset_reader(dataset, dataset_path="dataset.pkl", module_dir=None, role="train", shuffle=True,
                                    prefetch_factor=None, **fields):
    """Pickles the data set to dataset_path and returns the Reader for it.

    The class must come from a module in module_dir (default: that of its module), not from the script itself,
    which the helpers do not run. Further keywords are fields of the message Reader; without a sample count
    all samples are used.
    """
    import sys
    module = type(dataset).__module__
    if module == "__main__":
        raise ValueError(f"the class {type(dataset).__name__} is defined in the script itself; the processes that "
                         "read it import it from a module")
    if module_dir is None:
        module_dir = os.path.dirname(os.path.abspath(sys.modules[module].__file__))
        for _ in range(module.count(".")):
            module_dir = os.path.dirname(module_dir)
    dataset_path = os.path.abspath(dataset_path)
    with open(dataset_path, "wb") as file:
        pickle.dump(dataset, file)
    if "absolute_sample_count" not in fields:
        fields.setdefault("fraction_of_data_to_use", 1.0)
    settings = dict(dataset_path=dataset_path, module_dir=os.path.abspath(module_dir))
    if prefetch_factor is not None:
        settings["prefetch_factor"] = prefetch_factor
    return lbann.Reader(name="python_dataset", role=role, shuffle=shuffle, python_dataset=settings,
                        **fields).export_proto()
