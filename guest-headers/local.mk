# SPDX-License-Identifier: GPL-2.0-or-later
# The public ABI headers, installed as they are with a pkg-config file.
