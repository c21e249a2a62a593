"""Compiled workflows: classes with typed steps, checked when they are imported, run on Temporal."""

from workflows.compiled.decorator import compiled
from workflows.compiled.findings import CompileError, CompileWarning, Finding
from workflows.compiled.flow import Flow
from workflows.compiled.fragment import Fragment
from workflows.compiled.step import Repeat, step

__all__ = ["CompileError", "CompileWarning", "Finding", "Flow", "Fragment", "Repeat", "compiled", "step"]
