/* SPDX-License-Identifier: MIT */
/* Virtual performance counters. */
#ifndef __XEN_PUBLIC_PMU_H__
#define __XEN_PUBLIC_PMU_H__

#include "xen.h"

#include "arch-x86/pmu.h"

#define XENPMU_VER_MAJ 0
#define XENPMU_VER_MIN 1
#define XENPMU_mode_get 0
#define XENPMU_mode_set 1
#define XENPMU_feature_get 2
#define XENPMU_feature_set 3
#define XENPMU_init 4
#define XENPMU_finish 5
#define XENPMU_lvtpc_set 6
#define XENPMU_flush 7

struct xen_pmu_params {
	struct {
		uint32_t maj;
		uint32_t min;
	} version;
	uint64_t val;
	uint32_t vcpu;
	uint32_t pad;
};
typedef struct xen_pmu_params xen_pmu_params_t;
DEFINE_XEN_GUEST_HANDLE(xen_pmu_params_t);

#define XENPMU_MODE_OFF 0
#define XENPMU_MODE_SELF (1 << 0)
#define XENPMU_MODE_HV (1 << 1)
#define XENPMU_MODE_ALL (1 << 2)
#define XENPMU_FEATURE_INTEL_BTS (1 << 0)
#define XENPMU_FEATURE_IPC_ONLY (1 << 1)
#define XENPMU_FEATURE_ARCH_ONLY (1 << 2)

struct xen_pmu_data {
	uint32_t vcpu_id;
	uint32_t pcpu_id;
	domid_t domain_id;
	uint8_t pad[6];
	xen_pmu_arch_t pmu;
};

/* The layouts, pinned: size and place of the last member. */
#ifndef __ASSEMBLY__
XEN_ABI_SIZE(struct xen_pmu_params, 24);
XEN_ABI_OFFSET(struct xen_pmu_params, pad, 20);
XEN_ABI_SIZE(struct xen_pmu_data, 224);
XEN_ABI_OFFSET(struct xen_pmu_data, pmu, 16);
#endif

#endif
