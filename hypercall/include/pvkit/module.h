/* SPDX-License-Identifier: GPL-2.0 */
/* What modinfo says of each of our modules. */
#ifndef PVKIT_MODULE_H
#define PVKIT_MODULE_H

#include <linux/module.h>
#include <linux/stringify.h>

/* PVKIT_VERSION comes from Kbuild. */
#define PVKIT_MODULE(description)			\
	MODULE_LICENSE("GPL");				\
	MODULE_AUTHOR("pvkit developers");		\
	MODULE_VERSION(__stringify(PVKIT_VERSION));	\
	MODULE_DESCRIPTION("pvkit: " description)

#endif
