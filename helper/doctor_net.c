// SPDX-License-Identifier: GPL-2.0-only
/* Checks of devices, rules, routing and the underlay. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "parse.h"

/* Outer header, UDP, ESP with IV, padding and ICV: about this many bytes. */
#define OVERHEAD 100
#define IPV6_MIN_MTU 1280
/* What a list of equal findings is cut to. */
#define SHOWN 5

void check_device(struct doctor *d)
{
	unsigned int i;
	char todo[160];

	if (!d->host->devs)
		doctor_say(d, DOCTOR_WARN,
			   "start the tunnel, or ovlyhelper dev add NAME",
			   "there is no ovly device");
	for (i = 0; i < d->host->devs; i++) {
		const struct ovly_msg *dev = &d->host->dev[i];
		const struct host_link *l = host_link(d->host, dev->ifindex);

		if (!l)
			continue;
		if (!(l->link.flags & IFF_UP)) {
			snprintf(todo, sizeof(todo), "ip link set %s up",
				 l->link.name);
			doctor_say(d, DOCTOR_FAIL, todo,
				   "%s is down: its routes and its rule are gone, and packets take other ways",
				   l->link.name);
		} else if (!dev->dev.peers) {
			doctor_say(d, DOCTOR_WARN,
				   "start the tunnel, or ovlyhelper peer add NAME",
				   "%s has no peer", l->link.name);
		}
	}
}

/* ---- rules ---- */

static bool is_overlay_table(const struct doctor *d, uint32_t table)
{
	unsigned int i;

	for (i = 0; i < d->host->devs; i++)
		if (d->host->dev[i].dev.active_table == table)
			return true;
	return false;
}

static bool is_for_all(const struct host_rule *r)
{
	return !r->src.len && !r->dst.len && !r->iifname[0] && !r->oifname[0] &&
	       !r->mask && !r->invert && !r->l3mdev && !r->narrow;
}

/* A rule before ours that takes packets away. */
static void judge_earlier(struct doctor *d, const struct host_rule *r,
			  uint32_t table)
{
	struct ovly_addr any = { .family = r->family };
	const char *six = r->family == AF_INET6 ? "-6 " : "";
	struct host_route route;
	char todo[160];
	bool all;

	if (!is_for_all(r) || r->table == RT_TABLE_LOCAL ||
	    is_overlay_table(d, r->table))
		return;
	if (r->action != FR_ACT_TO_TBL && r->action != FR_ACT_BLACKHOLE &&
	    r->action != FR_ACT_UNREACHABLE && r->action != FR_ACT_PROHIBIT)
		return;
	all = r->action != FR_ACT_TO_TBL ||
	      (r->suppress < 0 &&
	       d->host->ops->longest(d->host, r->table, &any, &route) &&
	       route.type != RTN_THROW);
	snprintf(todo, sizeof(todo), "ip %srule del pref %u, or give it a pref over %u",
		 six, r->pref, OVLY_RULE_PREF);
	doctor_say(d, all ? DOCTOR_FAIL : DOCTOR_WARN, todo,
		   "IPv%c rule %u comes before table %u: %s it has a route to never enters the overlay",
		   r->family == AF_INET ? '4' : '6', r->pref, table,
		   all ? "everything" : "what");
}

static const struct host_rule *find_rule(const struct doctor *d,
					 uint32_t table, uint8_t family,
					 bool *any)
{
	unsigned int i;

	*any = false;
	for (i = 0; i < d->host->rules; i++) {
		const struct host_rule *r = &d->host->rule[i];

		if (r->family != family)
			continue;
		*any = true;
		if (r->action == FR_ACT_TO_TBL && r->table == table &&
		    is_for_all(r))
			return r;
	}
	return NULL;
}

