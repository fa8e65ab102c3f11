# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += tests/fuzz/corpus/pgt tests/fuzz/corpus/xstate_validate
