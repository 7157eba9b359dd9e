/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling the service manager how a daemon fares. */
#ifndef OVLY_SERVICE_H
#define OVLY_SERVICE_H

#include <stdint.h>

/* sd_notify(3); nothing where no service manager listens. */
void service_notify(const char *state);

/* Feeds the service manager's watchdog (WATCHDOG_USEC) when it is time to.
 * Returns the milliseconds until it is again, UINT64_MAX where there is none.
 */
uint64_t service_alive(void);

#endif /* OVLY_SERVICE_H */
