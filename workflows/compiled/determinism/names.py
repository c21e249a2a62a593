"""What gives another answer on a replay, by the full names under which Python knows it; and what to use instead.

A name stands for all that is in it: `random` for `random.choice`. The longest one decides, so that `httpx.URL` may
be fine where `httpx` is not. What Temporal's own sandbox refuses when a run gets there is among them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from workflows.compiled.findings import Code


@dataclass(frozen=True)
class Rule:
    """Why a name has no place in a workflow."""

    code: Code
    does: str
    """What is wrong with it, as a verb phrase."""

    remedy: str
    enough: int | None = None
    """With so many arguments it is fine: `random.Random(seed)`, `time.gmtime(seconds)`."""


_IN_AN_ACTIVITY: Final = "do it in an activity"
_CLOCK: Final = Rule(
    Code.NONDETERMINISTIC_CLOCK, "reads the clock", "use workflow.now(), or workflow.time() for seconds"
)
_LOCAL: Final = Rule(Code.NONDETERMINISTIC_ENVIRONMENT, "depends on the machine's time zone", "name a time zone", 2)
_RANDOM: Final = Rule(Code.NONDETERMINISTIC_RANDOM, "is random", "use workflow.random()")
_SEEDED: Final = Rule(Code.NONDETERMINISTIC_RANDOM, "is random without a seed", "use workflow.random()", 1)
_UUID: Final = Rule(Code.NONDETERMINISTIC_RANDOM, "is another one each time", "use workflow.uuid4()")
_HASH: Final = Rule(
    Code.NONDETERMINISTIC_RANDOM, "differs from one process to the next for text", "use hashlib, or the value itself"
)
_IO: Final = Rule(Code.NONDETERMINISTIC_IO, "reaches outside of the workflow", _IN_AN_ACTIVITY)
_PRINT: Final = Rule(
    Code.NONDETERMINISTIC_IO, "writes again on every replay", "use workflow.logger, which keeps quiet on replays"
)
_ENVIRONMENT: Final = Rule(
    Code.NONDETERMINISTIC_ENVIRONMENT,
    "depends on the machine that it runs on",
    "take it from the request, or from an activity",
)
_SYSTEM: Final = Rule(Code.NONDETERMINISTIC_IO, "asks the operating system", _IN_AN_ACTIVITY)
_PATHS: Final = Rule(
    Code.NONDETERMINISTIC_ENVIRONMENT, "depends on the machine that it runs on", "use pathlib.PurePosixPath"
)
THREAD: Final = Rule(
    Code.NONDETERMINISTIC_THREAD,
    "leaves the workflow's own order of events",
    "use asyncio within the workflow, or do it in an activity",
)
_SLEEP: Final = Rule(Code.NONDETERMINISTIC_THREAD, "stops the whole worker", "use `await workflow.sleep(...)`")
_WAIT: Final = Rule(
    Code.NONDETERMINISTIC_SET_ORDER, "gives tasks in no fixed order", "use `await workflow.wait(...)`, which does"
)
_COMPLETED: Final = Rule(_WAIT.code, _WAIT.does, "use workflow.as_completed(...), which does")


def _of(module: str, names: str) -> tuple[str, ...]:
    return tuple(f"{module}.{name}" for name in names.split())


_RULES: Final[dict[Rule, Iterable[str]]] = {
    _CLOCK: (
        *_of("time", "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns"),
        *_of("time", "thread_time thread_time_ns clock_gettime clock_gettime_ns get_clock_info pthread_getcpuclockid"),
        *_of("datetime.datetime", "now utcnow today"),
        "datetime.date.today",
        *_of("pendulum", "now today tomorrow yesterday"),
        *_of("arrow", "now utcnow"),
        *("django.utils.timezone.now", "pandas.Timestamp.now"),
    ),
    Rule(_CLOCK.code, "reads the clock when it is given no time", _CLOCK.remedy, 1): _of("time", "gmtime asctime"),
    Rule(_CLOCK.code, "reads the clock when it is given no time", _CLOCK.remedy, 2): ("time.strftime",),
    _LOCAL: ("datetime.datetime.fromtimestamp",),
    _RANDOM: ("random", "secrets", "numpy.random", "os.urandom", "os.getrandom"),
    _SEEDED: ("random.Random",),
    _UUID: _of("uuid", "uuid1 uuid4 uuid6 uuid7 uuid8 getnode"),
    _HASH: ("builtins.hash",),
    _PRINT: ("builtins.print", "pprint.pprint", "pprint.pp"),
    _IO: (
        *_of("builtins", "open input breakpoint"),
        *_of("sys", "stdin stdout stderr"),
        *_of(
            "pathlib.Path", "chmod copy copy_into exists glob group hardlink_to is_block_device is_char_device is_dir"
        ),
        *_of("pathlib.Path", "is_fifo is_file is_junction is_mount is_socket is_symlink iterdir lchmod link_to lstat"),
        *_of("pathlib.Path", "mkdir move move_into open owner read_bytes read_link read_text readlink rename replace"),
        *_of("pathlib.Path", "rglob rmdir samefile stat symlink_to touch unlink walk write_bytes write_text"),
        *_of("os.path", "exists getatime getctime getmtime getsize isdir isfile islink ismount lexists"),
        *_of("os.path", "samefile sameopenfile"),
        *("io.open_code", "bz2.open", "gzip.open", "lzma.open", "marshal.dump", "marshal.load"),
        *("tarfile.open", "tarfile.TarFile", "zipfile.ZipFile", "zoneinfo.ZoneInfo.clear_cache"),
        *("zoneinfo.ZoneInfo.from_file", "zoneinfo.reset_tzpath", "zoneinfo.ZoneInfo.reset_tzpath"),
        *("curses", "dbm", "filecmp", "fileinput", "ftplib", "glob", "http.client", "http.server", "imaplib"),
        *("mmap", "poplib", "readline", "select", "selectors", "shelve", "shutil", "smtplib", "socket"),
        *("socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "urllib.request", "webbrowser", "xmlrpc"),
        *_of("asyncio", "open_connection open_unix_connection start_server start_unix_server"),
        *_of("asyncio", "create_subprocess_exec create_subprocess_shell"),
        *("aiofiles", "aiohttp", "asyncpg", "boto3", "botocore", "httpx", "paramiko", "psycopg", "psycopg2"),
        *("pymongo", "pymysql", "redis", "requests", "urllib3", "websockets", "temporalio.client"),
        *("anthropic.Anthropic", "anthropic.AsyncAnthropic", "openai.OpenAI", "openai.AsyncOpenAI"),
        *("sqlalchemy.create_engine", "sqlalchemy.engine", "sqlalchemy.orm.session", "sqlalchemy.orm.sessionmaker"),
    ),
    _SYSTEM: ("os",),
    _PATHS: ("os.path",),
    _ENVIRONMENT: (
        *_of("os", "environ environb getenv getenvb getcwd getcwdb getpid getppid getlogin getuid geteuid uname"),
        *_of("os", "cpu_count getloadavg ctermid get_terminal_size times _Environ"),
        *_of("os.path", "abspath expanduser expandvars realpath relpath"),
        *_of("sys", "argv executable orig_argv platform"),
        *_of("pathlib.Path", "absolute cwd expanduser home resolve"),
        *_of("time", "localtime ctime mktime tzset"),
        *("getopt", "getpass", "gettext", "locale", "platform", "sysconfig"),
    ),
    THREAD: (
        *("concurrent.futures", "multiprocessing", "threading", "_thread", "sched", "signal"),
        *_of("asyncio", "run Runner to_thread run_coroutine_threadsafe new_event_loop set_event_loop"),
    ),
    _SLEEP: ("time.sleep",),
    _WAIT: ("asyncio.wait",),
    _COMPLETED: ("asyncio.as_completed",),
}

_FINE: Final = (
    *_of("httpx", "URL Timeout Headers QueryParams"),
    "sqlalchemy.engine.url",
)

_LISTED: Final[dict[str, Rule | None]] = dict.fromkeys(_FINE) | {
    name: rule for rule, names in _RULES.items() for name in names
}

_SAME: Final = (
    # What Python calls them on one system or in one version, and what everybody calls them; read in this order.
    *(("posixpath", "os.path"), ("ntpath", "os.path"), ("genericpath", "os.path"), ("posix", "os"), ("nt", "os")),
    *(("_io", "io"), ("io.open", "builtins.open"), ("_socket", "socket"), ("_random", "random")),
    *(("pathlib._local", "pathlib"), ("_sqlite3", "sqlite3"), ("_pydatetime", "datetime")),
    *((f"asyncio.{part}", "asyncio") for part in ("tasks", "runners", "threads", "streams", "subprocess", "events")),
)


@dataclass(frozen=True)
class Match:
    """A rule that applies to a name."""

    name: str
    """The name, as everybody calls it."""

    rule: Rule
    exact: bool
    """Whether the name is listed itself, not only what it is in."""


def match(names: Iterable[str]) -> Match | None:
    """Find the rule for something that has several full names: the first of them that anything is known of decides."""
    for name in map(_usual, names):
        prefix = name
        while prefix:
            if prefix in _LISTED:
                rule = _LISTED[prefix]
                return Match(name.removeprefix("builtins."), rule, prefix == name) if rule else None
            prefix = prefix.rpartition(".")[0]
    return None


def _usual(name: str) -> str:
    for given, usual in _SAME:
        if name == given or name.startswith(f"{given}."):
            name = usual + name[len(given) :]
    return name
