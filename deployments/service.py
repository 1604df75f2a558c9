"""`crypto-lake up` as a service: systemd, launchd or Windows' Task Scheduler starts it at boot and when it ends.

A `Manager` is what differs between them: where its file lies, what the file says, and the commands. Installing twice
changes nothing the second time. Tried on Linux with systemd's own parser; on macOS and Windows the files are checked
against their formats only.
"""

import getpass
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deployments.service_files import Facts, filled
from lake import files, settings
from lake.errors import BadInputError, LakeError
from lake.settings import Settings

NAME = "crypto-lake"
PROJECT = Path(__file__).resolve().parent.parent
_TIMEOUT_S = 120
Command = tuple[str, ...]


@dataclass(frozen=True)
class Manager:
    """A service manager of this machine.

    Attributes:
        file: Where the definition of the service lies.
        content: What is to stand in it.
        start: Commands after it was written: they make the service known, and start it, or what has changed of it.
        stop: Commands before it is taken away.
        forget: Commands after that; they change nothing else, so that they also try whether the manager answers.
        ask: Says how the service is; its exit code is 0 while it runs.
        hint: What else a person has to know.
    """

    file: Path
    content: bytes
    start: tuple[Command, ...]
    stop: tuple[Command, ...]
    forget: tuple[Command, ...]
    ask: Command
    hint: str = ""


def manager(system: bool, run_as: str | None = None, platform: str = sys.platform) -> Manager:
    """Return this machine's service manager, and what it is to be told.

    Args:
        system: Of the whole machine, from boot on, instead of this user.
        run_as: User of a system-wide unit of systemd's; left out, the clone's owner.
        platform: As `sys.platform` says it.

    Raises:
        BadInputError: a setting is wrong, or the machine has no such thing.
    """
    if run_as and not (system and platform.startswith("linux")):
        raise BadInputError("--run-as goes with --system, on Linux: elsewhere the service runs as whoever installs it")
    found, config = settings.load(), settings.config_file()
    if config is None:
        raise BadInputError(f"no config.yml is in force: put one into {PROJECT}, or name it in LAKE_CONFIG")
    if platform == "win32":
        return _task(system, _facts(found, config, getpass.getuser()))
    if platform == "darwin":
        return _launchd(system, _facts(found, config, getpass.getuser()))
    return _systemd(system, _facts(found, config, _known(run_as) if system else getpass.getuser()))


def _facts(found: Settings, config: Path, user: str) -> Facts:
    return Facts(sys.executable, str(PROJECT), str(config), str(config.parent), found.base_path, user)


def _known(user: str | None) -> str:
    """Return a user that there is; left out, the clone's owner."""
    import pwd  # not on Windows

    try:
        return pwd.getpwnam(user).pw_name if user else PROJECT.owner()
    except KeyError:
        raise BadInputError(f"--run-as {user or ''}: name a user of this machine, who may write the lake") from None


def _systemd(system: bool, facts: Facts) -> Manager:
    ctl, unit = ("systemctl",) if system else ("systemctl", "--user"), f"{NAME}.service"
    folder = Path("/etc/systemd/system") if system else Path.home() / ".config" / "systemd" / "user"
    hint = "" if system else "to have it run from boot on, without a login: loginctl enable-linger"
    if system and facts.user == "root":
        hint = "it runs as root: --run-as USER names another"
    return Manager(
        folder / unit, filled("system.service" if system else "user.service", facts).encode(),
        start=((*ctl, "daemon-reload"), (*ctl, "enable", unit), (*ctl, "restart", unit)),
        stop=((*ctl, "disable", "--now", unit),), forget=((*ctl, "daemon-reload"),),
        ask=(*ctl, "is-active", unit), hint=hint,
    )  # fmt: skip


def _launchd(system: bool, facts: Facts) -> Manager:
    if system:
        raise BadInputError("--system: not on macOS: the service of a user runs from the login on")
    path = Path.home() / "Library" / "LaunchAgents" / f"{NAME}.plist"
    domain = f"gui/{os.getuid()}"
    return Manager(
        path, filled("launchd.plist", facts).encode(),
        start=(("launchctl", "bootstrap", domain, str(path)),),
        stop=(("launchctl", "bootout", f"{domain}/{NAME}"),), forget=(),
        ask=("launchctl", "print", f"{domain}/{NAME}"),
    )  # fmt: skip


