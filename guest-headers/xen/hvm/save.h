/* SPDX-License-Identifier: MIT */
/*
 * Framing of an HVM save image: descriptor, record, descriptor, record, ... END.
 *
 * DECLARE_HVM_SAVE_TYPE(NAME, code, type) ties a record's name to its number and layout;
 * HVM_SAVE_TYPE, HVM_SAVE_CODE and HVM_SAVE_LENGTH give them back.
 */
#ifndef __XEN_PUBLIC_HVM_SAVE_H__
#define __XEN_PUBLIC_HVM_SAVE_H__

#include "../xen.h"

struct hvm_save_descriptor {
	uint16_t typecode;
	uint16_t instance; /* vCPU or device number */
	uint32_t length;   /* bytes that follow */
};

#define DECLARE_HVM_SAVE_TYPE(name, code, type) \
	typedef type __hvm_save_type_##name;    \
	enum { __hvm_save_code_##name = (code) }
#define HVM_SAVE_TYPE(name) __hvm_save_type_##name
#define HVM_SAVE_LENGTH(name) (sizeof(HVM_SAVE_TYPE(name)))
#define HVM_SAVE_CODE(name) ((unsigned long)__hvm_save_code_##name)

/* The end record has no body. */
struct hvm_save_end {
};
DECLARE_HVM_SAVE_TYPE(END, 0, struct hvm_save_end);

#include "../arch-x86/hvm/save.h"

/* The layouts, pinned: size and place of the last member. */
#ifndef __ASSEMBLY__
XEN_ABI_SIZE(struct hvm_save_descriptor, 8);
XEN_ABI_OFFSET(struct hvm_save_descriptor, length, 4);
#endif

#endif /* __XEN_PUBLIC_HVM_SAVE_H__ */
