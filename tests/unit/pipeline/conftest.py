import os
import sys
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.pipeline.checkouts import GitCheckouts
from activities.pipeline.stages import CommandStages
from activities.pipeline.workshop import Workshop
from tests.unit.pipeline.projects import CART, Project

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Where runs' commands run."""
    environment = {"PATH": PATH}
    return Workshop(tmp_path / "work", environment, environment, at_once=2)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with one good commit."""
    project = Project(tmp_path / "cart")
    project.commit(CART, "Add the cart")
    return project


@pytest.fixture
def checkouts(workshop: Workshop) -> GitCheckouts:
    return GitCheckouts(workshop)


@pytest.fixture
def stages(workshop: Workshop) -> CommandStages:
    return CommandStages(workshop)


@pytest.fixture
def environment() -> ActivityEnvironment:
    """Runs activities."""
    return ActivityEnvironment()
