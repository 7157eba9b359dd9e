/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling the service manager how a daemon fares. */
#ifndef OVLY_SERVICE_H
#define OVLY_SERVICE_H

/* sd_notify(3); nothing where no service manager listens. */
void service_notify(const char *state);

#endif /* OVLY_SERVICE_H */