static void judge_rules(struct doctor *d, const struct host_link *l,
			uint32_t table, uint8_t family)
{
	const struct host_rule *ours, *r;
	char todo[160];
	bool any;

	ours = find_rule(d, table, family, &any);
	if (ours) {
		for (r = d->host->rule; r < ours; r++)
			if (r->family == family)
				judge_earlier(d, r, table);
		return;
	}
	/* a kernel without that family */
	if (!any)
		return;
	snprintf(todo, sizeof(todo), "ip link set %s down; ip link set %s up",
		 l->link.name, l->link.name);
	doctor_say(d, DOCTOR_FAIL, todo,
		   "no IPv%c rule leads to table %u of %s: its routes are not used",
		   family == AF_INET ? '4' : '6', table, l->link.name);
}

void check_rule(struct doctor *d)
{
	unsigned int i, k;

	for (i = 0; i < d->host->devs; i++) {
		uint32_t table = d->host->dev[i].dev.active_table;
		const struct host_link *l =
			host_link(d->host, d->host->dev[i].ifindex);

		/* check_device tells of a device that is down */
		if (!l || !(l->link.flags & IFF_UP) || doctor_in_vrf(d, l))
			continue;
		/* two devices of one table: one finding */
		for (k = 0; k < i; k++)
			if (d->host->dev[k].dev.active_table == table)
				break;
		if (k < i)
			continue;
		judge_rules(d, l, table, AF_INET);
		judge_rules(d, l, table, AF_INET6);
	}
}

/* IPv6 where a peer of the device has an address of it. */
static bool carries(const struct doctor *d, uint32_t ifindex, uint8_t family)
{
	unsigned int i, k;

	if (family == AF_INET)
		return true;
	for (i = 0; i < d->host->peers; i++) {
		const struct ovly_msg *msg = &d->host->peer[i];

		for (k = 0; msg->ifindex == ifindex && k < msg->peer.addr.n; k++)
			if (msg->peer.addr.a[k].family == family)
				return true;
	}
	return false;
}

static void judge_vrf(struct doctor *d, const struct ovly_msg *dev,
		      uint8_t family)
{
	const struct host_link *l = host_link(d->host, dev->ifindex);
	const struct ovly_addr any = { .family = family };
	const char *six = family == AF_INET6 ? "-6 " : "";
	uint32_t table = dev->dev.active_table;
	struct host_route route;
	char todo[160];

	if (!l || !doctor_in_vrf(d, l) || !carries(d, dev->ifindex, family) ||
	    d->host->ops->longest(d->host, table, &any, &route))
		return;
	snprintf(todo, sizeof(todo),
		 "ip %sroute add table %u unreachable default metric 4278198272",
		 six, table);
	doctor_say(d, DOCTOR_WARN, todo,
		   "the VRF of %s has no IPv%c default route: what table %u does not know may leave in clear by another table",
		   l->link.name, family == AF_INET6 ? '6' : '4', table);
}

void check_vrf(struct doctor *d)
{
	unsigned int i;

	for (i = 0; i < d->host->devs; i++) {
		judge_vrf(d, &d->host->dev[i], AF_INET);
		judge_vrf(d, &d->host->dev[i], AF_INET6);
	}
}

/* ---- sysctl ---- */

static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int rp_filter(struct doctor *d, const char *dev)
{
	return worse(doctor_sysctl(d, "ipv4/conf/all/rp_filter"),
		     doctor_sysctl(d, "ipv4/conf/%s/rp_filter", dev));
}

/* A strict underlay drops IKE and ESP that arrive where no answer would leave. */
static void judge_strict_underlay(struct doctor *d,
				  const struct ovly_path *path)
{
	const struct host_flow flow = { .dst = path->endpoint };
	struct host_route hop, match;
	char name[IFNAMSIZ], addr[ADDR_STRLEN], todo[160];

	if (!path->underlay || path->endpoint.family != AF_INET ||
	    rp_filter(d, host_link_name(d->host, path->underlay, name)) != 1 ||
	    d->host->ops->route(d->host, &flow, &hop, &match) ||
	    hop.oif == path->underlay)
		return;
	snprintf(todo, sizeof(todo), "sysctl -w net.ipv4.conf.%s.rp_filter=2",
		 name);
	doctor_say(d, DOCTOR_FAIL, todo,
		   "rp_filter of %s is strict, and the route to %s does not lead there: what comes from it is dropped",
		   name, addr_str(&path->endpoint, addr));
}

