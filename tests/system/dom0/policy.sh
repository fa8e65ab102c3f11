# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# serai cpu-policy on a host: what it says of host, domain and saved domain agrees, and a domain made with the line of
# "common" has the common policy, whether xl makes it or serai.
. /lab/lib.sh
work=/var/tmp/policy
mkdir -p $work
cd $work || exit

policy() { serai cpu-policy "$@"; }
# register FILE LEAF NAME, and set_register FILE LEAF NAME VALUE: of a leaf without subleaves.
register() { sed -n "/\"leaf\": \"$2\",/,/}/s/.*\"$3\": \"\(0x[0-9a-f]*\)\".*/\1/p" "$1"; }
set_register() { sed -i "/\"leaf\": \"$2\",/,/}/s/\"$3\": \"0x[0-9a-f]*\"/\"$3\": \"$4\"/" "$1"; }
# Leaf by leaf and register by register, not only what a program can tell apart.
same_policy() { diff <(policy show --json "$1" | grep -v source) <(policy show --json "$2" | grep -v source); }
differs() { ! policy diff "$1" "$2"; }
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
guest_config g3 "$line"
check "serai takes the line" serai create /root/g3.cfg || exit
check "its domain has the common policy, too" serai cpu-policy diff g3 common.json
check "and the policy of xl's domain" same_policy g2 g3
check "it runs as well as xl's" guest_says g3 "guest up: g3"
check_out "xl reads the line in our record" '"cpuid": \[' xl list -l g3
check "a domain goes" serai destroy g2
check "another goes" serai destroy g3

# Names: both tools make the same of them.
names='cpuid="host,avx=0,aes=0,rdrand=x,fsgsbase=k,sse4.2=0,stepping=1"'
guest_config g4 "$names"
guest_config g5 "$names"
check "xl takes names" xl create -p /root/g4.cfg
check "serai takes names" serai create -p /root/g5.cfg
check "both make the same of them" same_policy g4 g5
check "and it is not the default" differs host.json g5
check "what is named is gone" lacks g5 'avx|avx2|aesni|sse4-2'
check_out "xl reads them in our record" '"leaf": 1' xl list -l g5
check "xl's goes" serai destroy g4
check "serai's goes" serai destroy g5
guest_config g6 "cpuid='host,avxx=0'"
check_out "a name nobody knows is named" '"avxx" is not the name of a CPU feature' sh -c '! serai create /root/g6.cfg 2>&1'
guest_config g6 "cpuid=['0x7,31:eax=1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx']"
check_out "a leaf that is not there is named" 'no CPUID leaf 0x7,31' sh -c '! serai create /root/g6.cfg 2>&1'
refuse "and nothing is left" serai domid g6
