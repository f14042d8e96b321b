#!/usr/bin/env python3
"""Reads the public API of the library from the pages that rustdoc wrote, and guards it: what changes is named before it is released.

    cargo doc --locked --no-deps --lib         writes the pages, with the default features
    scripts/public_api.py                      prints the API, one line an item
    scripts/public_api.py --check              compares it with docs/public-api.txt; exit code 1 on any difference
    scripts/public_api.py --write              takes it over into docs/public-api.txt

Pages are all that a stable compiler gives: rustdoc's JSON is for nightly ones only. What this script does not know in a page is an error, never
left out: each item of the crate's list must have its page and its place in a module, each name in the side bar of a page must have been read.
Another rustdoc than the one that the listing was made with may space or name things differently: then nothing is compared, and a NOTE says so.
"""

import argparse
import difflib
import html
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTING = ROOT / "docs" / "public-api.txt"
DOC = "cargo doc --locked --no-deps --lib"
# With its default features the library has over 1300 items, without them under 700: those pages must not pass for the whole.
LEAST = 1000

KINDS = {"struct": "struct", "enum": "enum", "union": "union", "trait": "trait", "fn": "fn", "constant": "const", "static": "static", "type": "type",
         "macro": "macro", "derive": "derive", "attr": "attr", "traitalias": "trait"}
# Headings of a page that hold public items, by what they hold; all others in a page are an error, but for those of SKIPPED.
INHERENT, TRAITS, AUTO, OTHERS, OWN = "inherent", "traits", "auto", "others", "own"
PARTS = {"fields": OWN, "variants": OWN, "implementations": INHERENT, "trait-implementations": TRAITS, "synthetic-implementations": AUTO,
         "required-methods": OWN, "provided-methods": OWN, "required-associated-types": OWN, "provided-associated-types": OWN,
         "required-associated-consts": OWN, "provided-associated-consts": OWN, "implementors": OTHERS, "foreign-impls": OTHERS}
# Methods of what a type dereferences to, implementations that every type has, and remarks.
SKIPPED = re.compile(r"deref-methods-.*|blanket-implementations|synthetic-implementors|dyn-compatibility|aliased-type$")
# Derives write it beside PartialEq; nobody can name it.
HIDDEN_TRAITS = {"StructuralPartialEq"}
AUTO_TRAITS = {"Send", "Sync", "Unpin"}
# Names that the standard library has more than once.
AMBIGUOUS = {"Chain", "Chunks", "Drain", "Entry", "Error", "IntoIter", "Iter", "IterMut", "Lines", "Metadata", "Ordering", "Receiver", "Sender",
             "Split", "Windows"}
# Other attributes (must_use, track_caller) break nobody.
KEPT_ATTRIBUTES = ("#[non_exhaustive]", "#[repr(")

LINK = re.compile(r'<a class="(\w+)" href="[^"]*" title="(\w+) ([^"]+)">([^<]*)</a>')
HEADER = re.compile(r'<h([34]) class="code-header">(.*?)</h\1>', re.S)
LANDMARK = re.compile(
    r'<h2 id="(?P<part>[^"]+)" class="(?:\w+ )?section-header">'
    r'|<section id="(?P<id>[^"]+)" class="(?P<what>impl|variant|(?:method|associatedconstant|associatedtype)(?: trait-impl)?)">(?P<body>.*?)</section>'
    r'|<section id="(?P<unknown>(?!main-content")[^"]*)"'
    r'|<span id="(?P<field>[^"]+)" class="(?:structfield )?section-header">.*?<code>(?P<code>.*?)</code></span>', re.S)
MEMBER = re.compile(r"(?:method|tymethod|variant|structfield|associatedconstant|associatedtype)\.")


class Unreadable(Exception):
    """A page is not as this script knows rustdoc's pages."""


def qualified(crate):
    """Replaces a link by a name that says which one is meant: the path from the crate's root for its own, all of it where the short one is ambiguous."""

    def name(match):
        kind, path, shown = match.group(1), html.unescape(match.group(3)), html.unescape(match.group(4))
        if kind not in KINDS or path.rsplit("::", 1)[-1] != shown:
            return match.group(4)
        if path.startswith(crate + "::"):
            return path[len(crate) + 2:]
        ambiguous = shown in AMBIGUOUS or shown == "Result" and path != "core::result::Result"
        # `core` is also a room of this library.
        return re.sub(r"^(core|alloc)::", "std::", path) if ambiguous else match.group(4)

    return name


