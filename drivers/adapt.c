// SPDX-License-Identifier: GPL-2.0
/*
 * POLICY_ADAPTIVE: what pays depends on the load, so it is tried and measured.
 *
 * Deferring pays where several requests come before the next exit. It goes on
 * where one ring of the doorbell stands for WORTH_NUM / WORTH_DEN requests or
 * more, as seen over KEEP rings; else each kick is sent, and after RETRY kicks
 * it is tried again for TRY rings.
 *
 * Polling pays where it makes a busy device faster, or no slower, for it saves
 * all exits. Every WINDOW_MS the requests of a device are counted; at BUSY per
 * second it is polled for one window, and stays polled if that window had at
 * least NOT_SLOWER percent of the one before. Every HOLD windows, and then
 * twice as long each time, the other way is tried again. Below BUSY it ends.
 */
#include <pvkit/pvhyp.h>

#include "virtio_pv.h"

#define WORTH_NUM	3
#define WORTH_DEN	2
#define KEEP		16
#define TRY		4
#define RETRY		1024

#define WINDOW_MS	100
#define BUSY		2000
#define NOT_SLOWER	98
#define HOLD		10
#define HOLD_MAX	160
#define LOOK_KICKS	256		/* how many start the counting */

static void decide_to_defer(struct pv_vq *q, struct pv_vq_cpu *c, bool rang)
{
	u16 idx = READ_ONCE(q->avail->idx);

	c->chains += (u16)(idx - q->avail_idx);	/* other CPUs' too: it need not be exact */
	q->avail_idx = idx;
	if (!c->defer) {
		if (c->left--)
			return;
		c->defer = true;
		c->window = c->left = TRY;
		c->chains = 0;
	} else if (rang && !--c->left) {
		c->defer = c->chains * WORTH_DEN >= c->window * WORTH_NUM;
		c->window = KEEP;
		c->left = c->defer ? KEEP : RETRY;
		c->chains = 0;
	}
}

/* Requests of all queues since the last call. */
static u32 count(struct pv_dev *dev)
{
	u32 i, n = 0;

	for (i = 0; i < dev->nr_vqs; i++) {
		struct pv_vq *q = dev->vqs[i];
		u16 idx = READ_ONCE(q->avail->idx);

		n += (u16)(idx - q->counted);
		q->counted = idx;
	}
	return n;
}

static void window(struct work_struct *work)
{
	struct pv_adapt *a = container_of(work, struct pv_adapt, work.work);
	struct pv_dev *dev = container_of(a, struct pv_dev, adapt);
	u64 now = ktime_get_ns();
	u64 rate = div64_u64((u64)count(dev) * NSEC_PER_SEC, now - a->since + 1);
	bool was = dev->polled;

	a->since = now;
	if (READ_ONCE(dev->policy) != POLICY_ADAPTIVE || (rate < BUSY && !a->fresh)) {
		if (was && dev->policy == POLICY_ADAPTIVE)
			pv_poll(dev, false);
		WRITE_ONCE(a->counting, false);
		return;
	}
	if (a->fresh) {			/* began in the middle of something */
		a->fresh = false;
	} else if (a->trying) {		/* keep it, or go back */
		u64 polled = was ? rate : a->rate, not = was ? a->rate : rate;
		bool better = polled * 100 >= not * NOT_SLOWER;

		a->trying = false;
		a->hold = better == was ? HOLD : min(a->last_hold * 2, HOLD_MAX);
		a->last_hold = a->hold;
		if (better != was)
			pv_poll(dev, better);
	} else if (a->hold) {
		a->hold--;
	} else {
		a->trying = true;
		a->rate = rate;
		pv_poll(dev, !was);
	}
	schedule_delayed_work(&a->work, msecs_to_jiffies(WINDOW_MS));
}

void pv_adapt_kicked(struct pv_vq *q, struct pv_vq_cpu *c, bool rang)
{
	struct pv_adapt *a = &q->dev->adapt;

	decide_to_defer(q, c, rang);
	if (!(pvhyp_features() & PV_FEAT_POLL) || READ_ONCE(a->counting) || ++a->kicks < LOOK_KICKS)
		return;
	a->kicks = 0;
	a->fresh = true;
	WRITE_ONCE(a->counting, true);
	schedule_delayed_work(&a->work, msecs_to_jiffies(WINDOW_MS));
}

void pv_adapt_init(struct pv_dev *dev)
{
	INIT_DELAYED_WORK(&dev->adapt.work, window);
	dev->adapt.last_hold = HOLD;
}

void pv_adapt_stop(struct pv_dev *dev)
{
	cancel_delayed_work_sync(&dev->adapt.work);
	dev->adapt.trying = dev->adapt.counting = false;
	dev->adapt.hold = 0;
}
