// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsystemd is loaded when it is needed and not linked: it would bring six
 * libraries into each start, and charon waits for every updown.
 */
#include "service.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "parse.h"

typedef int (*notify_fn)(int unset_environment, const char *state);

void service_notify(const char *state)
{
	static notify_fn notify;
	static int tried;

	if (!tried) {
		void *lib = NULL;

		tried = 1;
		if (getenv("NOTIFY_SOCKET"))
			lib = dlopen("libsystemd.so.0", RTLD_NOW);
		if (lib)
			notify = (notify_fn)dlsym(lib, "sd_notify");
	}
	if (notify)
		notify(0, state);
}

/* Half of what the manager waits, in milliseconds; 0: it has no watchdog. */
static uint64_t watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint32_t value;
	struct err e;

	if (!usec || !parse_u32(usec, 2000, UINT32_MAX, &value, &e))
		return 0;
	if (pid && strtol(pid, NULL, 10) != getpid())
		return 0;
	return value / 2000;
}

uint64_t service_alive(void)
{
	static uint64_t period = UINT64_MAX, next;
	uint64_t now;

	if (period == UINT64_MAX)
		period = watchdog_ms();
	if (!period)
		return UINT64_MAX;
	now = log_now_ms();
	if (now >= next) {
		service_notify("WATCHDOG=1");
		next = now + period;
	}
	return next - now;
}