def text(page, crate):
    """What a reader sees of a piece of a page, in one line, the same however rustdoc broke it."""
    page = re.sub(r"<summary.*?</summary>", "", page, flags=re.S)
    page = re.sub(r'<a [^>]*class="tooltip".*?</a>', "", page, flags=re.S)
    kept = lambda found: found.group(1) + " " if found.group(1).startswith(KEPT_ATTRIBUTES) else ""
    page = re.sub(r'<div class="code-attribute">(.*?)</div>', kept, page, flags=re.S)
    page = LINK.sub(qualified(crate), page)
    page = re.sub(r"<wbr ?/?>", "", page)
    page = re.sub(r"<br ?/?>|</?div[^>]*>", " ", page)
    page = html.unescape(re.sub(r"</?[a-zA-Z][^>]*>", "", page))
    line = " ".join(page.split())
    line = re.sub(r"([(<\[]) ", r"\1", line)
    line = re.sub(r",? ([)\]])|, (>)", lambda m: m.group(1) or m.group(2), line)
    return re.sub(r",( \{|$)", r"\1", line)


def read(path):
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"cannot read {path}: {error}") from error


def content(page, where):
    """The part of a page without navigation, and the names in its side bar."""
    begin = page.find('<section id="main-content"')
    if begin < 0:
        raise Unreadable(f"{where}: no main content; is this a page of rustdoc?")
    bar = re.search(r'<nav class="sidebar">(.*?)</nav>', page[:begin], re.S)
    if not bar:
        raise Unreadable(f"{where}: no side bar")
    names = set()
    for group in bar.group(1).split("<h3>")[1:]:
        if not group.startswith('<a href="#deref-methods'):
            names.update(html.unescape(n) for n in re.findall(r'<li><a href="#([^"]+)"', group) if MEMBER.match(n))
    main = page[begin:]
    end = main.find('<h2 id="blanket-implementations"')
    return main if end < 0 else main[:end], names


def renamed(line, kind, name, path, where):
    """The declaration `kind name ...` with the whole path for the name, and without what is the same for all."""
    if kind == "macro":
        return f"macro {path}! {line}"
    word = re.escape(kind) + (r" mut" if kind == "static" and " mut " in line else "")
    found = re.search(rf"\b({word}) (?:r#)?{re.escape(name)}\b", line)
    if not found:
        raise Unreadable(f"{where}: no `{kind} {name}` in: {line}")
    line = line[:found.start()] + f"{found.group(1)} {path}" + line[found.end():]
    line = re.sub(r"= _; // (.*)$", r"= \1", line).replace("/* private fields */", "..")
    return re.sub(r"(^|\] )pub ", r"\1", line).removesuffix(";")


class Api:
    """Lines of the listing, each with the place where it stands in it."""

    def __init__(self, crate):
        self.crate, self.foreign = crate, 0
        self.lines = set()
        self.implementations = {}

    def add(self, path, rank, line):
        self.lines.add((tuple(path.split("::")) if path else (), rank, line))

    def implementation(self, path, header, own):
        """One of a trait. Pages of types come first: pages of traits name the same ones again, and those of foreign types."""
        found = self.implementations.get(header)
        if found is None or own and not found["own"]:
            found = self.implementations[header] = {"path": path, "types": [], "own": own}
        elif path < found["path"] and own:
            found["path"] = path
        return found["types"]

    def sorted(self):
        for header, found in self.implementations.items():
            types = "; ".join(sorted(set(found["types"])))
            self.add(found["path"], 9, header + (f" {{ {types} }}" if types else ""))
        return [line for _, _, line in sorted(self.lines)]


def item(api, kind, path, page, where):
    """Reads the page of one item."""
    main, names = content(page, where)
    declared = re.search(r'<pre class="rust (?:item-decl|macro)"><code>(.*?)</code></pre>', main, re.S)
    if not declared:
        raise Unreadable(f"{where}: no declaration")
    word, name = KINDS[kind], path.rsplit("::", 1)[-1]
    line = text(declared.group(1), api.crate)
    if kind in ("struct", "union", "enum", "trait"):
        line, brace, body = line.partition("{")
        line = renamed(line.strip(), word, name, path, where)
        if kind in ("struct", "union") and brace:
            line += " { .. }" if re.search("private fields|omitted", body) else " {}"
        if '<h2 id="dyn-compatibility"' in main and re.search(r"is <b>not</b>", main):
            line += " // not dyn compatible"
        # A type of another crate that is named here too: its members are that crate's interface.
        source = re.search(r'<span class="sub-heading">(.*?)</span></div>', main, re.S)
        if not source:
            raise Unreadable(f"{where}: nothing about its source")
        if f"/src/{api.crate}/" in source.group(1):
            api.add(path, 0, line)
            Members(api, kind, path, where).read(main, names)
        else:
            api.foreign += 1
            api.add(path, 0, line + " // of another crate")
    else:
        api.add(path, 0, renamed(line, word, name, path, where))


