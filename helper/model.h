/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of the overlay as plain structs: no netlink types, no I/O.
 *
 * Every struct starts with "has", one bit per attribute number of its set in
 * uapi/linux/ovly.h: HAS(OVLY_A_PEER_NAME) says that .name is meaningful.  In
 * a request only the fields with a bit are sent.
 */
#ifndef OVLY_MODEL_H
#define OVLY_MODEL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/ovly.h>

#define HAS(attr) (1u << (attr))

/* family 0 is "no address" */
struct ovly_addr {
	uint8_t family;
	uint8_t b[16];
};

struct ovly_prefix {
	struct ovly_addr addr;
	uint8_t len;
};

struct ovly_addrs {
	unsigned int n;
	struct ovly_addr a[OVLY_PEER_ADDRS_MAX];
};

/* indexed by enum ovly_stats_attr */
struct ovly_stats {
	uint64_t v[OVLY_A_STATS_MAX + 1];
};

struct ovly_dev {
	uint32_t has;
	uint32_t mode;
	uint32_t table;
	uint32_t src_valid;
	uint32_t carrier_follows;
	uint32_t active_table;
	uint32_t peers;
	uint32_t peers_up;
	uint32_t routes;
	uint32_t routes_installed;
	struct ovly_stats stats;
};

struct ovly_peer {
	uint32_t has;
	uint32_t id;
	char name[OVLY_NAME_MAX + 1];
	struct ovly_addrs addr;
	uint32_t on_down;
	uint32_t route_limit;
	uint32_t state;
	uint32_t routes;
	uint32_t paths;
	uint32_t active_path;
	uint32_t transitions;
	uint64_t since;
	struct ovly_stats stats;
	uint32_t backup_id;
	char backup_name[OVLY_NAME_MAX + 1];
	uint32_t limit_action;
	uint32_t mark;
	uint32_t priority;
	uint32_t routes_disabled;
	uint32_t via_backup;
	uint64_t last_rx;
	uint64_t last_tx;
};

/* what .underlay reads while the device does not exist */
#define UNDERLAY_MISSING UINT32_MAX

struct ovly_path {
	uint32_t has;
	uint32_t if_id_in;
	uint32_t if_id_out;
	uint32_t peer_id;
	char peer_name[OVLY_NAME_MAX + 1];
	struct ovly_addr endpoint;
	struct ovly_addr local;
	uint32_t underlay;
	uint32_t priority;
	char label[OVLY_NAME_MAX + 1];
	char remote_id[OVLY_REMOTE_ID_MAX + 1];
	uint32_t state;
	uint32_t sa_in;
	uint32_t sa_out;
	uint64_t since;
	char underlay_name[IFNAMSIZ];
	uint32_t mtu;
	struct ovly_addr previous_endpoint;
};

/* An owner beside the first: by name where that is set, else by next hop. */
struct ovly_owner {
	const char *name; /* of the caller */
	struct ovly_addr via;
};

struct ovly_owners {
	unsigned int n;
	struct ovly_owner o[OVLY_OWNERS_MAX - 1];
};

struct ovly_route {
	uint32_t has;
	struct ovly_addr dst;
	uint32_t prefixlen;
	uint32_t metric;
	uint32_t protocol;
	uint32_t peer_id;
	char peer_name[OVLY_NAME_MAX + 1];
	struct ovly_addr via;
	uint32_t family;
	uint32_t flags;
	uint32_t error;
	struct ovly_owners more; /* in requests only */
};

struct ovly_refused {
	uint32_t has;
	uint32_t index;
	uint32_t error;
	char message[128];
};

/* What one generic-netlink message of the family says.  has: OVLY_A_* bits. */
struct ovly_msg {
	uint32_t has;
	uint8_t cmd;
	uint32_t ifindex;
	char ifname[IFNAMSIZ];
	struct ovly_dev dev;
	struct ovly_peer peer;
	struct ovly_path path;
	struct ovly_route route; /* the first, where there are several */
	uint32_t applied;
	uint64_t cookie;
	uint32_t event;
};

/* The report on a batch of routes. */
struct ovly_report {
	uint32_t applied;
	unsigned int n;
	struct ovly_refused refused[OVLY_REFUSED_MAX];
};

#endif /* OVLY_MODEL_H */
