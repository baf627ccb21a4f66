"""Runs the compilers and libabigail. Knows command lines; judges nothing."""

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = {"gcc": "gcc", "g++": "g++", "clang-19": "clang-19", "clang++-19": "clang-19",
            "abidw": "abigail-tools", "abidiff": "abigail-tools"}
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
C, CXX = ["-x", "c", "-std=c11"], ["-x", "c++", "-std=c++20"]
# What a partner may build with.
COMPILERS = {"gcc, C11": ["gcc", *C], "clang-19, C11": ["clang-19", *C],
             "g++, C++20": ["g++", *CXX], "clang++-19, C++20": ["clang++-19", *CXX]}


def missing():
    """The Debian packages of the programs that are not here."""
    return sorted({package for tool, package in PACKAGES.items() if shutil.which(tool) is None})


def run(command, cwd=None):
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run([str(word) for word in command], cwd=cwd, env=environment, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def target(minor):
    return [] if minor is None else [f"-DGARLAND_TARGET_MINOR={minor}"]


def complaint(compiler, include, source, minor=None, warnings=WARNINGS):
    """What `compiler` (a key of COMPILERS) has against `source`; None if nothing."""
    done = run([*COMPILERS[compiler], *warnings, *target(minor), "-fsyntax-only", "-I", include, source])
    return None if done.returncode == 0 else done.stderr


def macros(header, minor, language):
    """{name: "(parameters) body"} of every macro after `header` was read."""
    compiler = ["gcc", *C] if language == "c" else ["g++", *CXX]
    done = run([*compiler, *target(minor), "-E", "-dM", header])
    found = {}
    for line in done.stdout.splitlines():
        head, _, body = line.removeprefix("#define ").partition(" ")
        name, bracket, parameters = head.partition("(")
        found[name] = f"{bracket}{parameters} {body}".strip()
    return found


def syntax_tree(source, minor, include):
    """clang's tree of `source` as JSON text; None with the reason if there is none."""
    done = run(["clang-19", *C, *target(minor), "-I", include, "-fsyntax-only", "-Xclang", "-ast-dump=json", source])
    return (done.stdout, None) if done.returncode == 0 else (None, done.stderr)


def measure(source, include, minor, program):
    """Builds and runs a small program in C; its output, or None with the reason."""
    done = run(["gcc", *C, *target(minor), "-I", include, "-o", program, source])
    if done.returncode == 0:
        done = run([program])
    return (done.stdout, None) if done.returncode == 0 else (None, done.stderr)


def anchor_library(folder, include, minor, library):
    """Builds folder/anchor.c against minor `minor` of the header; the compiler's complaint or None."""
    done = run(["gcc", *C, "-g", "-Og", "-fPIC", "-shared", "-nostdlib", "-fvisibility=hidden", *target(minor),
                "-I", include, "-Wl,-soname,libgarland_abi_anchor.so.1", "-o", library, "anchor.c"], cwd=folder)
    return None if done.returncode == 0 else done.stderr


def abidw(library, xml):
    done = run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--out-file", xml, library])
    return None if done.returncode == 0 else done.stderr or f"abidw ended with {done.returncode}"


def abidiff(xml, library):
    """Compares strictly: no suppression, and with what libabigail calls harmless (a rename is)."""
    done = run(["abidiff", "--no-default-suppression", "--fail-no-debug-info", "--harmless", "--no-show-locs",
                xml, library])
    return done.returncode, (done.stdout + done.stderr).strip()
