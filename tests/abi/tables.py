#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The generated parts of docs/abi: a table of rows for each family of guest-headers/def, and the
layout of every structure they name, as the compiler lays it out; and the listings of docs/porting.md,
which are parts of the example's sources. Without --write it only says
whether the pages are up to date."""
import argparse
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEF = os.path.join(TOP, 'guest-headers/def')
PAGES = os.path.join(TOP, 'docs/abi')
EXAMPLE = os.path.join(TOP, 'tests/guests/example')
HEADERS = '''xen/xen.h xen/event_channel.h xen/grant_table.h xen/memory.h xen/sched.h xen/vcpu.h
xen/physdev.h xen/version.h xen/callback.h xen/nmi.h xen/platform.h xen/domctl.h xen/sysctl.h
xen/pmu.h xen/hvm/hvm_op.h'''.split()
ROW = re.compile(r'^OP\((\w+),\s*(\d+),\s*(\w+),\s*([^,]+?),\s*(\w+),\s*(\w+),\s*(\w+)\)', re.M)
CALL = re.compile(r'^HYPERCALL\(\s*(\d+),\s*(\w+),\s*"([\w-]+)"\)', re.M)


def rows(family):
    with open(os.path.join(DEF, family + '.def')) as f:
        return ROW.findall(f.read())


def calls():
    with open(os.path.join(DEF, 'hypercall.def')) as f:
        return CALL.findall(f.read())


def layouts():
    """record -> ([(offset, type, member)], size) for top-level members."""
    src = ''.join('#include <%s>\n' % h for h in HEADERS)
    p = subprocess.run(['clang', '-xc', '-std=gnu11', '-I', os.path.join(TOP, 'guest-headers'),
                        '-fsyntax-only', '-w', '-Xclang', '-fdump-record-layouts-complete', '-'],
                       input=src, capture_output=True, text=True, check=True)
    out = {}
    for block in p.stdout.split('*** Dumping AST Record Layout')[1:]:
        lines = block.strip('\n').split('\n')
        members, size = [], None
        for line in lines[1:]:
            m = re.search(r'\[sizeof=(\d+)', line)
            if m:
                size = int(m.group(1))
            m = re.match(r'\s*(\d+)\S* \|   (\S.*)$', line)
            if m and not m.group(2).startswith(' '):
                decl = re.sub(r'(struct|union) \S*\((unnamed|anonymous)[^)]*\)', r'\1', m.group(2))
                typ, _, name = decl.rpartition(' ')
                members.append((int(m.group(1)), typ, name))
        name = re.sub(r'^\s*0 \| ', '', lines[0]).strip()
        out[name] = (members, size)
    return out


def op_table(families, records):
    text, seen = '', []
    for fam in families:
        text += '\n*Generated.* `guest-headers/def/%s.def`:\n\n' % fam
        text += '| Number | Operation | Argument | Direction | Who | Restart |\n'
        text += '|---:|---|---|---|---|---|\n'
        for f, n, name, typ, d, who, restart in rows(fam):
            text += '| %s | `%s_%s` | %s | %s | %s | %s |\n' % (
                n, f, name, '' if typ == 'void' else '`%s`' % typ, d, who,
                'yes' if restart == 'RESTART' else '')
            if typ.startswith('struct') and typ not in seen:
                seen.append(typ)
    for typ in seen:
        members, size = records[typ]
        text += '\n`%s`, %d bytes:\n\n| Offset | Member | Type |\n|---:|---|---|\n' % (typ, size)
        for off, t, m in members:
            text += '| %d | `%s` | `%s` |\n' % (off, m, t)
    return text


def call_table():
    text = '\n*Generated.* `guest-headers/def/hypercall.def`:\n\n| Number | Call | Page |\n|---:|---|---|\n'
    for n, name, page in calls():
        text += '| %s | `%s` | [%s](%s.md) |\n' % (n, name, page, page)
    return text


def listing(names):
    """The part of an example's source between the marks [name] and [end]."""
    with open(os.path.join(EXAMPLE, names[0])) as f:
        m = re.search(r'/\* \[%s\] \*/\n(.*?)/\* \[end\] \*/' % names[1], f.read(), re.S)
    return '```%s\n%s```' % ('c' if names[0].endswith('.c') else '', m.group(1).strip('\n') + '\n')


def refresh(path, write, stale, mark, body):
    with open(path) as f:
        old = f.read()
    new = re.sub('(' + mark + r')\n.*?<!-- end -->',
                 lambda m: '%s\n%s\n<!-- end -->' % (m.group(1), body(m.group(2).split())), old,
                 flags=re.S)
    if new == old:
        return
    stale.append(os.path.basename(path))
    if write:
        with open(path, 'w') as f:
            f.write(new)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--write', action='store_true')
    args = ap.parse_args()
    records, stale = layouts(), []
    refresh(os.path.join(TOP, 'docs/porting.md'), args.write, stale, r'<!-- listing: ([\w. ]+?) -->',
            listing)
    for page in sorted(os.listdir(PAGES)):
        refresh(os.path.join(PAGES, page), args.write, stale, r'<!-- generated: ([\w ]+?) -->',
                lambda names: call_table() if names == ['hypercalls'] else
                op_table(names, records))
    if stale and not args.write:
        print('  stale: ' + ' '.join(stale))
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
