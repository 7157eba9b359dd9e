// SPDX-License-Identifier: GPL-2.0
/*
 * Events: one builder and one sender.  An event carries the object it is about,
 * so that a listener need not ask back.
 */
#include "notify.h"

#include <linux/netdevice.h>
#include <net/genetlink.h>

#include "device.h"
#include "net.h"
#include "netlink.h"
#include "nl_attr.h"
#include "path.h"
#include "peer.h"

/**
 * struct ovly_event_msg - what an event is about
 * @dev: the device
 * @event: what happened
 * @ovly: put a DEV nest, or NULL
 * @peer: put a PEER nest, or NULL
 * @path: put a PATH nest, or NULL
 * @previous: put this into the PATH nest as its endpoint before, or NULL
 * @source: put a ROUTE nest with this address, or NULL
 */
struct ovly_event_msg {
	const struct net_device *dev;
	enum ovly_event event;
	const struct ovly_dev *ovly;
	const struct ovly_peer *peer;
	const struct ovly_path *path;
	const struct ovly_ip *previous;
	const struct ovly_ip *source;
};

static int ovly_notify_put_dev(struct sk_buff *skb, const struct ovly_dev *ovly)
{
	struct nlattr *nest = nla_nest_start(skb, OVLY_A_DEV);

	if (!nest || ovly_nl_put_dev(skb, ovly))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int ovly_notify_put_source(struct sk_buff *skb, const struct ovly_ip *source)
{
	struct nlattr *nest = nla_nest_start(skb, OVLY_A_ROUTE);

	if (!nest || ovly_nl_put_ip(skb, OVLY_A_ROUTE_DST, source) ||
	    nla_put_u32(skb, OVLY_A_ROUTE_PREFIXLEN, ovly_ip_bits(source->family)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int ovly_notify_build(struct sk_buff *skb, const struct ovly_event_msg *msg)
{
	void *hdr = genlmsg_put(skb, 0, 0, &ovly_genl_family, 0, OVLY_CMD_EVENT);

	if (!hdr ||
	    nla_put_u32(skb, OVLY_A_EVENT, msg->event) ||
	    nla_put_u32(skb, OVLY_A_IFINDEX, msg->dev->ifindex) ||
	    nla_put_string(skb, OVLY_A_IFNAME, msg->dev->name) ||
	    (msg->ovly && ovly_notify_put_dev(skb, msg->ovly)) ||
	    (msg->peer && ovly_nl_put_peer(skb, msg->peer)) ||
	    (msg->path && ovly_nl_put_path(skb, msg->path, msg->previous)) ||
	    (msg->source && ovly_notify_put_source(skb, msg->source)))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

/* Paths are of the namespace of the SAs, and not for others' eyes. */
static bool ovly_notify_hides_paths(const struct net_device *dev)
{
	const struct ovly_dev *ovly = netdev_priv(dev);

	return !net_eq(ovly->net, dev_net(dev)) && ovly->net->user_ns != dev_net(dev)->user_ns;
}

static void ovly_notify(struct ovly_event_msg *msg)
{
	struct net *net = dev_net(msg->dev);
	struct sk_buff *skb;

	if (!genl_has_listeners(&ovly_genl_family, net, 0))
		return;
	if (msg->path && ovly_notify_hides_paths(msg->dev)) {
		if (!msg->peer)
			return;
		msg->path = NULL;
	}
	/* Room for a device, a peer and a path; they have few, short strings. */
	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	if (!skb || WARN_ON_ONCE(ovly_notify_build(skb, msg))) {
		/* Listeners learn that they missed one. */
		genl_set_err(&ovly_genl_family, net, 0, 0, -ENOBUFS);
		kfree_skb(skb);
		return;
	}
	genlmsg_multicast_netns(&ovly_genl_family, net, skb, 0, 0, GFP_ATOMIC);
}

/* Context: RTNL. */
void ovly_notify_dev(const struct net_device *dev, enum ovly_event event)
{
	struct ovly_event_msg msg = { .dev = dev, .event = event };

	if (event != OVLY_EVENT_DEV_DEL)
		msg.ovly = netdev_priv(dev);
	ovly_notify(&msg);
}

/* Context: &ovly_net.path_lock. */
void ovly_notify_peer_locked(const struct ovly_peer *peer, enum ovly_event event)
{
	struct ovly_event_msg msg = { .dev = peer->ovly->dev, .event = event, .peer = peer };
	struct ovly_net *on = ovly_net(peer->ovly->net);

	lockdep_assert_held(&on->path_lock);
	if (event == OVLY_EVENT_PEER_UP || event == OVLY_EVENT_PATH_ACTIVE)
		msg.path = rcu_dereference_protected(peer->active,
						     lockdep_is_held(&on->path_lock));
	ovly_notify(&msg);
}

/* Context: any, but not with &ovly_net.path_lock held. */
void ovly_notify_peer(const struct ovly_peer *peer, enum ovly_event event)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);

	spin_lock_bh(&on->path_lock);
	ovly_notify_peer_locked(peer, event);
	spin_unlock_bh(&on->path_lock);
}

/* Context: &ovly_net.path_lock. */
void ovly_notify_path_locked(const struct ovly_path *path, enum ovly_event event)
{
	struct ovly_event_msg msg = { .dev = path->peer->ovly->dev, .event = event, .path = path };

	ovly_notify(&msg);
}

/* Context: &ovly_net.path_lock. */
void ovly_notify_endpoint_locked(const struct ovly_path *path, const struct ovly_ip *previous)
{
	struct ovly_event_msg msg = {
		.dev = path->peer->ovly->dev,
		.event = OVLY_EVENT_ENDPOINT_MOVED,
		.path = path,
		.previous = previous,
	};

	ovly_notify(&msg);
}

/**
 * ovly_notify_source() - a peer sent from a source that is not its own
 * @peer: the peer
 * @source: the source
 *
 * At most one event a second and device.
 *
 * Context: RCU read side, bottom halves disabled.
 */
void ovly_notify_source(const struct ovly_peer *peer, const struct ovly_ip *source)
{
	struct ovly_event_msg msg = {
		.dev = peer->ovly->dev,
		.event = OVLY_EVENT_SOURCE_VIOLATION,
		.peer = peer,
		.source = source,
	};
	struct ovly_net *on = ovly_net(peer->ovly->net);
	struct ovly_dev *ovly = peer->ovly;
	unsigned long last = READ_ONCE(ovly->source_event);

	if (last && jiffies - last < HZ)
		return;
	if (cmpxchg(&ovly->source_event, last, jiffies ?: 1) != last)
		return;
	spin_lock_bh(&on->path_lock);
	ovly_notify(&msg);
	spin_unlock_bh(&on->path_lock);
}
