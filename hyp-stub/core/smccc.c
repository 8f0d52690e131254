// SPDX-License-Identifier: GPL-2.0
/*
 * Standard services over SMCCC: its own discovery (DEN0028), stolen time
 * (DEN0057A), random numbers (DEN0098), and the vendor-specific UID.
 */
#include "core/core.h"

#define SMCCC_1_1		0x00010001
#define ARCH_FEATURES		0x80000001U
#define PV_TIME_FEATURES	0xC5000020U
#define PV_TIME_ST		0xC5000021U
#define TRNG_VERSION		0x84000050U
#define TRNG_FEATURES		0x84000051U
#define TRNG_GET_UUID		0x84000052U
#define TRNG_RND32		0x84000053U
#define TRNG_RND64		0xC4000053U
#define TRNG_1_0		0x00010000
#define TRNG_INVALID		(-2)
#define TRNG_NO_ENTROPY		(-3)

/* DEN0057A 4.1: one structure per vCPU, 64 bytes apart. */
struct pvtime_stolen {
	u32 revision;
	u32 attributes;
	u64 stolen_ns;
	u8 pad[48];
};

void pvtime_update(struct vcpu *v)
{
	struct pvtime_stolen *s = (struct pvtime_stolen *)v->vm->pvtime + v->id;

	WRITE_ONCE(s->stolen_ns, ticks_to_ns(v->steal));
}

static s64 arch_features(u32 fn)
{
	switch (fn) {
	case SMCCC_VERSION:
	case ARCH_FEATURES:
	case PV_TIME_FEATURES:
		return 0;
	}
	return PV_ENOTSUPP;
}

static void trng(struct vcpu *v, bool wide)
{
	u64 *x = v->regs.x, bits = x[1], words[3] = { 0 };
	u64 per = wide ? 64 : 32;

	if (!bits || bits > 3 * per) {
		x[0] = (u64)TRNG_INVALID;
		x[1] = x[2] = x[3] = 0;
		return;
	}
	for (u64 i = 0; i * per < bits; i++) {
		u64 left = bits - i * per;

		if (!arch_random(&words[i])) {
			x[0] = (u64)TRNG_NO_ENTROPY;
			x[1] = x[2] = x[3] = 0;
			return;
		}
		if (left < 64)
			words[i] &= BIT(left) - 1;
		if (!wide)
			words[i] &= 0xffffffffULL;
	}
	x[0] = 0;
	x[3] = words[0];	/* least significant last (DEN0098 2.3) */
	x[2] = words[1];
	x[1] = words[2];
}

static void our_uid(u64 *x)
{
	x[0] = PV_UID_0;
	x[1] = PV_UID_1;
	x[2] = PV_UID_2;
	x[3] = PV_UID_3;
}

static bool trng_call(struct vcpu *v, u32 fn)
{
	u64 *x = v->regs.x, ignored;

	if (fn < TRNG_VERSION || (fn > TRNG_RND32 && fn != TRNG_RND64))
		return false;
	if (!arch_random(&ignored))
		return false;		/* no source of entropy: not offered */
	switch (fn) {
	case TRNG_VERSION:
		x[0] = TRNG_1_0;
		break;
	case TRNG_FEATURES:
		x[0] = (u32)x[1] >= TRNG_VERSION && ((u32)x[1] <= TRNG_RND32 || (u32)x[1] == TRNG_RND64) ?
			0 : (u64)PV_ENOTSUPP;
		break;
	case TRNG_GET_UUID:
		our_uid(x);
		break;
	default:
		trng(v, fn == TRNG_RND64);
	}
	return true;
}

bool smccc_service(struct vcpu *v, u32 fn)
{
	u64 *x = v->regs.x;

	switch (fn) {
	case SMCCC_VERSION:
		x[0] = SMCCC_1_1;
		return true;
	case ARCH_FEATURES:
		x[0] = (u64)arch_features((u32)x[1]);
		return true;
	case PV_FN_UID:
		our_uid(x);
		return true;
	case PV_TIME_FEATURES:
		x[0] = (u32)x[1] == PV_TIME_FEATURES || (u32)x[1] == PV_TIME_ST ? 0 :
			(u64)PV_ENOTSUPP;
		return true;
	case PV_TIME_ST:
		x[0] = v->vm->pvtime_ipa + v->id * sizeof(struct pvtime_stolen);
		return true;
	}
	return trng_call(v, fn);
}
