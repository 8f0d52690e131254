// SPDX-License-Identifier: GPL-2.0
/*
 * What became of the kicks, per queue, in debugfs: virtio_pv/DEVICE/queues. One
 * line per queue, values by name, all counted since the driver was bound:
 * asked: times that the driver kicked; sent: of these, by a NOTIFY; merged:
 * requests that came while a doorbell was rung, and that would else have been
 * kicks of their own; avoided: exits that were not made for a kick.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "virtio_pv.h"

static struct dentry *root;

static int queues_show(struct seq_file *m, void *unused)
{
	struct pv_dev *dev = m->private;
	int i, n, cpu;

	for (i = 0; i < dev->nr_vqs; i++) {
		const struct pv_io_queue *h = &dev->io->queue[i];
		u32 merged = READ_ONCE(h->chains) - READ_ONCE(h->drains);
		struct pv_vq_cpu sum = {};

		for_each_possible_cpu(cpu) {
			const struct pv_vq_cpu *c = per_cpu_ptr(dev->vqs[i]->cpu, cpu);

			sum.asked += READ_ONCE(c->asked);
			sum.sent += READ_ONCE(c->sent);
		}
		seq_printf(m, "queue=%d name=%s asked=%llu sent=%llu merged=%d avoided=%llu interrupts=%u drains=%u max_delay_ns=%llu delays=",
			   i, dev->vqs[i]->vq->name, sum.asked, sum.sent, max_t(s32, merged, 0),
			   sum.asked - min(sum.asked, sum.sent) + max_t(s32, merged, 0), READ_ONCE(h->events), READ_ONCE(h->drains),
			   READ_ONCE(h->delay_max_ns));
		for (n = 0; n < PV_IO_DELAYS; n++)
			seq_printf(m, n ? ",%u" : "%u", READ_ONCE(h->delays[n]));
		seq_putc(m, '\n');
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queues);

static int policy_show(struct seq_file *m, void *unused)
{
	struct pv_dev *dev = m->private;

	seq_printf(m, "policy=%s polling=%d\n", pv_policy_names[dev->policy], READ_ONCE(dev->io->polled));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(policy);

void pv_stats_add(struct pv_dev *dev)
{
	dev->debugfs = debugfs_create_dir(dev_name(&dev->vdev.dev), root);
	debugfs_create_file("queues", 0400, dev->debugfs, dev, &queues_fops);
	debugfs_create_file("policy", 0400, dev->debugfs, dev, &policy_fops);
}

void pv_stats_remove(struct pv_dev *dev)
{
	debugfs_remove_recursive(dev->debugfs);
	dev->debugfs = NULL;
}

void pv_stats_init(void)
{
	root = debugfs_create_dir("virtio_pv", NULL);
}

void pv_stats_exit(void)
{
	debugfs_remove_recursive(root);
}