class Members:
    """Reads fields, variants, methods, associated items and implementations of a type or trait, heading by heading."""

    def __init__(self, api, kind, path, where):
        self.api, self.kind, self.path, self.where = api, kind, path, where
        # What the heading holds, the header of the implementation, its associated types.
        self.part, self.around, self.types = None, "", []
        # Anchors that were read; headers and fields of variants by anchor.
        self.seen, self.variants = set(), {}

    def read(self, main, names):
        for mark in LANDMARK.finditer(main):
            if mark["part"]:
                self.part = PARTS.get(mark["part"])
                if self.part is None and not SKIPPED.fullmatch(mark["part"]):
                    raise Unreadable(f"{self.where}: the heading `{mark['part']}` is not known")
            elif mark["unknown"]:
                raise Unreadable(f"{self.where}: the section `{mark['unknown']}` is not known")
            elif self.part is not None and mark["field"]:
                self.field(mark["field"], text(mark["code"], self.api.crate))
            elif self.part is not None:
                header = HEADER.search(mark["body"])
                if not header:
                    raise Unreadable(f"{self.where}: the section `{mark['id']}` has no header")
                self.section(mark["id"], text(header.group(2), self.api.crate))
        for line, fields in self.variants.values():
            attribute, line = re.fullmatch(r"((?:#\[.*?\] )?)(.*)", line).groups()
            # Fields of a tuple stand in its header.
            shown = f" {{ {', '.join(fields)} }}" if fields and "(" not in line else ""
            self.api.add(self.path, 1, f"{attribute}variant {self.path}::{line}{shown}")
        if self.seen != names:
            raise Unreadable(f"{self.where}: the side bar and what was read differ: {', '.join(sorted(self.seen ^ names))}")

    def field(self, anchor, code):
        variant, of_variant, _ = anchor.rpartition(".field.")
        if of_variant:
            if variant not in self.variants:
                raise Unreadable(f"{self.where}: the field `{anchor}` has no variant")
            self.variants[variant][1].append(code)
            return
        self.seen.add(anchor)
        # Fields of a tuple stand in the declaration.
        if not re.fullmatch(r"structfield\.\d+", anchor):
            self.api.add(self.path, 1, f"field {self.path}::{code}")

    def section(self, anchor, line):
        what, _, name = anchor.partition(".")
        if not name:
            self.around, self.types = line, self.implementation(line)
        elif self.part is TRAITS:
            if what == "associatedtype":
                self.types.append(line)
        elif self.part in (INHERENT, OWN):
            self.seen.add(anchor)
            if what == "variant":
                self.variants[anchor] = (line, [])
            else:
                self.member(what, re.sub(r"-\d+$", "", name), line)

    def member(self, what, name, line):
        """A method or associated item of the type itself, or of the trait."""
        word = {"associatedconstant": "const", "associatedtype": "type"}.get(what, "fn")
        line = renamed(line, word, name, f"{self.path}::{name}", self.where)
        if what == "method" and self.kind == "trait":
            line += " { ... }"
        # Only where it is not `impl<'a, T> Name<'a, T>`, which every method of the type has.
        if self.part is INHERENT and not re.fullmatch(r"impl(?:<([^:]*)>)? [\w:]+(?:<\1>)?", self.around):
            line += f" // {self.around}"
        self.api.add(self.path, 3 if word == "fn" else 2, line)

    def implementation(self, header):
        """Keeps the header of a trait's implementation where it is part of the API; the list for its associated types."""
        found = re.match(r"(?:unsafe )?impl(?:<.*?>)? (!?)(?:[\w:]*::)?(\w+)", header)
        if self.part not in (TRAITS, AUTO, OTHERS):
            return []
        if not found:
            raise Unreadable(f"{self.where}: this implementation is not known: {header}")
        lacks, trait = found.groups()
        # That a type has automatic traits is the rule; what a caller notices is that it lacks one.
        if trait in HIDDEN_TRAITS or trait in AUTO_TRAITS and not lacks or self.part is AUTO and trait not in AUTO_TRAITS:
            return []
        return self.api.implementation(self.path, header, self.part is not OTHERS)


