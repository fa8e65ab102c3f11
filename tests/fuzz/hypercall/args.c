/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a call, and the lists its structures point at. */
#include "shapes.h"
#include <lib.h>
#include <xen/xen.h>

void lists_fill(struct input *in, unsigned int how)
{
	u64 *list = (u64 *)&args_memory[PAGE_SIZE];

	for (unsigned int i = 0; i < POOL; i++)
		list[i] = machine.pool[current->domain->id][POOL - 1 - i].n;
	for (unsigned int i = 0; i < how; i++)
		list[i] = value(in, K_MFN);
}

void row_args(const struct row *row, struct input *in, unsigned int nr, u64 args[5])
{
	args[0] = row->cmd;
	args[1] = ARGS;
	switch (row->call) {
	case CALL_MMU:
	case CALL_MMUEXT:
		args[0] = ARGS;
		args[1] = nr % 6;
		args[2] = nr & 0x10 ? RESULTS : 0;
		args[3] = nr & 0x20 ? value(in, K_DOM) : DOMID_SELF;
		if (nr & 0x40)
			args[3] |= (value(in, K_DOM) + 1) << 16;
		break;
	case CALL_CONSOLEIO:
		args[1] = value(in, K_COUNT);
		args[2] = value(in, K_PTR);
		break;
	case CALL_SCHEDOP_COMPAT:
		args[0] = nr % 3;
		break;
	case CALL_GNTTABOP:
		args[2] = nr & 0xf0 ? nr % 6 : 1;
		break;
	case CALL_VCPUOP:
		args[1] = nr / 6 % VCPUS_EACH;
		args[2] = nr & 0x80 ? value(in, K_PTR) : ARGS;
		break;
	case CALL_SET_GDT:
		args[0] = LISTS;
		args[1] = value(in, K_COUNT);
		break;
	case CALL_UPDATE_DESCRIPTOR:
		args[0] = value(in, K_MADDR);
		take_bytes(in, &args[1], 8);
		break;
	case CALL_MULTICALL:
		args[0] = ARGS;
		args[1] = nr % 6;
		break;
	case CALL_UPDATE_VA:
	case CALL_UPDATE_VA_OTHER:
		args[0] = value(in, K_VA);
		args[1] = value(in, K_PTE);
		args[2] = nr & 7 ? nr & 7 : value(in, K_PTR);
		args[3] = row->call == CALL_UPDATE_VA_OTHER ? value(in, K_DOM) : 0;
		break;
	case CALL_SET_TIMER:
		args[0] = value(in, K_COUNT);
		break;
	case CALL_EVTCHNOP_COMPAT:
	case CALL_PHYSDEVOP_COMPAT:
		args[0] = ARGS;
		break;
	default:
		if (nr & 0x80)
			args[1] = value(in, K_PTR);
	}
}

bool row_may_shut_down(const struct row *row)
{
	return row->call == CALL_SCHEDOP || row->call == CALL_VCPUOP || row->call == CALL_MULTICALL;
}
