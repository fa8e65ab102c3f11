/* SPDX-License-Identifier: MIT */
/* Product numbers for unplugging emulated devices. */
#ifndef _XEN_PUBLIC_PVDRIVERS_H_
#define _XEN_PUBLIC_PVDRIVERS_H_

#define PVDRIVERS_PRODUCT_LIST(EACH)            \
	EACH("xensource-windows", 0x0001)       \
	EACH("gplpv-windows", 0x0002)           \
	EACH("linux", 0x0003)                   \
	EACH("xenserver-windows-v7.0+", 0x0004) \
	EACH("xenserver-windows-v7.2+", 0x0005) \
	EACH("experimental", 0xffff)

#endif
