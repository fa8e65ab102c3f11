# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/test runs: the builds, `make check`, and the suites in tests/*/run.

A suite prints lines "ok - NAME", "not ok - NAME", "skip - NAME: REASON"; what it prints between
them is detail, shown when a test fails. A suite that prints no result, or fails without saying
which test did, is itself a failure: nothing passes by not running.
"""
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

from lab import BUILD, LOGS, TOP, LabError, debs

SUITE_LIMIT = {"default": 50 * 60, "long": 6 * 3600}
RESULT = re.compile(r"^(ok|not ok|skip) - (.*)$")
JOBS = str(os.cpu_count() or 2)

# Build directories by name: what to configure them with.
BUILDS = {
    "plain": [],
    "host-san": ["--enable-sanitizers"],
}


class Report:
    """Counts results and prints them as they come."""

    def __init__(self):
        self.count = {"ok": 0, "not ok": 0, "skip": 0}

    def add(self, result, name, detail=()):
        self.count[result] += 1
        for line in detail:
            print(f"    {line}")
        print(f"{result} - {name}", flush=True)

    def finish(self):
        c = self.count
        skipped = f", {c['skip']} skipped" if c["skip"] else ""
        print(f"{c['ok']} passed, {c['not ok']} failed{skipped}", flush=True)
        return 1 if c["not ok"] or not c["ok"] else 0


def logged(argv, log, limit=3600, cwd=TOP):
    """Runs a command into a log file; True when it succeeds."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as f:
        try:
            return subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=f,
                                  stderr=subprocess.STDOUT, timeout=limit, check=False).returncode == 0
        except subprocess.TimeoutExpired:
            f.write(f"\nended after {limit} s\n".encode())
            return False


def tail(log, lines=40):
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]


def bootstrapped(log):
    """An up-to-date ./configure. make could renew it by itself, but not what automake first copies
    when the first program of a kind appears."""
    # configure's own age says nothing: make renews it without those files.
    made = TOP / "build-aux" / "bootstrapped"
    inputs = [TOP / "configure.ac", TOP / "Makefile.am", *TOP.glob("*/**/*.mk"), *TOP.glob("*/*.m4")]
    inputs = [p for p in inputs if BUILD not in p.parents]
    if made.exists() and made.stat().st_mtime > max(p.stat().st_mtime for p in inputs):
        return True
    if not logged(["./bootstrap"], log):
        return False
    made.touch()
    return True


def configure(name, log):
    """An up-to-date Makefile in build/NAME."""
    build = BUILD / name
    if not bootstrapped(log):
        return False
    if not (build / "Makefile").exists():
        build.mkdir(parents=True, exist_ok=True)
        return logged([str(TOP / "configure"), "--quiet", *BUILDS[name]], log, cwd=build)
    return True


def build(name, report, target="all"):
    """Configures and makes build/NAME; one test line."""
    log = LOGS / f"build-{name}.log"
    started = time.monotonic()
    good = configure(name, log) and logged(["make", f"-j{JOBS}", target], log, cwd=BUILD / name)
    report.add("ok" if good else "not ok", f"build: {name} ({time.monotonic() - started:.0f} s)",
               [] if good else tail(log))
    return good


def cases(log):
    """Number of cmocka's cases in a test's log."""
    if not log.exists():
        return 0
    return len(re.findall(r"^\[ +OK +\]", log.read_text(encoding="utf-8", errors="replace"), re.M))


def unit(tier, report):
    """`make check` under sanitizers: every program automake knows as a test. In the long tier those that
    try random cases try many more."""
    log = LOGS / "unit.log"
    where = BUILD / "host-san"
    if not build("host-san", report):
        return
    for trs in where.glob("tests/**/*.trs"):
        trs.unlink()
    longer = ["env", "SERAI_LONG=1"] if tier == "long" else []
    finished = logged([*longer, "make", f"-j{JOBS}", "check"], log, cwd=where)
    seen = bad = 0
    for trs in sorted(where.glob("tests/**/*.trs")):
        name = str(trs.relative_to(where / "tests").with_suffix(""))
        m = re.search(r":global-test-result: (\S+)", trs.read_text(encoding="ascii"))
        result = {"PASS": "ok", "SKIP": "skip", "XFAIL": "ok"}.get(m.group(1) if m else "", "not ok")
        out = trs.with_suffix(".log")
        number = cases(out)
        seen += 1
        bad += result == "not ok"
        label = name + (f" ({number} cases)" if number else "")
        report.add(result, label + (": skipped itself" if result == "skip" else ""),
                   tail(out) if result == "not ok" else [])
    if not seen or (not finished and not bad):
        report.add("not ok", "unit: make check", tail(log))


