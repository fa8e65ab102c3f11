/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port I/O of PV guests. Two questions: may the running code use ports at all (virtual IOPL, or the
 * bitmap its kernel gave), which is answered with #GP; and does the domain own this port, which is
 * answered with the silence of an empty bus: all ones, writes lost.
 */
#include <io.h>
#include <pci.h>
#include <pv.h>
#include <rangeset.h>
#include <uaccess.h>
#include <x86/pv/priv.h>

bool guest_io_port_ok(const struct vcpu *v, unsigned int port, unsigned int bytes)
{
	return port + bytes <= 0x10000 && iorange_contains(v->domain->ioport, port, port + bytes - 1);
}

bool pv_guest_io_allowed(struct vcpu *v, unsigned int port, unsigned int bytes)
{
	u8 bits[2] = {0xff, 0xff};

	if (pv_iopl_ok(v))
		return true;
	if (!v->pv.iobmp || port + bytes > v->pv.iobmp_limit)
		return false;
	/* The last byte of a bitmap may be the last of its page. */
	if (copy_from_guest_va(&bits[0], v->pv.iobmp + port / 8, 1))
		return false;
	if (port % 8 + bytes > 8 && copy_from_guest_va(&bits[1], v->pv.iobmp + port / 8 + 1, 1))
		return false;
	return !((bits[0] | bits[1] << 8) >> port % 8 & ((1U << bytes) - 1));
}

static u32 raw_read(unsigned int port, unsigned int bytes)
{
	return bytes == 1 ? inb((u16)port) : bytes == 2 ? inw((u16)port) : inl((u16)port);
}

static void raw_write(unsigned int port, unsigned int bytes, u32 val)
{
	if (bytes == 1)
		outb((u16)port, (u8)val);
	else if (bytes == 2)
		outw((u16)port, (u16)val);
	else
		outl((u16)port, val);
}

/* Ports of the two-step access to PCI configuration space. */
static bool is_pci(unsigned int port)
{
	return (port & ~7U) == 0xcf8;
}

u32 pv_io_read(struct vcpu *v, unsigned int port, unsigned int bytes)
{
	u32 val;

	if (!guest_io_port_ok(v, port, bytes))
		return bytes == 4 ? ~0U : (1U << bytes * 8) - 1;
	if (unlikely(is_pci(port)) && pci_cfg_port_read(port, bytes, &val))
		return val;
	return raw_read(port, bytes);
}

void pv_io_write(struct vcpu *v, unsigned int port, unsigned int bytes, u32 val)
{
	if (!guest_io_port_ok(v, port, bytes))
		return;
	if (unlikely(is_pci(port)) && pci_cfg_port_write(port, bytes, val))
		return;
	raw_write(port, bytes, val);
}

/*
 *   e4 IN AL, ib   e5 IN eAX, ib   e6 OUT ib, AL   e7 OUT ib, eAX
 *   ec IN AL, DX   ed IN eAX, DX   ee OUT DX, AL   ef OUT DX, eAX     66 makes eAX AX
 */
bool pv_port_fast(struct vcpu *v, struct regs *regs, const u8 *code)
{
	unsigned int prefix = code[0] == 0x66, opcode = code[prefix], bytes, port, length;

	if ((opcode & 0xf4) != 0xe4 || !pv_iopl_ok(v))
		return false;
	bytes = opcode & 1 ? (prefix ? 2 : 4) : 1;
	port = opcode & 8 ? (u16)regs->rdx : code[prefix + 1];
	length = prefix + (opcode & 8 ? 1 : 2);
	if (opcode & 2) {
		pv_io_write(v, port, bytes, (u32)regs->rax);
	} else {
		u32 val = pv_io_read(v, port, bytes);

		if (bytes == 4)
			regs->rax = val;
		else
			regs->rax = (regs->rax & (bytes == 1 ? ~0xffULL : ~0xffffULL)) | val;
	}
	regs->rip += length;
	regs->rflags &= ~X86_EFLAGS_RF;
	return true;
}
