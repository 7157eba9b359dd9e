/* SPDX-License-Identifier: GPL-2.0-only */
/* A host made of tables: what the tests of "show route" and "doctor" judge. */
#ifndef OVLY_FAKE_HOST_H
#define OVLY_FAKE_HOST_H

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "../host.h"

#define FAKE_MAX 32

struct fake_file {
	const char *path, *text;
};

/* Which route answers for an address, in which table. */
struct fake_route {
	uint32_t table;
	struct host_route route;
};

static struct fake {
	struct host host;
	struct ovly_nl nl;
	struct host_link link[FAKE_MAX];
	struct host_rule rule[FAKE_MAX];
	struct host_policy policy[FAKE_MAX];
	struct host_sa sa[FAKE_MAX];
	struct ovly_msg dev[4], peer[FAKE_MAX], path[FAKE_MAX],
		owned[FAKE_MAX];
	struct fake_file file[FAKE_MAX];
	struct fake_route route[FAKE_MAX];
	unsigned int owns, files, routes;
	int refuse; /* errno of every lookup by the kernel */
} fake;

static inline bool fake_longest(struct host *host, uint32_t table,
				const struct ovly_addr *dst,
				struct host_route *out)
{
	bool found = false;
	unsigned int i;

	(void)host;
	for (i = 0; i < fake.routes; i++) {
		const struct host_route *r = &fake.route[i].route;

		if (fake.route[i].table != table ||
		    !prefix_covers(&r->dst, dst) ||
		    (found && r->dst.len <= out->dst.len))
			continue;
		*out = *r;
		found = true;
	}
	return found;
}

/* The kernel of the fake asks the tables in the order of the rules. */
static inline int fake_route_get(struct host *host,
				 const struct host_flow *flow,
				 struct host_route *hop,
				 struct host_route *match)
{
	static const uint32_t tables[] = { 255, 220, 254 };
	unsigned int i;

	if (fake.refuse)
		return fake.refuse;
	for (i = 0; i < 3; i++) {
		if (!fake_longest(host, tables[i], &flow->dst, match) ||
		    match->type == RTN_THROW)
			continue;
		if (match->type == RTN_UNREACHABLE)
			return EHOSTUNREACH;
		*hop = *match;
		return 0;
	}
	return ENETUNREACH;
}

static inline bool fake_routes(struct host *host, uint32_t table,
			       void (*cb)(const struct host_route *route,
					  void *arg),
			       void *arg)
{
	unsigned int i;

	(void)host;
	for (i = 0; i < fake.routes; i++)
		if (fake.route[i].table == table)
			cb(&fake.route[i].route, arg);
	return true;
}

static inline bool fake_owned(struct host *host, ovly_ctl_cb cb, void *arg)
{
	unsigned int i;

	(void)host;
	for (i = 0; i < fake.owns; i++)
		cb(&fake.owned[i], arg);
	return true;
}

/* The file that was added last counts. */
static inline bool fake_read(struct host *host, const char *path, char *buf,
			     size_t size)
{
	unsigned int i;

	(void)host;
	for (i = fake.files; i-- > 0;) {
		if (strcmp(fake.file[i].path, path))
			continue;
		if (!fake.file[i].text)
			return false;
		snprintf(buf, size, "%s", fake.file[i].text);
		return true;
	}
	return false;
}

static inline void fake_file(const char *path, const char *text)
{
	assert_true(fake.files < FAKE_MAX);
	fake.file[fake.files].path = path;
	fake.file[fake.files++].text = text;
}

static inline struct host_route *fake_route(uint32_t table, const char *prefix,
					    uint8_t type, uint32_t oif)
{
	struct fake_route *new = &fake.route[fake.routes++];

	assert_true(fake.routes <= FAKE_MAX);
	new->table = table;
	new->route.dst = test_prefix(prefix);
	new->route.table = table;
	new->route.oif = oif;
	new->route.hops = 1;
	new->route.type = type;
	return &new->route;
}

static inline struct host_link *fake_link(uint32_t ifindex, const char *name,
					  const char *kind)
{
	struct host_link *new = &fake.link[fake.host.links++];

	new->link.ifindex = ifindex;
	new->link.flags = IFF_UP;
	new->link.mtu = 1500;
	strcpy(new->link.name, name);
	strcpy(new->link.kind, kind);
	return new;
}