def suite(name, tier, args, report):
    """Runs tests/NAME/run and passes its lines on."""
    log = LOGS / f"{name}.log"
    # A suite takes its build from SERAI_BUILD; by hand it looks in build/ itself.
    env = dict(os.environ, SERAI_TOP=str(TOP), SERAI_TIER=tier, SERAI_WORK=str(BUILD),
               SERAI_BUILD=str(BUILD / "plain"), SERAI_BUILD_PLAIN=str(BUILD / "plain"),
               SERAI_BUILD_SAN=str(BUILD / "host-san"), SERAI_LOGS=str(LOGS),
               SERAI_IMAGE=str(BUILD / "plain" / "hypervisor" / "serai.elf"))
    if tier == "long":
        env["SERAI_LONG"] = "1"
    if name in ("guests", "bochs", "latency", "bench"):
        env["SERAI_XEN"] = str(sorted((debs.tree() / "boot").glob("xen-4.*-amd64.gz"))[-1])
    detail, seen, bad = [], 0, 0
    with open(log, "w", encoding="utf-8") as f, subprocess.Popen(
            [str(TOP / "tests" / name / "run"), *args], cwd=TOP, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True) as p:
        late = threading.Timer(SUITE_LIMIT[tier], lambda: os.killpg(p.pid, 9))
        late.start()
        for line in p.stdout:
            f.write(line)
            f.flush()
            line = line.rstrip("\n")
            m = RESULT.match(line)
            if not m:
                detail = (detail + [line])[-40:]
                continue
            seen += 1
            bad += m.group(1) == "not ok"
            report.add(m.group(1), f"{name}: {m.group(2)}",
                       detail if m.group(1) == "not ok" else [])
            detail = []
        code = p.wait()
        late.cancel()
    if not seen or (code and not bad) or code not in (0, 1):
        report.add("not ok", f"{name}: the suite ended with status {code} after {seen} results", detail)


def suites():
    """Every suite there is, cheap ones first."""
    found = {p.parent.name for p in (TOP / "tests").glob("*/run") if os.access(p, os.X_OK)}
    order = ["unit", "lint", "headers", "model", "golden", "abi", "latency", "bochs", "bench", "guests",
             "fuzz", "system"]
    found.add("unit")
    return sorted(found, key=lambda n: (order.index(n) if n in order else len(order) - 2, n))


def main(argv):
    if "--list" in argv:
        print("\n".join(suites()))
        return 0
    args = argv[argv.index("--") + 1:] if "--" in argv else []
    want = argv[:argv.index("--")] if "--" in argv else list(argv)
    tier = "default"
    if "long" in want:
        want.remove("long")
        tier = "long"
    known = suites()
    # model tests are part of `make check`, whatever name they are asked for by
    want = list(dict.fromkeys("unit" if w == "model" and w not in known else w for w in want))
    unknown = [w for w in want if w not in known]
    if unknown:
        print(f"no such suite: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    # The long tier has nothing of its own for the checks that are the same every time.
    want = want or (known if tier == "default" else [n for n in known if n != "lint"])
    LOGS.mkdir(parents=True, exist_ok=True)
    report = Report()
    built = build("plain", report)
    for name in want:
        if name == "unit":
            unit(tier, report)
        elif built or name == "lint":
            try:
                suite(name, tier, args, report)
            except LabError as e:
                report.add("not ok", f"{name}: not run", str(e).splitlines())
        else:
            report.add("not ok", f"{name}: not run, the build failed")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