def module(api, folder, path):
    """Reads the page of a module and those below it; gives the files of their items."""
    where = folder / "index.html"
    main, _ = content(read(where), where)
    if path:
        api.add(path, 0, f"mod {path}")
    found = set()
    tables = re.findall(r'<dl class="item-table[^"]*">(.*?)</dl>', main, re.S)
    for entry in (entry for table in tables for entry in re.findall(r"<dt[^>]*>(.*?)</dt>", table, re.S)):
        link = re.match(r'<a class="(\w+)" href="([^"]+)"', entry)
        if "<code>pub use " in entry:
            api.add(path, 0, reexport(entry, path, api.crate, where))
        elif link and link.group(1) == "mod" and re.fullmatch(r"(\w+)/index\.html", link.group(2)):
            name = link.group(2).split("/")[0]
            found |= module(api, folder / name, f"{path}::{name}" if path else name)
        elif link and link.group(1) in KINDS and re.fullmatch(r"\w+\.\w+\.html", link.group(2)):
            found.add((folder / link.group(2)))
        else:
            raise Unreadable(f"{where}: this entry is not known: {entry[:200]}")
    return found


def reexport(entry, path, crate, where):
    shown = re.fullmatch(r"pub use (.*?)(?: as (\w+))?;", " ".join(html.unescape(re.sub(r"<[^>]+>", "", entry)).split()))
    if not shown:
        raise Unreadable(f"{where}: this re-export is not known: {entry[:200]}")
    target, name = shown.group(1), shown.group(2) or shown.group(1).rsplit("::", 1)[-1]
    linked = LINK.findall(entry)
    if linked and linked[-1][2].rsplit("::", 1)[-1] == target.rsplit("::", 1)[-1]:
        target = linked[-1][2].removeprefix(crate + "::")
    return f"use {path + '::' if path else ''}{name} = {target}"


def listing(folder, least):
    """Which rustdoc wrote the pages of a crate, and the lines of its API."""
    folder = pathlib.Path(folder)
    page = read(folder / "all.html")
    version = re.search(r'data-rustdoc-version="([^"]+)"', page)
    if not version:
        raise Unreadable(f"{folder / 'all.html'}: no version of rustdoc")
    listed = {}
    for href, shown in re.findall(r'<li><a href="([^"#]+\.html)">([^<]+)</a></li>', content(page, folder / "all.html")[0]):
        parts = re.fullmatch(r"((?:\w+/)*)(\w+)\.(\w+)\.html", href)
        if not parts or parts.group(2) not in KINDS or (parts.group(1) + parts.group(3)).replace("/", "::") != shown:
            raise Unreadable(f"{folder / 'all.html'}: this entry is not known: {href} {shown}")
        listed[folder / href] = (parts.group(2), shown)
    if len(listed) < least:
        raise Unreadable(f"wanted the pages of a library with at least {least} items, found {len(listed)} in {folder}: made with other features? Run `{DOC}`")
    api = Api(folder.name)
    placed = module(api, folder, "")
    if placed != set(listed):
        differ = sorted(str(p.relative_to(folder)) for p in placed ^ set(listed))
        raise Unreadable(f"{folder}: the list of all items and the modules differ: {', '.join(differ[:9])}")
    for file, (kind, path) in sorted(listed.items()):
        item(api, kind, path, read(file), file)
    if api.foreign * 4 > len(listed):
        raise Unreadable(f"{folder}: {api.foreign} of {len(listed)} items seem to come from other crates")
    return version.group(1), api.sorted()


KEY = re.compile(r'(?:#\[.*?\] )*(?:(?:const|async|unsafe|extern "[^"]*") )*'
                 r'(mod|use|struct|enum|union|trait|fn|const|static(?: mut)?|type|macro|derive|attr|field|variant) ([\w:]*\w)')


def key(line):
    """What a line is about: its kind and path, or all of an implementation."""
    found = KEY.match(line)
    return found.groups() if found else ("impl", line)


def breaks(line, old):
    """Why a line that is new breaks callers, or nothing. `old`: lines by key as they were."""
    kind, path = key(line)
    if kind == "impl":
        return "takes an automatic trait away" if re.match(r"impl(?:<.*?>)? !", line) else None
    parent = path.rpartition("::")[0]
    for of in ("enum", "struct", "trait"):
        for owner in old.get((of, parent), ()):
            if of == "enum" and kind == "variant" and "#[non_exhaustive]" not in owner:
                return "a `match` on the enum lacks it"
            if of == "struct" and kind == "field" and not owner.endswith("{ .. }") and "#[non_exhaustive]" not in owner:
                return "callers write out all fields of the struct"
            if of == "trait" and kind in ("fn", "const", "type") and not line.endswith("{ ... }") and not (kind != "fn" and " = " in line):
                return "those who implement the trait lack it"
    return None


