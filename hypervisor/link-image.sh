#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# link-image.sh NM IMAGE LINK-COMMAND...
#
# Links the image, then writes its own symbol table into it: lines "<address> <type> <name>" of the text
# symbols, in address order, over the array in section .symbols (lib/symbols.c). Nothing moves, so the table is true.
set -e
nm=$1 image=$2
shift 2
"$@"
table=$image.symbols
trap 'rm -f "$table"' EXIT
$nm -n "$image" | awk '
	$3 == "ksyms" { at = $1 }
	$3 == "image_start" { base = $1 }
	$3 == "symbols_end" { end = $1 }
	$2 ~ /^[tT]$/ && $3 !~ /^\./ { print $1, $2, $3 > table }
	END { print base, at, end }' table="$table" >"$table.where"
read -r base at end <"$table.where"
rm -f "$table.where"
# The low halves will do: a shell's numbers are signed.
base=${base#????????} at=${at#????????} end=${end#????????}
# File offsets run in step with addresses from image_start on (image.lds): the offset of the segment.
start=$(LC_ALL=C readelf -lW "$image" | awk '$1 == "LOAD" { print $2; exit }')
room=$((0x$end - 0x$at))
size=$(wc -c <"$table")
if [ "$size" -ge "$room" ]; then
	echo "link-image: the symbol table has $size bytes, lib/symbols.c has room for $room" >&2
	rm -f "$image"
	exit 1
fi
dd if="$table" of="$image" bs=1 seek=$((start + 0x$at - 0x$base)) conv=notrunc status=none
