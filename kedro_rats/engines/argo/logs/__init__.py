"""The logs of the pods of a run, also of those that are gone."""
