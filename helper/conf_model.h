/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ovly.conf says: overlays, and a BGP router.  Plain data; everything has
 * its place in the file, so that a later problem can be told where it is.
 */
#ifndef OVLY_CONF_MODEL_H
#define OVLY_CONF_MODEL_H

#include <string.h>

#include "conf_diag.h"
#include "model.h"

#define CONF_OVERLAYS_MAX 4096
#define CONF_NEIGHBORS_MAX 1024
#define CONF_NETWORKS_MAX 4096
#define CONF_PREFIXES_MAX 8
#define CONF_SECRET_MAX 128
#define CONF_ID_MAX 127
#define CONF_CIPHERS_MAX 255
/* room for the suffix of the second path's connection in a peer's name */
#define CONF_NAME_MAX (OVLY_NAME_MAX - 8)

#define CONF_DUAL_SUFFIX "-dual"

enum { CONF_BRANCH, CONF_HEAD_END };
enum { CONF_WAN, CONF_DUAL, CONF_WANS };

/* The items of an overlay, indexing conf_overlay.item. */
enum conf_item {
	CI_ROLE, CI_DEVICE, CI_MODE, CI_VRF, CI_TABLE, CI_MTU, CI_SRC_VALID,
	CI_LOCAL_BRIDGE, CI_LOCAL_ADDR, CI_REMOTE_ADDR,
	CI_DUAL_BRIDGE, CI_DUAL_LOCAL_ADDR, CI_DUAL_REMOTE_ADDR,
	CI_PRIORITY, CI_DUAL_PRIORITY,
	CI_LOCAL_SYSTEM, CI_LOCAL_SUBNET, CI_REMOTE_SYSTEM, CI_REMOTE_SUBNET,
	CI_REMOTE_HOST, CI_POOL, CI_LOCAL_ID, CI_REMOTE_ID,
	CI_IKE_CIPHER, CI_ESP_CIPHER, CI_PSK, CI_EAP,
	CI_IF_ID, CI_DPD, CI_LIFETIME, CI_IDLE, CI_ON_DOWN, CI_LIMIT,
	CI_BACKUP, CI_MARK, CI_PACKET_PRIORITY,
	CI_N,
};

struct conf_prefixes {
	unsigned int n;
	struct ovly_prefix p[CONF_PREFIXES_MAX];
};

/* One way to the remote end: the second is "dual". */
struct conf_wan {
	char bridge[IFNAMSIZ];
	struct ovly_addr local; /* family 0: the IKE daemon chooses */
	char remote[CONF_ID_MAX + 1]; /* address, host name or "any" */
	uint32_t priority;
	bool absent; /* the bridge has no address at present */
};

struct conf_auth {
	char local_psk[CONF_SECRET_MAX + 1];
	char remote_psk[CONF_SECRET_MAX + 1];
	char user[CONF_ID_MAX + 1];
	char password[CONF_SECRET_MAX + 1];
	char cert[CONF_ID_MAX + 1]; /* our own */
	char cacert[CONF_ID_MAX + 1]; /* the remote's authority */
	uint32_t method; /* of EAP, indexing conf_eap_words */
};

struct conf_overlay {
	struct conf_pos at;
	struct conf_pos item[CI_N]; /* line 0: not given */
	char name[CONF_NAME_MAX + 1];
	uint32_t role;
	char dev[IFNAMSIZ];
	uint32_t mode, table, mtu, src_valid;
	char vrf[IFNAMSIZ];
	struct conf_wan wan[CONF_WANS];
	struct ovly_addrs local_system, remote_system;
	struct conf_prefixes local_net, remote_net;
	uint32_t remote_host;
	struct conf_prefixes pool;
	char local_id[CONF_ID_MAX + 1], remote_id[CONF_ID_MAX + 1];
	char ike[CONF_CIPHERS_MAX + 1], esp[CONF_CIPHERS_MAX + 1];
	struct conf_auth auth;
	uint32_t if_id, dpd, lifetime, idle, on_down;
	uint32_t limit, limit_action;
	uint32_t mark, packet_priority;
	/* the overlay whose peer takes the packets while this one is down */
	char backup[CONF_NAME_MAX + 1];
};

struct conf_timers {
	struct conf_pos at;
	uint32_t keepalive, hold;
};

struct conf_limit {
	struct conf_pos at;
	uint32_t max; /* 0: none */
	uint32_t action; /* indexing conf_limit_words */
};

/* A neighbour, or with "range" all that connect from there. */
struct conf_neighbor {
	struct conf_pos at;
	bool range;
	struct ovly_prefix prefix;
	struct conf_pos as_at;
	uint32_t as;
	struct conf_timers timers;
	struct conf_limit limit;
	struct conf_pos source_at;
	struct ovly_addr source;
	uint32_t multihop;
	char password[CONF_SECRET_MAX + 1];
	char description[CONF_ID_MAX + 1];
	const struct conf_overlay *overlay; /* through which it is reached */
	/* the range that it lies in, whose settings it has but for its own */
	const struct conf_neighbor *group;
};

struct conf_network {
	struct conf_pos at;
	struct ovly_prefix prefix;
};

struct conf_bgp {
	struct conf_pos at; /* line 0: there is none */
	uint32_t as;
	struct conf_pos router_id_at;
	struct ovly_addr router_id;
	struct conf_timers timers;
	struct conf_limit limit;
	uint32_t staging_table;
	uint32_t paths; /* next hops that a prefix may have, 0: one */
	bool graceful; /* BIRD may restart without a route's leaving */
	struct conf_neighbor *neighbor;
	unsigned int neighbors;
	struct conf_network *network;
	unsigned int networks;
};

struct conf {
	struct conf_overlay *overlay;
	unsigned int overlays;
	struct conf_bgp bgp;
};

extern const char *const conf_role_words[], *const conf_limit_words[],
	*const conf_eap_words[];

/* Was the item given? */
static inline bool conf_given(const struct conf_overlay *o, enum conf_item item)
{
	return o->item[item].line;
}

/* Is there a second path? */
static inline bool conf_is_dual(const struct conf_overlay *o)
{
	return conf_given(o, CI_DUAL_BRIDGE) ||
	       conf_given(o, CI_DUAL_LOCAL_ADDR) ||
	       conf_given(o, CI_DUAL_REMOTE_ADDR);
}

/* The overlay's connections: the second has a suffix. */
const char *conf_connection(const struct conf_overlay *o, unsigned int wan,
			    char buf[OVLY_NAME_MAX + 1]);
/* Has the overlay a connection by this way out? */
bool conf_has_connection(const struct conf_overlay *o, unsigned int wan);
/* May the other end have any address? */
bool conf_is_any(const struct conf_overlay *o, unsigned int wan);
/* The identity that the remote end has to show, NULL for whatever it shows. */
const char *conf_remote_id(const struct conf_overlay *o, unsigned int wan);
/* Our own, NULL where it is the address that strongSwan chooses. */
const char *conf_local_id(const struct conf_overlay *o, unsigned int wan,
			  char buf[CONF_ID_MAX + 1]);
/* Does it take whoever has the key?  Its peers are named after who came. */
bool conf_takes_anybody(const struct conf_overlay *o);
/* Is the one peer known by name and address before it comes? */
bool conf_knows_peer(const struct conf_overlay *o);
/* Does BGP speak to a neighbour, or to a range of them, of that family? */
bool conf_bgp_has_family(const struct conf *conf, int family);

#endif /* OVLY_CONF_MODEL_H */
