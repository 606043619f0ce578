"""Where work is done when not in processes of this machine: Dask, queues, back ends that joblib was given."""
