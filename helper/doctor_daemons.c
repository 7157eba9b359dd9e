// SPDX-License-Identifier: GPL-2.0-only
/* Checks of the module, of charon, BIRD and the bridge, and of the clock. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "doctor_conf.h"
#include "stage.h"

#ifndef OVLY_VERSION
#define OVLY_VERSION "unknown"
#endif

/* No host that runs this was built before 2026. */
#define CLOCK_MIN 1767225600

/* ---- module ---- */

/* The first two numbers tell what a release can do. */
static size_t release_len(const char *version)
{
	size_t n = strcspn(version, ".");

	return version[n] ? n + 1 + strcspn(version + n + 1, ".") : n;
}

void check_module(struct doctor *d)
{
	const char *own = OVLY_VERSION;
	char version[64];

	if (!d->host->nl || !d->host->nl->family) {
		doctor_say(d, DOCTOR_FAIL, "modprobe ovly; then see dmesg",
			   "the kernel module ovly is not loaded");
		return;
	}
	if (!host_module_version(d->host, version, sizeof(version))) {
		doctor_say(d, DOCTOR_WARN, "mount /sys",
			   "the module is loaded, its version cannot be read");
		return;
	}
	if (release_len(version) != release_len(own) ||
	    strncmp(version, own, release_len(own)))
		doctor_say(d, DOCTOR_WARN,
			   "install both from one release, then rmmod ovly and modprobe ovly",
			   "the module is %s, ovlyhelper is %s", version, own);
	else
		doctor_say(d, DOCTOR_OK, NULL,
			   "the module is %s, ovlyhelper is %s", version, own);
}

void check_clock(struct doctor *d)
{
	if (d->ops->now() < CLOCK_MIN)
		doctor_say(d, DOCTOR_FAIL,
			   "set it, for example: timedatectl set-ntp true",
			   "the clock is years behind: certificates are not valid yet");
	else if (!d->ops->clock_synced())
		doctor_say(d, DOCTOR_WARN,
			   "run an NTP client, for example: timedatectl set-ntp true",
			   "nothing keeps the clock right");
}

/* ---- charon ---- */