def _task(system: bool, facts: Facts) -> Manager:
    if Path(facts.config).name != "config.yml":
        raise BadInputError(f"{facts.config}: a task knows no LAKE_CONFIG: call the file config.yml")
    path = Path(facts.base) / "logs" / f"{NAME}-task.xml"
    return Manager(
        path, filled("boot.xml" if system else "login.xml", facts).encode("utf-16"),
        start=(("schtasks", "/Create", "/TN", NAME, "/XML", str(path), "/F"), ("schtasks", "/Run", "/TN", NAME)),
        # Ending a task kills `up` and leaves the others running: `down` ends all of them.
        stop=((sys.executable, "-m", "flows", "down"), ("schtasks", "/Delete", "/TN", NAME, "/F")), forget=(),
        ask=("schtasks", "/Query", "/TN", NAME, "/FO", "LIST"),
        hint="" if system else "it shows a console window: closing that ends it",
    )  # fmt: skip


def install(found: Manager, say: Callable[[str], None], *, dry_run: bool = False) -> None:
    """Write the definition and start the service; where it is there already as it would be, do nothing.

    Args:
        found: The service manager.
        say: Is told, line by line, what is done; with ``dry_run`` what would be done.
        dry_run: Do nothing.

    Raises:
        LakeError: the file cannot be written, or a command fails.
        BadInputError: a setting comes from this shell, where the service would not find it.
    """
    if names := settings.variables():
        raise BadInputError(
            f"{', '.join(names)}: set in this shell, which a service does not see: write it into config.yml instead"
        )
    if dry_run:
        say(f"# would write {found.file}:\n{text(found)}")
        _told(found.start, say)
        return
    _has(found.ask[0])
    if _content(found.file) == found.content and _code(found.ask) == 0:
        say(f"installed already, and running: {found.file}")
    else:
        _put(found)
        say(f"installed and started: {found.file}")
    if found.hint:
        say(found.hint)


def _put(found: Manager) -> None:
    for command in found.forget:  # where the manager does not answer, nothing is written
        _run(command)
    if found.file.exists():  # launchd takes no second definition of what it knows
        for command in found.stop:
            _code(command)
    with files.whole(found.file) as hidden:
        hidden.write_bytes(found.content)
    for command in found.start:
        _run(command)


def uninstall(found: Manager, say: Callable[[str], None], *, dry_run: bool = False) -> None:
    """Stop the service and take its definition away; where there is none, do nothing.

    Raises:
        LakeError: the file cannot be taken away, or a command fails.
    """
    if not found.file.exists():
        say(f"not installed: there is no {found.file}")
    elif dry_run:
        _told(found.stop, say)
        say(f"# would remove {found.file}")
        _told(found.forget, say)
    else:
        for command in found.stop:
            if problem := _problem(command):  # it may be stopped already; its file goes in any case
                say(problem)
        try:
            found.file.unlink()
        except OSError as error:
            raise LakeError(f"{found.file}: cannot be removed ({error.strerror}): is it yours?") from error
        for command in found.forget:
            _run(command)
        say(f"removed: {found.file}")


def status(found: Manager, say: Callable[[str], None]) -> bool:
    """Say whether the service is installed, as it would be now, and running; return whether it runs."""
    content = _content(found.file)
    if content is None:
        say(f"not installed: there is no {found.file}")
        return False
    same = "as it would be written now" if content == found.content else "not as it would be now: install it again"
    say(f"installed: {found.file} ({same})")
    runs = _code(found.ask) == 0
    say("running: crypto-lake status shows its parts" if runs else f"not running: {shlex.join(found.ask)} says so")
    return runs


def text(found: Manager) -> str:
    """Return the definition as people read it."""
    return found.content.decode("utf-16" if found.content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")


def _told(commands: tuple[Command, ...], say: Callable[[str], None]) -> None:
    for command in commands:
        say(f"# would run {shlex.join(command)}")


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LakeError(f"{path}: cannot be read ({error.strerror})") from error


def _has(program: str) -> None:
    if shutil.which(program) is None:
        raise LakeError(
            f"{program}: not on this machine: crypto-lake service install --dry-run prints what another service "
            "manager needs to know"
        )


def _code(command: Command) -> int:
    try:
        return _done(command).returncode
    except (OSError, subprocess.TimeoutExpired):
        return -1


def _problem(command: Command) -> str | None:
    try:
        done = _done(command)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{shlex.join(command)}: {error}"
    said = " ".join((done.stderr or done.stdout).split())
    return f"{shlex.join(command)}: exit code {done.returncode}: {said}" if done.returncode else None


def _run(command: Command) -> None:
    if problem := _problem(command):
        raise LakeError(problem)


def _done(command: Command) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  the words are written above
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=_TIMEOUT_S, check=False,
    )  # fmt: skip
