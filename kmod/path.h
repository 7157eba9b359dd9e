/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_PATH_H
#define _OVLY_PATH_H

#include <linux/list.h>
#include <linux/ovly.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/xfrm.h>

#include "addr.h"

struct netlink_ext_ack;
struct ovly_endpoint;
struct ovly_net;
struct ovly_peer;
struct ovly_underlay;

#define OVLY_PATH_PRIORITY_DEFAULT	100

/**
 * struct ovly_path - one IPsec tunnel to a peer
 * @peer: the peer; outlives the path
 * @if_id_in: XFRM interface id of its inbound SAs, the key; never changes
 * @if_id_out: that of its outbound SAs; never changes
 * @underlay: the device the outer packets take, or NULL for any; RCU
 * @mtu: largest inner packet as of the last one sent, 0 before; packets write it
 * @priority: the lowest is preferred
 * @serial: the highest is preferred among equal priorities
 * @sa_in: inbound SAs that exist
 * @sa_out: outbound SAs to the endpoint that exist; the path is usable while
 *	there is one
 * @spi_out: SPI of the newest of them, 0 if there never was one
 * @state: enum ovly_path_state
 * @since: jiffies64 when it entered @state
 * @endpoint: outer address of the peer, or none; packets read it by
 *	@endpoint_seq
 * @endpoint_seq: see there
 * @ep: the peer's record of @endpoint, guarded by &ovly_dev.lock
 * @local: own outer address, for people
 * @list: in &ovly_peer.paths
 * @rcu: for the readers of &ovly_peer.active and &ovly_net.paths_in
 * @label: IKE connection name
 * @remote_id: IKE identity, or NULL
 *
 * Fields are guarded by &ovly_net.path_lock.  Packets read the two ids,
 * @underlay and @peer under RCU.  @underlay changes under &ovly_dev.lock, too.
 */
struct ovly_path {
	struct ovly_peer *peer;
	u32 if_id_in;
	u32 if_id_out;
	struct ovly_underlay __rcu *underlay;
	u32 mtu;
	u32 priority;
	u64 serial;
	u32 sa_in;
	u32 sa_out;
	__be32 spi_out;
	u32 state;
	u64 since;
	struct ovly_ip endpoint;
	seqcount_spinlock_t endpoint_seq;
	struct ovly_endpoint *ep;
	struct ovly_ip local;
	struct list_head list;
	struct rcu_head rcu;
	char label[OVLY_NAME_MAX + 1];
	char *remote_id;
};

/**
 * struct ovly_path_conf - what a request says about a path
 * @if_id_in: the key
 * @if_id_out: id of the outbound SAs, 0 if not given
 * @has_underlay: @underlay counts
 * @has_priority: @priority counts
 * @underlay: ifindex
 * @priority: lowest is preferred
 * @endpoint: family 0 if not given
 * @local: family 0 if not given
 * @label: NULL if not given
 * @remote_id: NULL if not given
 */
struct ovly_path_conf {
	u32 if_id_in;
	u32 if_id_out;
	bool has_underlay;
	bool has_priority;
	int underlay;
	u32 priority;
	struct ovly_ip endpoint;
	struct ovly_ip local;
	const char *label;
	const char *remote_id;
};

int ovly_path_new(struct ovly_peer *peer, const struct ovly_path_conf *conf,
		  struct netlink_ext_ack *extack);
int ovly_path_set(struct ovly_path *path, const struct ovly_path_conf *conf,
		  struct netlink_ext_ack *extack);
int ovly_path_move(struct ovly_path *path, struct ovly_peer *peer,
		   const struct ovly_path_conf *conf, struct netlink_ext_ack *extack);
void ovly_path_del(struct ovly_path *path);

void ovly_path_sas_changed(struct ovly_net *on, u32 if_id);
void ovly_path_follow_endpoints(struct ovly_peer *peer);
void ovly_path_set_endpoint(struct ovly_path *path, const struct ovly_ip *ip);
bool ovly_path_leads_to(const struct ovly_path *path, const xfrm_address_t *addr, u16 family);

#endif /* _OVLY_PATH_H */
