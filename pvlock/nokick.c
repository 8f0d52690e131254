// SPDX-License-Identifier: GPL-2.0
/* A deliberately broken hand-over, for pvlock_nokick.ko: the kick is lost. */
#include "pvlock.h"

void pvl_kick(int cpu)
{
	pvl_count(PVL_kick);
}
