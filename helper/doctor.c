// SPDX-License-Identifier: GPL-2.0-only
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

static const struct doctor_check checks[] = {
	{ "module", check_module, NULL, true },
	{ "clock", check_clock, "the clock is right, as far as one can tell",
	  true },
	{ "charon", check_charon, "charon leaves routes and addresses alone",
	  true },
	{ "bird", check_bird, "no BIRD has a device's routing table", true },
	{ "device", check_device, "every device is up and has a peer", false },
	{ "rule", check_rule, "rules lead to the devices' tables, in time", false },
	{ "vrf", check_vrf, "nothing falls out of a VRF", false },
	{ "bridge", check_bridge, "the staging table is followed", false },
	{ "peers", check_peers, "every peer is up", false },
	{ "routes", check_routes, "every route is in its table", false },
	{ "underlay", check_underlay, "every endpoint can be reached", false },
	{ "mtu", check_mtu, "the underlay has room for the overlay's packets", false },
	{ "policies", check_plain_policy,
	  "no plain IPsec policy takes the overlay's packets", false },
	{ "if-id", check_if_id, "no XFRM interface has the if-id of a path", false },
	{ "nat", check_nat, "no NAT rule rewrites the overlay's packets", false },
	{ "rp-filter", check_rp_filter,
	  "reverse path filters are in nobody's way", false },
	{ "forwarding", check_forwarding, "packets are forwarded", false },
	{ "redirects", check_redirects, "no ICMP redirect is obeyed or sent", false },
};

void doctor_say(struct doctor *d, enum doctor_level level, const char *todo,
		const char *fmt, ...)
{
	static const char *const words[] = { "OK", "WARN", "FAIL" };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(d->findings,
		json_pack("{s:s, s:s, s:o, s:s?}", "check", d->check->name,
			  "level", words[level], "text", view_str(text),
			  "todo", todo));
	d->said++;
	if (level > d->worst)
		d->worst = level;
}

json_t *doctor_run(struct doctor *d)
{
	bool module = d->host->nl && d->host->nl->family;
	unsigned int i;

	d->findings = json_array();
	d->ops->daemons(d);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		d->check = &checks[i];
		d->said = 0;
		if (!module && !d->check->without_module)
			continue;
		d->check->run(d);
		if (!d->said && d->check->good)
			doctor_say(d, DOCTOR_OK, NULL, "%s", d->check->good);
	}
	return d->findings;
}

bool doctor_daemon_is_known(const char *name)
{
	static const char *const names[] = { "charon", "charon-systemd", "bird",
					     "bird6", "ovlyhelper", NULL };
	unsigned int i;

	for (i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

int doctor_sysctl(struct doctor *d, const char *fmt, ...)
{
	static const char base[] = "/proc/sys/net/";
	char path[160], value[16];
	va_list ap;

	strcpy(path, base);
	va_start(ap, fmt);
	vsnprintf(path + strlen(base), sizeof(path) - strlen(base), fmt, ap);
	va_end(ap);
	if (!d->host->ops->file(d->host, path, value, sizeof(value)))
		return -1;
	return atoi(value);
}

bool doctor_in_vrf(const struct doctor *d, const struct host_link *l)
{
	const struct host_link *master =
		l->link.master ? host_link(d->host, l->link.master) : NULL;

	return master && master->vrf_table;
}
