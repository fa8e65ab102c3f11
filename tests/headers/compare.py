#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares two trees of public headers: records, members, constants and strings.

One translation unit with every header of the first tree is compiled against either tree;
clang's record layouts give sizes and offsets, the compiler evaluates every macro and
enumerator. What differs must be listed in the file of accepted differences, and what is
listed there must still differ.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

PRELUDE = '#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n#include <errno.h>\n' \
          '#include <sys/ioctl.h>\n'
# Debian's headers name an older interface unless told otherwise, and some of them lean on
# what their includer brought along.
FLAGS = ['-D__XEN_TOOLS__', '-Wno-everything', '-std=gnu11']


def run(cmd, text=None):
    return subprocess.run(cmd, input=text, capture_output=True, text=True)


class Tree:
    def __init__(self, name, include):
        self.name = name
        self.include = include
        self.records = {}    # record -> (size, align)
        self.members = {}    # record.member.path -> (offset, type)
        self.constants = {}  # name -> value
        self.strings = {}

    def compile(self, headers):
        # The order gives headers that lean on their includer what they need.
        first = ['xen/xen.h', 'xen/memory.h', 'xen/hvm/save.h', 'xen/grant_table.h']
        src = PRELUDE + ''.join('#include <%s>\n' % h for h in first + headers)
        p = run(['clang', '-xc', '-isystem', self.include, *FLAGS, '-fsyntax-only', '-Xclang',
                 '-fdump-record-layouts-complete', '-'], src)
        if p.returncode:
            sys.exit('%s: the headers do not compile:\n%s' % (self.name, p.stderr))
        self.read_layouts(p.stdout)
        p = run(['gcc', '-xc', '-E', '-dD', '-I', self.include, *FLAGS, '-'], src)
        self.read_names(p.stdout, src)

    def ours(self, path):
        return os.path.realpath(path).startswith(os.path.realpath(self.include) + '/xen/')

    def read_layouts(self, text):
        for block in text.split('*** Dumping AST Record Layout')[1:]:
            rows = []
            total = None
            for line in block.strip('\n').split('\n'):
                m = re.match(r'\s*\| \[sizeof=(\d+), align=(\d+)', line)
                if m:
                    total = (int(m.group(1)), int(m.group(2)))
                    continue
                m = re.match(r'\s*(\d+)(?::(\d+)-(\d+|))? \| ( *)(.*)$', line)
                if m:
                    off = m.group(1) + (':' + m.group(2) + '-' + m.group(3) if m.group(2) else '')
                    rows.append((len(m.group(4)) // 2, off, m.group(5).strip()))
            if not rows or total is None:
                continue
            name = rows[0][2]
            if 'unnamed at' in name or name.startswith('struct __') or '/usr/' in name:
                # Anonymous parts appear inside the record that holds them.
                continue
            if name.split()[-1].startswith('_'):
                continue
            self.records[name] = total
            path = []
            for depth, off, decl in rows[1:]:
                decl = re.sub(r'\((unnamed|anonymous)[^)]*\)', '(anon)', decl)
                typ, _, member = decl.rpartition(' ')
                if decl.endswith('(anon)') or decl.endswith('::(anon)'):
                    typ, member = decl, ''
                path = path[:depth - 1] + [member]
                key = name + '.' + '.'.join(x for x in path if x)
                if member == '':
                    continue
                self.members[key] = off

    def read_names(self, text, src):
        macros, enums, here = [], [], ''
        body = []
        for line in text.split('\n'):
            m = re.match(r'# \d+ "([^"]*)"', line)
            if m:
                here = m.group(1)
                continue
            if not self.ours(here):
                continue
            m = re.match(r'#define (\w+) (.+)', line)
            if m:
                macros.append(m.group(1))
            elif not line.startswith('#'):
                body.append(line)
        for m in re.finditer(r'\benum\b[^{};]*\{([^}]*)\}', '\n'.join(body)):
            for item in m.group(1).split(','):
                item = item.split('=')[0].strip()
                if re.fullmatch(r'\w+', item):
                    enums.append(item)
        names = [n for n in macros + enums if n not in self.constants and n not in self.strings
                 and not n.endswith('_H__') and not n.endswith('_H')]
        names = list(dict.fromkeys(names))
        ints = self.evaluate(src, names, 'enum { v_%s = sizeof(char[1]) + 0 * (%s) };',
                             'printf("%%s %%llu\\n", "%s", (unsigned long long)(%s));')
        for n, v in ints.items():
            self.constants[n] = v
        rest = [n for n in names if n not in ints]
        strs = self.evaluate(src, rest, 'static const char v_%s[] = "" %s;',
                             '{ const char *n = "%s", s[] = "" %s; printf("%%s %%s\\n", n, s); }')
        self.strings.update(strs)

    def evaluate(self, src, names, probe, emit):
        """Drops the names whose probe does not compile, prints the values of the rest."""
        if not names:
            return {}
        lines = src.count('\n')
        text = src + ''.join(probe % (n, n) + '\n' for n in names)
        p = run(['gcc', '-xc', '-isystem', self.include, '-w', '-D__XEN_TOOLS__', '-std=gnu11',
                 '-fsyntax-only', '-fmax-errors=0', '-ftrack-macro-expansion=0', '-'], text)
        bad = {int(m) for m in re.findall(r'^<stdin>:(\d+):', p.stderr, re.M)}
        good = [n for i, n in enumerate(names) if lines + 1 + i not in bad]
        text = src + '#include <stdio.h>\nint main(void)\n{\n' + \
            ''.join(emit % (n, n) + '\n' for n in good) + 'return 0;\n}\n'
        with tempfile.TemporaryDirectory() as tmp:
            exe = os.path.join(tmp, 'values')
            p = run(['gcc', '-xc', '-isystem', self.include, '-w', '-D__XEN_TOOLS__',
                     '-std=gnu11', '-o', exe, '-'], text)
            if p.returncode:
                sys.exit('%s: values do not compile:\n%s' % (self.name, p.stderr[:2000]))
            out = run([exe]).stdout
        return dict(line.split(' ', 1) for line in out.split('\n') if ' ' in line)


def load_accepted(path):
    out = {}
    with open(path) as f:
        for line in f:
            line = line.strip()
            if line and not line.startswith('#'):
                name, _, why = line.partition(': ')
                out[name] = why
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('ours')
    ap.add_argument('theirs')
    ap.add_argument('--accepted', required=True)
    args = ap.parse_args()
    ours, theirs = Tree('ours', args.ours), Tree('reference', args.theirs)
    headers = []
    for root, _, files in os.walk(os.path.join(args.ours, 'xen')):
        headers += [os.path.relpath(os.path.join(root, f), args.ours) for f in files]
    headers.sort()
    for h in headers:
        if not os.path.exists(os.path.join(args.theirs, h)):
            print('not ok - %s is not a header of the reference' % h)
            return 1
    ours.compile(headers)
    theirs.compile(headers)

    accepted = load_accepted(args.accepted)
    used = set()
    failed = False
    for what in ('records', 'members', 'constants', 'strings'):
        a, b = getattr(ours, what), getattr(theirs, what)
        wrong = []
        same = 0
        for name in sorted(set(a) | set(b)):
            if name in a and name in b and a[name] == b[name]:
                same += 1
                continue
            hit = next((k for k in accepted if name == k or
                        (k.endswith('*') and name.startswith(k[:-1]))), None)
            if hit:
                used.add(hit)
            else:
                wrong.append('%s: ours %s, reference %s' % (name, a.get(name), b.get(name)))
        for w in wrong:
            print('  ' + w)
        print('%s - headers: %s equal, %d compared, %d different' %
              ('not ok' if wrong else 'ok', what, same, len(wrong)))
        failed |= bool(wrong)
    stale = [k for k in accepted if k not in used]
    for k in stale:
        print('  %s no longer differs' % k)
    print('%s - headers: accepted differences still differ (%d)' %
          ('not ok' if stale else 'ok', len(accepted)))
    return 1 if failed or stale else 0


if __name__ == '__main__':
    sys.exit(main())
