/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which values XCR0 and IA32_XFD may take (SDM vol. 1, 13.3 and 13.14). Pure. */
#include <xerrno.h>
#include <xstate.h>

/* Bits that may be set only together with all of needs; a group is all or nothing. */
struct xcr0_rule {
	u64 bits, needs;
};

static const struct xcr0_rule rules[] = {
	{XSTATE_YMM, XSTATE_SSE},
	{XSTATE_BNDREGS | XSTATE_BNDCSR, XSTATE_BNDREGS | XSTATE_BNDCSR},
	{XSTATE_AVX512, XSTATE_YMM | XSTATE_AVX512},
	{XSTATE_AMX, XSTATE_AMX},
	{XSTATE_LWP, XSTATE_YMM},
};

/* APX's registers took over the place of MPX in the standard format: never both. */
#define APX (1ULL << XSTATE_NR_APX)
#define MPX (XSTATE_BNDREGS | XSTATE_BNDCSR)

#define SUPERVISOR_ONLY                                                                 \
	(1ULL << XSTATE_NR_PT | 1ULL << XSTATE_NR_PASID | XSTATE_CET_U | XSTATE_CET_S | \
	 1ULL << XSTATE_NR_HDC | 1ULL << XSTATE_NR_UINTR | 1ULL << XSTATE_NR_LBR | 1ULL << XSTATE_NR_HWP)

bool xstate_xcr0_valid(u64 xcr0)
{
	if (!(xcr0 & XSTATE_X87) || (xcr0 & (SUPERVISOR_ONLY | XSTATE_COMPACTED)))
		return false;
	if ((xcr0 & APX) && (xcr0 & MPX))
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++)
		if ((xcr0 & rules[i].bits) && (xcr0 & rules[i].needs) != rules[i].needs)
			return false;
	return true;
}

int xstate_xsetbv_check(u64 permitted, u64 value)
{
	return (value & ~permitted) || !xstate_xcr0_valid(value) ? -EINVAL : 0;
}

u64 xstate_xcr0_trim(u64 mask)
{
	mask = (mask | XSTATE_X87) & ~(SUPERVISOR_ONLY | XSTATE_COMPACTED);
	if (mask & MPX)
		mask &= ~APX;
	/* Rules stand in order of dependency, so one pass is enough. */
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++)
		if ((mask & rules[i].needs) != rules[i].needs)
			mask &= ~rules[i].bits;
	return mask;
}

int xstate_xfd_check(const struct xstate_layout *l, u64 permitted, u64 value)
{
	return value & ~(l->xfd & permitted) ? -EINVAL : 0;
}

u64 xstate_xfd_disabled(const struct xstate_layout *l, u64 xcr0, u64 xfd)
{
	return xcr0 & xfd & l->xfd;
}
