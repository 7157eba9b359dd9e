/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host has that decides about packets: rules, routes, links, XFRM
 * policies and SAs, and the module's objects.  Read-only; "show route" and
 * "doctor" judge by it.
 *
 * The lists are a snapshot of plain structs.  What is too large to copy or
 * depends on a question is asked through struct host_ops, which tests replace.
 */
#ifndef OVLY_HOST_H
#define OVLY_HOST_H

#include <linux/xfrm.h>

#include "ctl.h"
#include "rtnl.h"


struct host_link {
	struct ovly_link link;
	uint32_t xfrm_if_id; /* of kind "xfrm", 0: none */
	uint32_t vrf_table; /* of kind "vrf", 0: none */
};

struct host_rule {
	uint8_t family;
	uint8_t action; /* FR_ACT_* */
	uint32_t pref;
	uint32_t table;
	uint32_t target; /* of FR_ACT_GOTO */
	struct ovly_prefix src, dst; /* len 0: any */
	char iifname[IFNAMSIZ], oifname[IFNAMSIZ];
	uint32_t mark, mask;
	bool invert;
	bool l3mdev; /* the table is that of the packet's VRF */
	bool narrow; /* has selectors that are not looked at: ports, uids, ... */
	int suppress; /* prefixes no longer than this do not count, -1: all do */
};

/* A route, or the answer to a lookup. */
struct host_route {
	struct ovly_prefix dst;
	uint32_t table;
	uint32_t metric;
	uint8_t protocol;
	unsigned int hops;
	uint32_t oif; /* of the first next hop, 0: none */
	struct ovly_addr gateway; /* family 0: none */
	uint8_t type; /* RTN_* */
	struct ovly_addr prefsrc; /* family 0: none */
	bool guessed; /* no route, but bound to a device: taken for a neighbour */
};

struct host_policy {
	struct ovly_prefix src, dst;
	uint8_t proto; /* 0: any */
	bool ports; /* narrowed by ports */
	uint8_t dir; /* XFRM_POLICY_* */
	uint8_t action;
	uint32_t ifindex; /* 0: any */
	uint32_t priority;
	uint32_t if_id;
	uint32_t mark, mask;
	bool tmpl; /* has one, the first is: */
	bool optional;
	bool tunnel;
	uint32_t reqid; /* 0: any */
	struct ovly_addr tmpl_src, tmpl_dst; /* unspecified: those of the flow */
};

struct host_sa {
	struct ovly_addr src, dst;
	uint32_t spi; /* host order, 0: still being negotiated */
	uint32_t reqid;
	uint32_t if_id;
	uint32_t mark, mask;
	uint32_t set_mark, set_mask; /* of its outer packets, mask 0: none */
	bool esp, tunnel;
	bool udp; /* in UDP, for NAT */
	char cipher[64], auth[64]; /* the kernel's names; empty: none */
	uint64_t packets;
	uint64_t added; /* seconds since 1970 */
};

/* A packet: what a route lookup goes by. */
struct host_flow {
	struct ovly_addr dst;
	struct ovly_addr src; /* family 0: the kernel chooses */
	uint32_t in_if; /* it came in there; 0: it is sent from here */
	uint32_t oif; /* bound to it, or to its VRF; 0: none */
	uint32_t mark;
};

struct host;

struct host_ops {
	/* The kernel's answer: the chosen next hop in *hop and what it matched in
	 * *match.  Returns 0, or the positive errno the kernel refused with.
	 */
	int (*route)(struct host *host, const struct host_flow *flow,
		     struct host_route *hop, struct host_route *match);
	/* The longest prefix in a table that covers the address; false: none. */
	bool (*longest)(struct host *host, uint32_t table,
			const struct ovly_addr *dst, struct host_route *out);
	/* Every route of a table, or every route of the module's. */
	bool (*routes)(struct host *host, uint32_t table,
		       void (*cb)(const struct host_route *route, void *arg),
		       void *arg);
	bool (*owned)(struct host *host, ovly_ctl_cb cb, void *arg);
	/* The start of a file, NUL-terminated; false: it cannot be read. */
	bool (*file)(struct host *host, const char *path, char *buf,
		     size_t size);
};

struct host {
	const struct host_ops *ops;
	struct ovly_nl *nl; /* for the ops */
	struct nl_sock *xfrm;
	struct host_link *link;
	struct host_rule *rule;
	struct host_policy *policy;
	struct host_sa *sa;
	struct ovly_msg *dev, *peer, *path;
	unsigned int links, rules, policies, sas, devs, peers, paths;
	bool no_memory;
};

/* Reads all lists.  host->ops and host->nl are set; host_free() in any case. */
bool host_read(struct host *host, struct ovly_nl *nl, struct err *e);
void host_free(struct host *host);
extern const struct host_ops host_ops;

/* The module's objects only. */
bool host_read_module(struct host *host, struct ovly_nl *nl, struct err *e);
/* What the loaded module says of itself; false: it is not there. */
bool host_module_version(struct host *host, char *buf, size_t size);

/* host_fib.c, host_xfrm.c: the readers, and the parsers for their tests */
bool host_read_links(struct host *host, struct err *e);
bool host_read_rules(struct host *host, struct err *e);
bool host_read_xfrm(struct host *host, struct err *e);
bool host_link_parse(struct nlmsghdr *hdr, struct host_link *out);
bool host_rule_parse(struct nlmsghdr *hdr, struct host_rule *out);
bool host_route_parse(struct nlmsghdr *hdr, struct host_route *out);
bool host_policy_parse(struct nlmsghdr *hdr, struct host_policy *out);
bool host_sa_parse(struct nlmsghdr *hdr, struct host_sa *out);
int host_route_get(struct host *host, const struct host_flow *flow,
		   struct host_route *hop, struct host_route *match);
bool host_route_longest(struct host *host, uint32_t table,
			const struct ovly_addr *dst, struct host_route *out);
bool host_route_walk(struct host *host, uint32_t table,
		     void (*cb)(const struct host_route *route, void *arg),
		     void *arg);

/* Room for one more at the end of a list; NULL and no_memory without. */
void *host_grow(struct host *host, void *list, unsigned int *n, size_t size);

const struct host_link *host_link(const struct host *host, uint32_t ifindex);
const char *host_link_name(const struct host *host, uint32_t ifindex,
			   char buf[IFNAMSIZ]);
/* The device's object, NULL when it is none of the module's. */
const struct ovly_msg *host_dev(const struct host *host, uint32_t ifindex);
bool host_path_of(const struct ovly_msg *path, const struct ovly_msg *peer);
/* Does the policy or SA take a packet with this mark? */
bool host_mark_matches(uint32_t mark, uint32_t value, uint32_t mask);
bool host_policy_covers(const struct host_policy *p,
			const struct host_flow *flow, uint32_t if_id);
/* The out policy that the kernel would take, NULL: none. */
const struct host_policy *host_policy_find(const struct host *host,
					   const struct host_flow *flow,
					   uint32_t if_id);
/* A usable SA of the policy to "dst" (family 0: any); NULL: none. */
const struct host_sa *host_sa_find(const struct host *host,
				   const struct host_flow *flow,
				   const struct host_policy *policy,
				   const struct ovly_addr *dst);

#endif /* OVLY_HOST_H */
