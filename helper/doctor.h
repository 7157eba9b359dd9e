/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks of what breaks real deployments.  A check reads the host's state
 * (struct host) and what the readers below bring, and says what it finds; it
 * changes nothing.  Tests replace the readers.
 */
#ifndef OVLY_DOCTOR_H
#define OVLY_DOCTOR_H

#include <jansson.h>

#include "host.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

/* A daemon that runs in this network namespace. */
struct doctor_daemon {
	char name[16];
	char root[32]; /* its root directory, as seen from here */
	char args[1024]; /* a blank between two */
};

struct doctor;

struct doctor_ops {
	int64_t (*now)(void); /* seconds since 1970 */
	bool (*clock_synced)(void);
	/* Calls cb for each file that the pattern names, in order. */
	void (*glob)(const char *pattern,
		     void (*cb)(const char *path, void *arg), void *arg);
	/* The NAT rules as "nft -j list ruleset" prints them; NULL: unknown. */
	json_t *(*nft)(void);
	/* Adds the daemons that doctor_daemon_is_known() to d. */
	void (*daemons)(struct doctor *d);
};

#define DOCTOR_DAEMONS 32

struct doctor {
	struct host *host;
	const struct doctor_ops *ops;
	struct doctor_daemon daemon[DOCTOR_DAEMONS];
	unsigned int daemons;
	const struct doctor_check *check; /* that runs now */
	unsigned int said; /* findings of that check */
	json_t *findings; /* check, level, text, todo */
	enum doctor_level worst;
};

struct doctor_check {
	const char *name;
	void (*run)(struct doctor *d);
	const char *good; /* to say when it finds nothing */
	bool without_module; /* makes sense without it */
};

/* todo: what to do about it, NULL: nothing */
void doctor_say(struct doctor *d, enum doctor_level level, const char *todo,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Runs the checks; d->host and d->ops are set.  The findings are an array. */
json_t *doctor_run(struct doctor *d);

bool doctor_daemon_is_known(const char *name);
/* The value of a setting under /proc/sys/net/, -1: there is none. */
int doctor_sysctl(struct doctor *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Is the device in a VRF? */
bool doctor_in_vrf(const struct doctor *d, const struct host_link *l);

extern const struct doctor_ops doctor_ops;

/* doctor_net.c */
void check_device(struct doctor *d);
void check_rule(struct doctor *d);
void check_vrf(struct doctor *d);
void check_rp_filter(struct doctor *d);
void check_forwarding(struct doctor *d);
void check_redirects(struct doctor *d);
void check_underlay(struct doctor *d);
void check_mtu(struct doctor *d);
/* doctor_ipsec.c */
void check_plain_policy(struct doctor *d);
void check_if_id(struct doctor *d);
void check_peers(struct doctor *d);
void check_routes(struct doctor *d);
/* doctor_daemons.c */
void check_module(struct doctor *d);
void check_charon(struct doctor *d);
void check_bird(struct doctor *d);
void check_bridge(struct doctor *d);
void check_clock(struct doctor *d);
/* doctor_nat.c */
void check_nat(struct doctor *d);

#endif /* OVLY_DOCTOR_H */