void check_rp_filter(struct doctor *d)
{
	char name[IFNAMSIZ], todo[160];
	unsigned int i;

	for (i = 0; i < d->host->devs; i++) {
		host_link_name(d->host, d->host->dev[i].ifindex, name);
		if (rp_filter(d, name) != 1)
			continue;
		snprintf(todo, sizeof(todo),
			 "sysctl -w net.ipv4.conf.%s.rp_filter=2, or 0 also for \"all\"",
			 name);
		doctor_say(d, DOCTOR_WARN, todo,
			   "rp_filter of %s is strict: ovly validates sources itself, and packets that come another way than they go are lost",
			   name);
	}
	for (i = 0; i < d->host->paths; i++)
		judge_strict_underlay(d, &d->host->path[i].path);
}

static void on_six(const struct ovly_msg *msg, void *arg)
{
	if (msg->route.dst.family == AF_INET6)
		*(bool *)arg = true;
}

void check_forwarding(struct doctor *d)
{
	char name[IFNAMSIZ], todo[160];
	bool six = false;
	unsigned int i;

	if (!d->host->devs)
		return;
	if (!doctor_sysctl(d, "ipv4/ip_forward"))
		doctor_say(d, DOCTOR_WARN,
			   "sysctl -w net.ipv4.ip_forward=1, unless this host has no LAN to serve",
			   "IPv4 forwarding is off: only this host itself uses the overlay");
	d->host->ops->owned(d->host, on_six, &six);
	if (six && !doctor_sysctl(d, "ipv6/conf/all/forwarding"))
		doctor_say(d, DOCTOR_WARN,
			   "sysctl -w net.ipv6.conf.all.forwarding=1, unless this host has no LAN to serve",
			   "IPv6 forwarding is off: only this host itself uses the overlay");
	for (i = 0; i < d->host->devs; i++) {
		host_link_name(d->host, d->host->dev[i].ifindex, name);
		if (doctor_sysctl(d, "ipv4/ip_forward") != 1 ||
		    doctor_sysctl(d, "ipv4/conf/%s/forwarding", name))
			continue;
		snprintf(todo, sizeof(todo),
			 "sysctl -w net.ipv4.conf.%s.forwarding=1", name);
		doctor_say(d, DOCTOR_WARN, todo,
			   "what comes from %s is not forwarded", name);
	}
}

static void judge_accepted(struct doctor *d, uint32_t ifindex)
{
	char name[IFNAMSIZ], todo[160];
	int all, own;

	host_link_name(d->host, ifindex, name);
	all = doctor_sysctl(d, "ipv4/conf/all/accept_redirects");
	own = doctor_sysctl(d, "ipv4/conf/%s/accept_redirects", name);
	/* a router needs both, a host either */
	if (doctor_sysctl(d, "ipv4/conf/%s/forwarding", name) == 1 ?
		    all < 1 || own < 1 : all < 1 && own < 1)
		return;
	snprintf(todo, sizeof(todo),
		 "sysctl -w net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.%s.accept_redirects=0",
		 name);
	doctor_say(d, DOCTOR_WARN, todo,
		   "ICMP redirects are obeyed on %s: anybody there can turn packets away",
		   name);
}

void check_redirects(struct doctor *d)
{
	char name[IFNAMSIZ], todo[160];
	unsigned int i, k;

	for (i = 0; i < d->host->devs; i++) {
		judge_accepted(d, d->host->dev[i].ifindex);
		host_link_name(d->host, d->host->dev[i].ifindex, name);
		if (d->host->dev[i].dev.mode != OVLY_MODE_MULTIPOINT ||
		    (doctor_sysctl(d, "ipv4/conf/all/send_redirects") < 1 &&
		     doctor_sysctl(d, "ipv4/conf/%s/send_redirects", name) < 1))
			continue;
		snprintf(todo, sizeof(todo),
			 "sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.%s.send_redirects=0",
			 name);
		doctor_say(d, DOCTOR_WARN, todo,
			   "ICMP redirects are sent on %s: branches are told to go where they cannot",
			   name);
	}
	for (i = 0; i < d->host->paths; i++) {
		uint32_t underlay = d->host->path[i].path.underlay;

		for (k = 0; k < i; k++)
			if (d->host->path[k].path.underlay == underlay)
				break;
		if (k == i && host_link(d->host, underlay))
			judge_accepted(d, underlay);
	}
}