static const struct {
	const char *key;
	enum doctor_level level;
	const char *text;
} settings[] = {
	{ "install_routes", DOCTOR_FAIL,
	  "installs routes of its own into table 220, which is the module's" },
	{ "install_virtual_ip", DOCTOR_WARN,
	  "puts virtual addresses on a device of its own choice; they belong on the overlay's" },
	{ "process_route", DOCTOR_WARN,
	  "follows every change of a routing table: with many BGP routes it stalls" },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

struct charon {
	const char *name;
	bool no[SETTINGS]; /* switched off for all daemons */
	int own[SETTINGS]; /* for this one: 0 no, 1 yes, -1 not said */
};

static bool is_no(const char *value)
{
	return !strcmp(value, "no") || !strcmp(value, "0") ||
	       !strcmp(value, "false") || !strcmp(value, "disabled");
}

static void on_setting(const char *key, const char *value, void *arg)
{
	struct charon *c = arg;
	size_t len = strcspn(key, ".");
	unsigned int i;

	for (i = 0; key[len] && i < SETTINGS; i++) {
		if (strcmp(key + len + 1, settings[i].key))
			continue;
		if (len == strlen("charon") && !strncmp(key, "charon", len))
			c->no[i] = is_no(value);
		if (strlen(c->name) == len && !strncmp(key, c->name, len))
			c->own[i] = !is_no(value);
	}
}

static void judge_charon(struct doctor *d, const char *name, const char *root)
{
	struct charon c = { .name = name, .own = { -1, -1, -1 } };
	unsigned int i;
	char todo[160];

	conf_strongswan(d, root, "/etc/strongswan.conf", on_setting, &c);
	for (i = 0; i < SETTINGS; i++) {
		if (c.own[i] < 0 ? c.no[i] : !c.own[i])
			continue;
		snprintf(todo, sizeof(todo),
			 "%s = no in section %s of strongswan.conf, and restart it",
			 settings[i].key, name);
		doctor_say(d, settings[i].level, todo, "%s %s", name,
			   settings[i].text);
	}
}

void check_charon(struct doctor *d)
{
	unsigned int i, n = 0;
	char probe[8];

	for (i = 0; i < d->daemons; i++) {
		if (strncmp(d->daemon[i].name, "charon", 6))
			continue;
		judge_charon(d, d->daemon[i].name, d->daemon[i].root);
		n++;
	}
	if (n)
		return;
	/* not started yet: what is configured is what will be */
	if (d->host->ops->file(d->host, "/etc/strongswan.conf", probe,
			       sizeof(probe)))
		judge_charon(d, "charon-systemd", "");
	else
		doctor_say(d, DOCTOR_OK, NULL, "there is no charon here");
}

/* ---- BIRD ---- */

struct bird_tables {
	struct doctor *d;
	const char *file;
};

static void on_bird_table(uint32_t table, void *arg)
{
	struct bird_tables *b = arg;
	struct doctor *d = b->d;
	unsigned int i;
	char todo[160];

	for (i = 0; i < d->host->devs; i++)
		if (d->host->dev[i].dev.active_table == table)
			break;
	/* it is the module's even before there is a device */
	if (i == d->host->devs && table != OVLY_TABLE_DEFAULT)
		return;
	snprintf(todo, sizeof(todo),
		 "kernel table %u there, and run ovlyhelper bridge",
		 STAGE_TABLE_DEFAULT);
	doctor_say(d, DOCTOR_FAIL, todo,
		   "a kernel protocol of %s has table %u: BIRD removes the routes it did not put there",
		   b->file, table);
}

/* The file after "-c", or the default one. */
static void bird_file(const struct doctor_daemon *daemon, char *out,
		      size_t size)
{
	const char *c = strstr(daemon->args, " -c");

	snprintf(out, size, "/etc/bird/%s.conf", daemon->name);
	if (!c)
		return;
	c += 3 + strspn(c + 3, " ");
	snprintf(out, size, "%.*s", (int)strcspn(c, " "), c);
}

void check_bird(struct doctor *d)
{
	static const struct doctor_daemon idle = { .name = "bird" };
	struct bird_tables b = { .d = d };
	unsigned int i, n = 0;
	char file[256];

	for (i = 0; i < d->daemons; i++) {
		if (strncmp(d->daemon[i].name, "bird", 4))
			continue;
		n++;
		bird_file(&d->daemon[i], file, sizeof(file));
		b.file = file;
		if (!conf_bird(d, d->daemon[i].root, file, on_bird_table, &b))
			doctor_say(d, DOCTOR_WARN, "look at it yourself",
				   "the configuration of BIRD, %s, cannot be read",
				   file);
	}
	if (n)
		return;
	bird_file(&idle, file, sizeof(file));
	b.file = file;
	if (!conf_bird(d, "", file, on_bird_table, &b))
		doctor_say(d, DOCTOR_OK, NULL, "there is no BIRD here");
}

/* ---- bridge ---- */

/* The staging table that a bridge follows, 0: it is no bridge. */
static uint32_t bridge_table(const struct doctor_daemon *daemon)
{
	const char *s;

	if (strcmp(daemon->name, "ovlyhelper") ||
	    !strstr(daemon->args, " bridge"))
		return 0;
	s = strstr(daemon->args, "from-table");
	if (!s)
		return STAGE_TABLE_DEFAULT;
	s += strlen("from-table");
	return (uint32_t)strtoul(s + strspn(s, " ="), NULL, 0);
}

static void on_staged(const struct host_route *route, void *arg)
{
	unsigned int *n = arg;

	*n += route->type == RTN_UNICAST;
}

void check_bridge(struct doctor *d)
{
	unsigned int i, n = 0;

	for (i = 0; i < d->daemons; i++) {
		uint32_t table = bridge_table(&d->daemon[i]);

		if (!table)
			continue;
		doctor_say(d, DOCTOR_OK, NULL, "a bridge follows table %u",
			   table);
		return;
	}
	d->host->ops->routes(d->host, STAGE_TABLE_DEFAULT, on_staged, &n);
	if (n)
		doctor_say(d, DOCTOR_FAIL, "systemctl start ovly-bridge",
			   "table %u has %u routes, and no bridge takes them to the module",
			   STAGE_TABLE_DEFAULT, n);
	else
		doctor_say(d, DOCTOR_OK, NULL,
			   "table %u is empty, and there is no bridge",
			   STAGE_TABLE_DEFAULT);
}
