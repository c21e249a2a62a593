"""Determinism: whether a workflow's code does the same again on a replay, read from its source. Pure."""

from workflows.compiled.determinism.follow import determinism_findings

__all__ = ["determinism_findings"]
