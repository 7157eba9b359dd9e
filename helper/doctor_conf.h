/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Just enough of the configuration files of strongSwan and BIRD to tell
 * whether they are in the overlay's way.  Files are read as the daemon sees
 * them: below its root directory.
 */
#ifndef OVLY_DOCTOR_CONF_H
#define OVLY_DOCTOR_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doctor;

/* Called for each "section.section.key" with its value. */
typedef void (*conf_cb)(const char *key, const char *value, void *arg);
/* Reads a strongswan.conf and what it includes; false: there is none. */
bool conf_strongswan(struct doctor *d, const char *root, const char *file,
		     conf_cb cb, void *arg);

/* Called for each kernel table of a protocol that is not disabled. */
typedef void (*conf_table_cb)(uint32_t table, void *arg);
bool conf_bird(struct doctor *d, const char *root, const char *file,
	       conf_table_cb cb, void *arg);

#endif /* OVLY_DOCTOR_CONF_H */
