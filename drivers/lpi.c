// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts that the GIC delivers without the hypervisor (IO_IRQ in abi.h). To
 * Linux they are LPIs, which its GICv3 driver handles, but hands out only to an
 * ITS: so here is an interrupt domain on top of the GIC's, as an ITS has, whose
 * interrupts are the slots of the virtio bus and are directed by calls.
 */
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/irqchip/arm-gic-v3.h>

#include <pvkit/pvhyp.h>

#include "virtio_pv.h"

static struct irq_domain *domain;
static DEFINE_MUTEX(domain_mutex);

/* Direct a device's interrupt to @cpu; returns its INTID, 0: it has none. */
static u32 direct(const struct pv_dev *dev, int cpu)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(PV_FN_IO_IRQ, dev->slot, per_cpu_ptr(&pvhyp_cpus, cpu)->vcpu, 0, &res);
	return (long)res.a0 == PV_SUCCESS ? (u32)res.a1 : 0;
}

static bool back_to_the_wire(const struct pv_dev *dev)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(PV_FN_IO_IRQ, dev->slot, PV_IO_IRQ_WIRE, 0, &res);
	return (long)res.a0 == PV_SUCCESS;
}

/* There is nothing to mask it with, and no need: a device that is reset is silent. */
static void lpi_mask(struct irq_data *d)
{
}

static int lpi_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	int cpu = force ? cpumask_first(mask) : cpumask_any_and(mask, cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	if (!direct(irq_data_get_irq_chip_data(d), cpu))
		return -EIO;
	irq_data_update_effective_affinity(d, cpumask_of(cpu));
	return IRQ_SET_MASK_OK_DONE;
}

static struct irq_chip lpi_chip = {
	.name = "pvkit",
	.irq_mask = lpi_mask,
	.irq_unmask = lpi_mask,
	.irq_eoi = irq_chip_eoi_parent,
	.irq_set_affinity = lpi_set_affinity,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static int lpi_alloc(struct irq_domain *d, unsigned int virq, unsigned int n, void *arg)
{
	struct pv_dev *dev = arg;
	struct irq_fwspec parent = {
		.fwnode = d->parent->fwnode,
		.param_count = 3,
		.param = { GIC_IRQ_TYPE_LPI, dev->lpi_intid, IRQ_TYPE_EDGE_RISING },
	};
	int ret = irq_domain_alloc_irqs_parent(d, virq, 1, &parent);

	return ret ? ret : irq_domain_set_hwirq_and_chip(d, virq, dev->slot, &lpi_chip, dev);
}

static const struct irq_domain_ops lpi_ops = {
	.alloc = lpi_alloc,
	.free = irq_domain_free_irqs_common,
};

/* @wired: an interrupt of the GIC's, to find its domain by */
static bool have_domain(int wired)
{
	mutex_lock(&domain_mutex);
	if (!domain)
		domain = irq_domain_create_hierarchy(irq_get_irq_data(wired)->domain, 0, PV_IO_SLOTS,
						     NULL, &lpi_ops, NULL);
	mutex_unlock(&domain_mutex);
	return domain;
}

int pv_lpi_get(struct pv_dev *dev)
{
	int irq;

	dev->irq = dev->wired_irq;
	if (dev->lost || !(pvhyp_features() & PV_FEAT_LPI) || !have_domain(dev->wired_irq))
		return 0;
	dev->lpi_intid = direct(dev, raw_smp_processor_id());
	if (!dev->lpi_intid)
		return 0;
	irq = irq_domain_alloc_irqs(domain, 1, NUMA_NO_NODE, dev);
	if (irq > 0) {
		dev->irq = irq;
		return 0;
	}
	/* The device sends LPIs now, for which there is no handler. */
	dev_warn(&dev->pdev->dev, "its interrupt without exits cannot be used (%d)\n", irq);
	return back_to_the_wire(dev) ? 0 : -EIO;
}

void pv_lpi_put(struct pv_dev *dev)
{
	if (dev->irq != dev->wired_irq)
		irq_dispose_mapping(dev->irq);
	dev->irq = dev->wired_irq;
}

void pv_lpi_exit(void)
{
	if (domain)
		irq_domain_remove(domain);
}
