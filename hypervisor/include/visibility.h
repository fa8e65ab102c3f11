/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included before everything: the image is one object, so that no symbol needs a GOT entry. */
#ifndef __ASSEMBLY__
#pragma GCC visibility push(hidden)
#endif