static inline struct host_rule *fake_rule(uint32_t pref, uint32_t table)
{
	struct host_rule *new = &fake.rule[fake.host.rules++];

	memset(new, 0, sizeof(*new));
	new->family = AF_INET;
	new->action = FR_ACT_TO_TBL;
	new->pref = pref;
	new->table = table;
	new->suppress = -1;
	new->src.addr.family = AF_INET;
	new->dst.addr.family = AF_INET;
	return new;
}

static inline struct host_policy *fake_policy(uint32_t if_id, const char *src,
					      const char *dst)
{
	struct host_policy *new = &fake.policy[fake.host.policies++];

	memset(new, 0, sizeof(*new));
	new->src = test_prefix(src);
	new->dst = test_prefix(dst);
	new->dir = XFRM_POLICY_OUT;
	new->if_id = if_id;
	new->tmpl = true;
	new->tunnel = true;
	new->tmpl_src = test_addr("192.0.2.1");
	new->tmpl_dst = test_addr("198.51.100.2");
	return new;
}

static inline struct host_sa *fake_sa(uint32_t if_id, uint32_t spi)
{
	struct host_sa *new = &fake.sa[fake.host.sas++];

	memset(new, 0, sizeof(*new));
	new->src = test_addr("192.0.2.1");
	new->dst = test_addr("198.51.100.2");
	new->if_id = if_id;
	new->spi = spi;
	new->esp = true;
	new->tunnel = true;
	return new;
}

static inline void fake_owns(const char *prefix, uint32_t error)
{
	struct ovly_prefix p = test_prefix(prefix);
	struct ovly_msg *new = &fake.owned[fake.owns++];

	new->ifindex = 7;
	new->route.dst = p.addr;
	new->route.prefixlen = p.len;
	new->route.error = error;
}

static const struct host_ops fake_host_ops = {
	.route = fake_route_get,
	.longest = fake_longest,
	.routes = fake_routes,
	.owned = fake_owned,
	.file = fake_read,
};

/* Everything as it should be: one device, one peer that is up, one LAN. */
static inline void fake_setup(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.host.ops = &fake_host_ops;
	fake.host.nl = &fake.nl;
	fake.nl.family = 30;
	fake.host.link = fake.link;
	fake.host.rule = fake.rule;
	fake.host.policy = fake.policy;
	fake.host.sa = fake.sa;
	fake.host.dev = fake.dev;
	fake.host.peer = fake.peer;
	fake.host.path = fake.path;
	fake_link(2, "wan0", "");
	fake_link(3, "lan0", "");
	fake_link(7, "ipsec0", "ovly")->link.mtu = 9196;
	fake_rule(0, RT_TABLE_LOCAL);
	fake_rule(220, 220);
	fake_rule(32766, RT_TABLE_MAIN);
	fake_route(RT_TABLE_LOCAL, "192.0.2.1/32", RTN_LOCAL, 1);
	fake_route(220, "81.81.81.0/24", RTN_UNICAST, 7)->prefsrc =
		test_addr("10.122.144.146");
	fake_route(220, "198.51.100.2/32", RTN_THROW, 0);
	fake_route(RT_TABLE_MAIN, "0.0.0.0/0", RTN_UNICAST, 2)->prefsrc =
		test_addr("192.0.2.1");
	fake_route(RT_TABLE_MAIN, "192.168.1.0/24", RTN_UNICAST, 3);
	fake_owns("81.81.81.0/24", 0);
	fake_policy(7, "10.122.144.128/27", "0.0.0.0/0");
	fake_sa(7, 0x107);
	fake.host.devs = fake.host.peers = fake.host.paths = 1;
	fake.dev[0].ifindex = fake.peer[0].ifindex = fake.path[0].ifindex = 7;
	fake.dev[0].dev.active_table = 220;
	fake.dev[0].dev.peers = 1;
	fake.peer[0].peer.id = fake.path[0].path.peer_id = 1;
	strcpy(fake.peer[0].peer.name, "myconn");
	strcpy(fake.path[0].path.peer_name, "myconn");
	fake.peer[0].peer.state = OVLY_PEER_UP;
	fake.path[0].path.state = OVLY_PATH_ACTIVE;
	fake.path[0].path.if_id_in = fake.path[0].path.if_id_out = 7;
	fake.path[0].path.endpoint = test_addr("198.51.100.2");
	fake.path[0].path.underlay = 2;
	fake.path[0].path.sa_out = 1;
}

#endif /* OVLY_FAKE_HOST_H */