/* ---- underlay ---- */

/* The device that outer packets of a path leave by. */
static int outer_hop(struct doctor *d, const struct ovly_path *path,
		     struct host_route *hop)
{
	const struct host_flow flow = { .dst = path->endpoint,
					.oif = path->underlay };
	struct host_route match;

	return d->host->ops->route(d->host, &flow, hop, &match);
}

void check_underlay(struct doctor *d)
{
	char addr[ADDR_STRLEN], name[IFNAMSIZ];
	struct host_route hop;
	unsigned int i, n = 0;

	for (i = 0; i < d->host->paths && n < SHOWN; i++) {
		const struct ovly_path *path = &d->host->path[i].path;
		int error;

		if (!path->endpoint.family)
			continue;
		addr_str(&path->endpoint, addr);
		error = outer_hop(d, path, &hop);
		if (!error && hop.guessed)
			error = ENETUNREACH;
		if (error) {
			doctor_say(d, DOCTOR_FAIL,
				   "see ip route, and whether the WAN device is up",
				   "path %u has no route to its endpoint %s: %s",
				   path->if_id_in, addr, strerror(error));
			n++;
		} else if (host_dev(d->host, hop.oif)) {
			doctor_say(d, DOCTOR_FAIL,
				   "route the endpoint by the underlay, outside of the device's table",
				   "the endpoint %s of path %u is routed into %s: the tunnel would enter itself",
				   addr, path->if_id_in,
				   host_link_name(d->host, hop.oif, name));
			n++;
		}
	}
}

static bool seen_underlay(struct doctor *d, unsigned int i, uint32_t oif)
{
	struct host_route hop;

	while (i-- > 0)
		if (d->host->path[i].path.endpoint.family &&
		    !outer_hop(d, &d->host->path[i].path, &hop) &&
		    hop.oif == oif)
			return true;
	return false;
}

void check_mtu(struct doctor *d)
{
	struct host_route hop;
	unsigned int i;

	/* a host with thousands of paths has few underlays: some are enough */
	for (i = 0; i < d->host->paths && i < 64; i++) {
		const struct ovly_path *path = &d->host->path[i].path;
		const struct host_link *l;

		if (!path->endpoint.family || outer_hop(d, path, &hop))
			continue;
		l = host_link(d->host, hop.oif);
		if (!l || l->link.mtu >= IPV6_MIN_MTU + OVERHEAD ||
		    seen_underlay(d, i, hop.oif))
			continue;
		doctor_say(d, l->link.mtu < IPV6_MIN_MTU ? DOCTOR_FAIL :
							   DOCTOR_WARN,
			   "raise the MTU of the underlay, or ask the provider",
			   "%s has an MTU of %u: inside are left about %u bytes, and IPv6 needs 1280",
			   l->link.name, l->link.mtu,
			   l->link.mtu > OVERHEAD ? l->link.mtu - OVERHEAD : 0);
	}
	for (i = 0; i < d->host->devs; i++) {
		const struct host_link *l =
			host_link(d->host, d->host->dev[i].ifindex);

		if (l && l->link.mtu < IPV6_MIN_MTU)
			doctor_say(d, DOCTOR_WARN,
				   "ovlyhelper dev set NAME mtu 9196: packets are held to the path's own MTU anyway",
				   "%s has an MTU of %u, too small for IPv6",
				   l->link.name, l->link.mtu);
	}
	if (doctor_sysctl(d, "ipv4/ip_no_pmtu_disc") > 0)
		doctor_say(d, DOCTOR_WARN, "sysctl -w net.ipv4.ip_no_pmtu_disc=0",
			   "path MTU discovery is off: this host does not learn what fits through the tunnel");
}
