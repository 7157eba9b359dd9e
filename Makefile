# SPDX-License-Identifier: GPL-2.0
#
# The module is built out of tree against installed kernel headers (see Kbuild),
# the helper beside it. Tests, demo and checks are selftests/run's.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=

# Passed on to what calls the lab: V=1 shows everything, SHELL_IN=branch or
# SHELL_IN=hub leaves the demo's user in a shell.
export V SHELL_IN

RUN := sh selftests/run

all: module helper

# Kbuild gives no clear word when there are no headers.
headers:
	@test -f "$(KDIR)/Makefile" || { \
		echo "There are no kernel headers in $(KDIR)." >&2; \
		echo "Install them (apt-get install linux-headers-$(KVER)), or name others: make KVER=... or make KDIR=..." >&2; \
		exit 1; }

module: headers
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" modules

helper:
	$(MAKE) -C helper all

# modules_install puts the module where KDIR's release looks; DESTDIR is for
# packages, whose own scripts run depmod.
install: install-module install-helper

install-module: headers
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" INSTALL_MOD_PATH="$(DESTDIR)" modules_install
	$(if $(DESTDIR),,depmod -a "$$($(MAKE) -s -C "$(KDIR)" kernelrelease)")

install-helper:
	$(MAKE) -C helper install DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)"
	install -D -m 644 uapi/linux/ovly.h "$(DESTDIR)$(PREFIX)/include/linux/ovly.h"
	install -D -m 644 dist/rt_protos.d/ovly.conf "$(DESTDIR)$(SYSCONFDIR)/iproute2/rt_protos.d/ovly.conf"

# The module may be in the trees of several kernels: which, is not known here.
uninstall:
	$(MAKE) -C helper uninstall DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)"
	rm -f "$(DESTDIR)$(PREFIX)/include/linux/ovly.h" \
		"$(DESTDIR)$(SYSCONFDIR)/iproute2/rt_protos.d/ovly.conf"
	@echo 'The module, if it was installed: rm "$$(modinfo -n ovly)"; depmod -a'

demo check style kunit setup:
	@$(RUN) $@

check-debug:
	@$(RUN) $@ $(NAME)

clean:
	@if test -f "$(KDIR)/Makefile"; then \
		$(MAKE) -C "$(KDIR)" M="$(CURDIR)" clean; fi
	$(MAKE) -C helper clean

help:
	@echo "make                  the module and the helper"
	@echo "make install          puts both in place (DESTDIR=, PREFIX=$(PREFIX))"
	@echo "make uninstall        takes the helper away again (the same variables)"
	@echo "make demo             the reference scenario in a guest; SHELL_IN=branch|hub for a shell there"
	@echo "make check            all tests"
	@echo "make check-debug      module tests in a kernel that finds leaks, races of locks, memory errors"
	@echo "                      (NAME=all, or names of selftests)"
	@echo "make style            all style gates"
	@echo "make kunit            the module's unit tests"
	@echo "make clean"
	@echo "KVER=$(KVER) or KDIR=... names the kernel headers to build against"

.PHONY: all headers module helper install install-module install-helper uninstall
.PHONY: demo check check-debug style kunit setup clean help
