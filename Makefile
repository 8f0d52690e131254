# SPDX-License-Identifier: GPL-2.0
# In a guest: make modules, for the running kernel. The rest is ./pvkit.
KDIR ?= /lib/modules/$(shell uname -r)/build

all: hyp-stub modules

hyp-stub:
	./pvkit build

modules modules_install clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

check:
	./pvkit check

.PHONY: all hyp-stub modules modules_install clean check
