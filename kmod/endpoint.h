/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_ENDPOINT_H
#define _OVLY_ENDPOINT_H

#include <linux/list.h>

#include "addr.h"

struct ovly_guard;
struct ovly_peer;

/**
 * struct ovly_endpoint - an outer address that a peer uses or has used
 * @list: in &ovly_peer.endpoints, most recently used first
 * @ip: the address
 * @paths: paths that use it now
 * @guard: namespace in which it has a throw route, or NULL
 * @table: table in which it has one
 *
 * Guarded by &ovly_dev.lock.
 */
struct ovly_endpoint {
	struct list_head list;
	struct ovly_ip ip;
	unsigned int paths;
	struct ovly_guard *guard;
	u32 table;
};

int ovly_endpoint_get(struct ovly_peer *peer, const struct ovly_ip *ip, bool insist,
		      struct ovly_endpoint **ep);
void ovly_endpoint_put(struct ovly_peer *peer, struct ovly_endpoint *ep);
void ovly_endpoint_rehome_all(struct ovly_peer *peer);
void ovly_endpoint_retry_all(struct ovly_peer *peer);
void ovly_endpoint_forget_all(struct ovly_peer *peer);

#endif /* _OVLY_ENDPOINT_H */
