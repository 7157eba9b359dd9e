/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_NETLINK_H
#define _OVLY_NETLINK_H

#include <linux/netlink.h>

#include "route.h"

struct genl_family;
struct genl_info;
struct ovly_dev;
struct ovly_path;
struct ovly_peer;
struct sk_buff;

extern struct genl_family ovly_genl_family;

/**
 * struct ovly_nl_cursor - where a dump goes on
 * @ifindex: the device
 * @id: the peer
 * @if_id: the path
 * @key: the route
 */
struct ovly_nl_cursor {
	u32 ifindex;
	u32 id;
	u32 if_id;
	struct ovly_route_key key;
};

typedef int (*ovly_nl_dump_t)(struct sk_buff *skb, struct netlink_callback *cb,
			      struct ovly_dev *ovly, struct ovly_nl_cursor *cursor);

struct ovly_dev *ovly_nl_lock_dev(struct net_device *dev, const struct net *net);
struct ovly_dev *ovly_nl_lock(struct genl_info *info);
bool ovly_nl_names_dev(struct nlattr *attrs[]);
bool ovly_nl_missing(struct genl_info *info, int attr);
int ovly_nl_blame(struct genl_info *info, int attr, int err);
void ovly_nl_unlock(struct ovly_dev *ovly);
int ovly_nl_dump_takes_no(struct netlink_callback *cb, int attr);
int ovly_nl_dump_devs(struct sk_buff *skb, struct netlink_callback *cb, ovly_nl_dump_t dump);

void *ovly_nl_reply_start(struct sk_buff *skb, struct genl_info *info, const struct ovly_dev *ovly);
void *ovly_nl_dump_start(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct ovly_dev *ovly, u8 cmd);

int ovly_nl_dev_get(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_dev_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ovly_nl_dev_set(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_dev_resync(struct sk_buff *skb, struct genl_info *info);

struct ovly_peer *ovly_nl_find_peer(struct ovly_dev *ovly, const struct nlattr *id,
				    const struct nlattr *name, struct netlink_ext_ack *extack);
int ovly_nl_check_text(const struct nlattr *nla, struct netlink_ext_ack *extack);
int ovly_nl_peer_new(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_peer_set(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_peer_del(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_peer_get(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_peer_dump(struct sk_buff *skb, struct netlink_callback *cb);

int ovly_nl_path_new(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_path_set(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_path_del(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_path_get(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_path_dump(struct sk_buff *skb, struct netlink_callback *cb);

int ovly_nl_route_new(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_route_del(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_route_get(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_route_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ovly_nl_route_flush(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_route_sync_begin(struct sk_buff *skb, struct genl_info *info);
int ovly_nl_route_sync_end(struct sk_buff *skb, struct genl_info *info);

int ovly_netlink_register(void);
void ovly_netlink_unregister(void);

#endif /* _OVLY_NETLINK_H */
