"""Reading the source costs little: compiling is done whenever a worker starts."""

import subprocess
import sys
from pathlib import Path

CLASSES_SECONDS = 0.6
BIG_CLASS_SECONDS = 2.0

TIMED = """
import time
from workflows.compiled import compiler
import workflows.compiled.run  # what compiled classes are made with, and what they call
import workflows.support.stubs
import workflows.support.talks
compile, spent = compiler.compile_class, 0.0
def timed(*arguments):
    global spent
    start = time.process_time()
    plan = compile(*arguments)
    spent += time.process_time() - start
    return plan
import workflows.compiled.decorator
workflows.compiled.decorator.compile_class = timed
"""


def seconds(what: str, folder: Path) -> float:
    """The processor time that compiling what is imported takes, in a process of its own."""
    program = f"import sys; sys.path[:0] = ['', {str(folder)!r}]\n{TIMED}\nimport {what}\nprint(spent)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout)


def test_all_workflows_of_the_library_are_compiled_in_a_moment(tmp_path: Path) -> None:
    assert seconds("workflows.library", tmp_path) < CLASSES_SECONDS


def test_a_class_of_500_steps_is_compiled_in_two_seconds(tmp_path: Path) -> None:
    head = "from workflows.compiled import compiled, step\n"
    head += "\ndef added(one: int, two: int) -> int:\n    return one + two\n\n"
    body = "@compiled\nclass Big:\n    @step\n    def s0(self, request: int) -> int:\n        return request\n"
    for number in range(1, 500):
        body += (
            f"\n    @step{'(result=True)' if number == 499 else ''}\n"
            f"    async def s{number}(self, request: int, s{number - 1}: int) -> int:\n"
            f"        names = sorted({{str(request), str(s{number - 1})}})\n"
            f"        if request > {number}:\n"
            f"            return added(s{number - 1}, len(names))\n"
            f"        return s{number - 1} + {number}\n"
        )
    (tmp_path / "big.py").write_text(head + body)
    assert seconds("big", tmp_path) < BIG_CLASS_SECONDS
