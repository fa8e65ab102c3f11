# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# serai cpu-policy on a host: what it says of host, domain and saved domain agrees, and a domain that xl makes with the
# line of "common" has the common policy.
. /lab/lib.sh
work=/var/tmp/policy
mkdir -p $work
cd $work || exit

policy() { serai cpu-policy "$@"; }
# register FILE LEAF NAME, and set_register FILE LEAF NAME VALUE: of a leaf without subleaves.
register() { sed -n "/\"leaf\": \"$2\",/,/}/s/.*\"$3\": \"\(0x[0-9a-f]*\)\".*/\1/p" "$1"; }
set_register() { sed -i "/\"leaf\": \"$2\",/,/}/s/\"$3\": \"0x[0-9a-f]*\"/\"$3\": \"$4\"/" "$1"; }
lacks() { ! policy show "$1" | grep -Eqw -- "$2"; }

for p in raw host pv-max pv-default; do
	check_out "the host has a policy $p" '^vendor +[A-Z][A-Za-z]+$' serai cpu-policy show --host $p
done
refuse "a domain that is not there has none" serai cpu-policy show nobody
check "as JSON" sh -c 'serai cpu-policy show --json >max.json && serai cpu-policy show --host pv-default --json >host.json'
check "the file is the host's policy" serai cpu-policy diff max.json host:pv-max
check "and of the default" serai cpu-policy diff host:pv-default host.json

guest_config g1
check "a domain is made" serai create /root/g1.cfg || exit
check "it has the default policy" serai cpu-policy diff g1 host.json
check "it runs" guest_says g1 "guest up: g1"
check "it is saved" serai save g1 $work/g1.save
check "the file has the policy" serai cpu-policy diff $work/g1.save host.json
rm -f $work/g1.save

# Another host, older: without AES, PCLMULQDQ and XSAVE with what needs it; its leaves end before the seventh.
sed '/"features": \[/,/\],/d' host.json >other.json
check_out "this host has AES" '\baesni\b' serai cpu-policy show host.json
check_out "and flags in leaf 7" '\b0x7.0.ebx +[a-z]' serai cpu-policy show host.json
set_register other.json 0x1 ecx "$(printf '%#x' $(($(register host.json 0x1 ecx) & ~(1 << 1 | 1 << 12 | 3 << 25 | 3 << 28))))"
set_register other.json 0x0 eax 0x6
refuse "the other host is another" serai cpu-policy diff host.json other.json
check_out "both have something in common" '^# Hidden: .*aesni' serai cpu-policy common other.json host.json -o common.json
line=$(policy common host.json other.json | grep '^cpuid')
check "leaf 7, which is not everywhere, is not named" test "${line/0x7/}" = "$line"
info cpuid "$line"
guest_config g2 "$line"
check "xl takes the line" xl create /root/g2.cfg || exit
check "the domain has the common policy" serai cpu-policy diff g2 common.json
check "it lacks AES" lacks g2 'aesni|pclmulqdq'
check "and leaves beyond the limit" lacks g2 '0x00000007|0x0000000d'
check "it runs as well" guest_says g2 "guest up: g2"
check "a domain goes" serai destroy g2
