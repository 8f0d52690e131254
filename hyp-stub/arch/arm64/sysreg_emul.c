// SPDX-License-Identifier: GPL-2.0
/*
 * Trapped system registers, by encoding. Sending SGIs comes first: it is what
 * guests do most.
 */
#include "arch/arm64/sysreg.h"
#include "arch/arm64/trap.h"

/* The encoding fields of the trap's syndrome (ISS for EC 0x18). */
#define ENC(op0, op1, crn, crm, op2) \
	((u64)(op0) << 20 | (u64)(op2) << 17 | (u64)(op1) << 14 | (u64)(crn) << 10 | (u64)(crm) << 1)
#define ENC_MASK	ENC(3, 7, 15, 15, 7)
#define RT(esr)		((unsigned int)((esr) >> 5) & 31)
#define CRM(esr)	((unsigned int)((esr) >> 1) & 15)
#define OP2(esr)	((unsigned int)((esr) >> 17) & 7)

#define ICC_SGI1R	ENC(3, 0, 12, 11, 5)
#define ICC_ASGI1R	ENC(3, 0, 12, 11, 6)
#define ICC_SGI0R	ENC(3, 0, 12, 11, 7)
#define ICC_PMR		ENC(3, 0, 4, 6, 0)
#define ICC_DIR		ENC(3, 0, 12, 11, 1)
#define ICC_RPR		ENC(3, 0, 12, 11, 3)
#define ICC_CTLR	ENC(3, 0, 12, 12, 4)
#define ID_GROUP	ENC(3, 0, 0, 0, 0)
#define ID_GROUP_MASK	ENC(3, 7, 15, 0, 0)
#define CNTP_TVAL	ENC(3, 3, 14, 2, 0)
#define CNTP_CTL	ENC(3, 3, 14, 2, 1)
#define CNTP_CVAL	ENC(3, 3, 14, 2, 2)
#define ACTLR		ENC(3, 0, 1, 0, 1)
#define DC_ISW		ENC(1, 0, 7, 6, 2)
#define DC_CSW		ENC(1, 0, 7, 10, 2)
#define DC_CISW		ENC(1, 0, 7, 14, 2)
#define MDSCR		ENC(2, 0, 0, 2, 2)
#define OSLSR		ENC(2, 0, 1, 1, 4)
#define MDCCINT		ENC(2, 0, 0, 2, 0)
#define OSDTRRX		ENC(2, 0, 0, 0, 2)
#define OSDTRTX		ENC(2, 0, 0, 3, 2)
#define OSECCR		ENC(2, 0, 0, 6, 2)
#define MDRAR		ENC(2, 0, 1, 0, 0)
#define OSLAR		ENC(2, 0, 1, 0, 4)
#define OSDLR		ENC(2, 0, 1, 3, 4)
#define DBGPRCR		ENC(2, 0, 1, 4, 4)
#define DBGCLAIMSET	ENC(2, 0, 7, 8, 6)
#define DBGCLAIMCLR	ENC(2, 0, 7, 9, 6)
#define DBGAUTHSTATUS	ENC(2, 0, 7, 14, 6)
#define DBG_GROUP	ENC(2, 0, 0, 0, 4)	/* DBG{B,W}{V,C}R<n>: op2 4-7, CRm n */
#define DBG_GROUP_MASK	ENC(3, 7, 15, 0, 4)
#define MDSCR_GUEST	(SBIT(0) | SBIT(12) | SBIT(13) | SBIT(15))	/* SS, TDCC, KDE, MDE */
#define OSLSR_VALUE	0x8			/* OS lock implemented, not locked */

static u64 get_reg(struct vcpu *v, unsigned int rt)
{
	return rt == 31 ? 0 : v->regs.x[rt];
}

static void set_reg(struct vcpu *v, unsigned int rt, u64 value)
{
	if (rt != 31)
		v->regs.x[rt] = value;
}

/* Breakpoints and watchpoints do not exist: they read as zero. */
static bool debug_emulate(struct vcpu *v, u64 enc, bool read, unsigned int rt)
{
	u64 value = 0;

	switch (enc) {
	case MDSCR:
		if (!read)
			write_sysreg(get_reg(v, rt) & MDSCR_GUEST, mdscr_el1);
		value = read_sysreg(mdscr_el1);
		break;
	case OSLSR:
		value = OSLSR_VALUE;
		break;
	case MDCCINT:
	case OSDTRRX:
	case OSDTRTX:
	case OSECCR:
	case MDRAR:
	case OSLAR:
	case OSDLR:
	case DBGPRCR:
	case DBGCLAIMSET:
	case DBGCLAIMCLR:
	case DBGAUTHSTATUS:
		break;
	default:
		if ((enc & DBG_GROUP_MASK) != DBG_GROUP)
			return false;
	}
	if (read)
		set_reg(v, rt, value);
	return true;
}

static bool timer_emulate(struct vcpu *v, u64 enc, bool read, unsigned int rt)
{
	u32 reg = enc == CNTP_TVAL ? PTIMER_TVAL : enc == CNTP_CTL ? PTIMER_CTL : PTIMER_CVAL;

	if (read)
		set_reg(v, rt, ptimer_read(v, reg));
	else
		ptimer_write(v, reg, get_reg(v, rt));
	return true;
}

/* Registers of the CPU interface that are trapped together with ICC_SGI1R. */
static bool own_cpu_interface(struct vcpu *v, u64 enc, bool read, unsigned int rt)
{
	switch (enc) {
	case ICC_PMR:
		if (read)
			set_reg(v, rt, read_sysreg(icc_pmr_el1));
		else
			write_sysreg(get_reg(v, rt), icc_pmr_el1);
		return true;
	case ICC_CTLR:
		if (read)
			set_reg(v, rt, read_sysreg(icc_ctlr_el1));
		else
			write_sysreg(get_reg(v, rt) & ICC_CTLR_EOIMODE, icc_ctlr_el1);
		return true;
	case ICC_DIR:
		if (!read)
			write_sysreg(get_reg(v, rt), icc_dir_el1);
		return !read;
	case ICC_RPR:
		if (read)
			set_reg(v, rt, read_sysreg(icc_rpr_el1));
		return read;
	}
	return false;
}

bool sysreg_emulate(struct vcpu *v, u64 esr)
{
	bool read = esr & ESR_SYS_READ;
	u64 enc = esr & ENC_MASK;
	unsigned int rt = RT(esr);

	if ((enc == ICC_SGI1R || enc == ICC_SGI0R || enc == ICC_ASGI1R) && !read) {
		v->exits[PV_EXIT_SYSREG_SGI]++;
		vgic_send_sgi(v, get_reg(v, rt), enc == ICC_SGI1R);
		return true;
	}
	if ((enc & ID_GROUP_MASK) == ID_GROUP && read) {
		v->exits[PV_EXIT_SYSREG_ID]++;
		set_reg(v, rt, idreg_read(CRM(esr), OP2(esr)));
		return true;
	}
	v->exits[PV_EXIT_SYSREG]++;
	if (v->vm->partitioned && own_cpu_interface(v, enc, read, rt))
		return true;
	switch (enc) {
	case CNTP_TVAL:
	case CNTP_CTL:
	case CNTP_CVAL:
		return timer_emulate(v, enc, read, rt);
	case ACTLR:
		if (read)
			set_reg(v, rt, 0);
		return true;
	case DC_ISW:		/* set/way means nothing to a guest whose memory is coherent */
	case DC_CSW:
	case DC_CISW:
		return !read;
	}
	if (enc >> 20 == 2)
		return debug_emulate(v, enc, read, rt);
	return false;
}