def by_key(lines):
    groups = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return groups


def compare(old, new):
    """Lines for a reader: what breaks callers, and what only adds. Both empty when nothing changed."""
    old_by, new_by = by_key(old), by_key(new)
    breaking, adding = [], []
    for group in sorted(old_by.keys() | new_by.keys()):
        was, now = old_by.get(group, []), new_by.get(group, [])
        gone, come = [l for l in was if l not in now], [l for l in now if l not in was]
        if gone and come:
            breaking += ["changed"] + [f"  - {l}" for l in gone] + [f"  + {l}" for l in come]
        elif gone and group[0] == "impl" and re.match(r"impl(?:<.*?>)? !", gone[0]):
            adding += [f"- {l}" for l in gone]
        elif gone:
            breaking += ["removed"] + [f"  - {l}" for l in gone]
        for line in come if not gone else ():
            why = breaks(line, old_by)
            if why:
                breaking += [f"added, and {why}", f"  + {line}"]
            else:
                adding.append(f"+ {line}")
    return breaking, adding


def check(version, lines, file):
    """0 where the listing is as the pages say, 1 where it differs."""
    try:
        stored = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        print(f"public API: cannot read {file}: {error}; `scripts/public_api.py --write` makes it", file=sys.stderr)
        return 1
    head = [l for l in stored if l.startswith("# ")]
    made = next((l.removeprefix("# rustdoc ") for l in head if l.startswith("# rustdoc ")), None)
    if made is None:
        print(f"public API: {file} does not say which rustdoc it was made with; `scripts/public_api.py --write` makes it anew", file=sys.stderr)
        return 1
    if made != version:
        print(f"NOTE: the public API was NOT compared: {file.name} was made with rustdoc {made}, this is {version}.")
        return 0
    old = [l for l in stored if l and not l.startswith("# ")]
    rooms = {l for l in old if re.fullmatch(r"mod \w+", l)} - set(lines)
    breaking, adding = compare(old, lines)
    if old != lines and not breaking and not adding:
        # The same lines in another order, or twice.
        adding = list(difflib.unified_diff(old, lines, "listing", "pages", lineterm="", n=0))
    if not breaking and not adding:
        print(f"public API: {len(lines)} lines, as in {file.name}")
        return 0
    if breaking:
        print("These break callers (a minor version below 1.0, else a major one):\n")
        print("\n".join(breaking) + "\n")
    if adding:
        print("These only add:\n")
        print("\n".join(adding) + "\n")
    if rooms:
        print(f"All of {', '.join(sorted(l[4:] for l in rooms))} is gone: were the pages made without the default features? Run `{DOC}` first.\n")
    print("If all of it is wanted: run `scripts/public_api.py --write`, commit docs/public-api.txt with the change, and name what breaks callers in CHANGELOG.md\n"
          "under Changed or Removed. If not: make the new items `pub(crate)` or give the old ones back.")
    return 1


def written(version, lines):
    head = ["# The public API of the library with its default features, one line an item; `scripts/public_api.py --write` makes this file.",
            "# Paths begin at the crate. `{ .. }`: has private fields; `{}`: callers can write all fields out; `{ ... }`: a method that a trait provides.",
            f"# rustdoc {version}"]
    return "\n".join(head + lines) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the listing; exit code 1 on any difference")
    parser.add_argument("--write", action="store_true", help="write the listing")
    parser.add_argument("--docs", type=pathlib.Path, help="folder with the pages of the crate (default: doc/frameloom of the target folder)")
    parser.add_argument("--listing", type=pathlib.Path, default=LISTING, help="the listing (default: docs/public-api.txt)")
    parser.add_argument("--least", type=int, default=LEAST, help="items that the pages must have at least")
    options = parser.parse_args(arguments)
    if options.check and options.write:
        parser.error("--check or --write, not both")
    docs = options.docs or pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "doc" / "frameloom"
    try:
        version, lines = listing(docs, options.least)
    except Unreadable as error:
        print(f"public API: {error}", file=sys.stderr)
        return 2
    if options.check:
        return check(version, lines, options.listing)
    if options.write:
        options.listing.write_text(written(version, lines), encoding="utf-8")
    else:
        sys.stdout.write(written(version, lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
