"""The gate's steps in order: extract the facts of every minor from today's header, judge them."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import alone
import baseline
import compare
import facts
import tools
from finding import Finding


class Report:
    def __init__(self, released):
        self.released = released
        self.findings = []
        self.abidiff = {}  # {"1.0": {"exit": 4, "text": "..."}}

    def add(self, findings):
        for each in findings:
            if each not in self.findings:
                self.findings.append(each)

    def ok(self):
        return not self.findings


def check(include, abi, compilers=tools.COMPILERS, releasing=None):
    """Judges include/garland/plugin.h by the baselines, anchor and history in folder `abi`, and whether it
    compiles clean with each of `compilers`. `releasing` is the minor that is about to get its baseline."""
    report = Report(baseline.released(abi))
    with tempfile.TemporaryDirectory(prefix="garland-abi-") as scratch, ThreadPoolExecutor(4) as pool:
        try:
            judge(Path(include), Path(abi), Path(scratch), pool, report, releasing)
            report.add(compiles(include, Path(abi), pool, compilers))
        except facts.Broken as broken:
            report.add([Finding("clean", "plugin.h", first_error(str(broken)), "make it compile")])
    return report


def judge(include, abi, scratch, pool, report, releasing):
    newest = facts.abi_minor(include)
    history = baseline.History(abi)
    report.add(numbering(newest, report.released, facts.guards(include)))
    report.add(lost(report.released, releasing, history))
    minors = report.released if report.findings and report.released else sorted({*report.released, newest})
    today = dict(zip(minors, pool.map(lambda minor: extract(include, minor, scratch), minors)))
    for minor in report.released:
        report.add(compare.same(baseline.read(abi, minor), today[minor], minor, history))
    for minor, following in zip(minors, minors[1:]):
        report.add(compare.grows(today[minor], today[following], minor))
        report.add(empty(today[minor], today[following], following))
    report.add(alone.judge(today[minors[-1]]))
    report.add(anchors(today[minors[-1]], include, abi, minors[-1], scratch))
    for minor in report.released:
        libabigail(abi, scratch, minor, report)


def numbering(newest, released, guards):
    if released and newest not in (released[-1], released[-1] + 1):
        yield Finding("E7", "GARLAND_ABI_MINOR", f"is {newest}, but the newest released minor is {released[-1]}",
                      "let it be that minor or the one after it")
    for minor in sorted(guards):
        if minor > newest:
            yield Finding("E7", f"GARLAND_TARGET_MINOR >= {minor}", f"guards what no minor up to {newest} has",
                          f"let GARLAND_ABI_MINOR be {minor}")


def empty(before, facts, minor):
    if facts == before:
        yield Finding("E7", "GARLAND_ABI_MINOR", f"is {minor}, but nothing stands under `GARLAND_TARGET_MINOR >= {minor}`",
                      f"begin minor {minor} with the first thing that is new in it")


def lost(released, releasing, history):
    """A gate that has nothing to hold the header against would call every header compatible."""
    for minor in history.minors():
        if minor not in released and minor != releasing:
            yield Finding("E7", f"baselines/{baseline.MAJOR}.{minor}", "is missing, though history.md has its section",
                          "restore the folder from the repository's history; it is never written again")


def extract(include, minor, scratch):
    folder = scratch / f"minor-{minor}"
    folder.mkdir()
    return facts.extract(include, minor, folder)


def anchors(newest, include, abi, minor, scratch):
    """Whether anchor.c has a variable for every type that the header defines."""
    try:
        held = facts.anchored(abi, scratch / f"minor-{minor}" / "lenient", minor)
    except facts.Broken as broken:
        return [Finding("anchor", "anchor.c", first_error(str(broken)), "let it follow the header")]
    return [Finding("anchor", name, "has no variable in anchor.c", "add `ANCHOR(...)` for it, for libabigail")
            for name in (*newest["structs"], *newest["enums"]) if name not in held]


def libabigail(abi, scratch, minor, report):
    """Rebuilds the released minor and lets abidiff judge; it counts also where the tables found nothing."""
    library = scratch / f"minor-{minor}" / "anchor.so"
    complaint = tools.anchor_library(abi, scratch / f"minor-{minor}" / "lenient", minor, library)
    status, text = (-1, first_error(complaint)) if complaint else \
        tools.abidiff(baseline.folder(abi, minor) / "abi.xml", library)
    report.abidiff[f"{baseline.MAJOR}.{minor}"] = {"exit": status, "text": text}
    named = any(each.minor == minor for each in report.findings)
    if status != 0 and not named:
        report.add([Finding("abidiff", "anchor.so", f"abidiff ends with {status}: {text}",
                            "leave what was released as it was", minor)])


def compiles(include, abi, pool, compilers):
    """The header and its frozen layout, for every compiler; and no target beyond the newest minor."""
    layout = abi / "layout.c"
    beyond = facts.abi_minor(include) + 1
    ends = pool.submit(tools.complaint, "gcc, C11", include, layout, beyond)
    complaints = pool.map(lambda compiler: tools.complaint(compiler, include, layout), compilers)
    failed = {compiler: said for compiler, said in zip(compilers, complaints) if said is not None}
    if failed:
        first = first_error(next(iter(failed.values())))
        yield Finding("clean", "plugin.h", f"{first} (with {'; '.join(failed)})", "make it compile")
    if "newer than this header" not in (ends.result() or ""):
        yield Finding("E7", "GARLAND_TARGET_MINOR", f"{beyond} compiles, though the header knows no such minor",
                      "keep the #error for a target beyond GARLAND_ABI_MINOR")


def first_error(text):
    lines = [line for line in text.splitlines() if "error" in line]
    return (lines or text.splitlines() or ["it failed without a word"])[0].split("error: ")[-1]
