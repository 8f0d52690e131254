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

# The tools, in a guest. DESTDIR for packages.
install:
	install -D -m 755 tools/pvstat $(DESTDIR)/usr/sbin/pvstat
	install -D -m 644 tools/pvstat.8 $(DESTDIR)/usr/share/man/man8/pvstat.8
	install -D -m 644 tools/nic/pvnic.8 $(DESTDIR)/usr/share/man/man8/pvnic.8
	install -D -m 755 tools/nic/pvnic $(DESTDIR)/usr/sbin/pvnic
	install -D -m 644 tools/nic/90-pvnic.rules $(DESTDIR)/usr/lib/udev/rules.d/90-pvnic.rules
	install -D -m 644 tools/guest/90-pvkit-guest.conf $(DESTDIR)/usr/share/pvkit/90-pvkit-guest.conf
	install -D -m 644 tools/nic/pvnic@.service $(DESTDIR)/lib/systemd/system/pvnic@.service

.PHONY: all install hyp-stub modules modules_install clean check
