// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsystemd is loaded when it is needed and not linked: it would bring six
 * libraries into each start, and charon waits for every updown.
 */
#include "service.h"

#include <dlfcn.h>
#include <stdlib.h>

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
