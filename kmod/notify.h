/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_NOTIFY_H
#define _OVLY_NOTIFY_H

#include <linux/ovly.h>

#include "addr.h"

struct net_device;
struct ovly_dev;
struct ovly_path;
struct ovly_peer;

void ovly_notify_dev(const struct net_device *dev, enum ovly_event event);
void ovly_notify_peer(const struct ovly_peer *peer, enum ovly_event event);
void ovly_notify_peer_locked(const struct ovly_peer *peer, enum ovly_event event);
void ovly_notify_endpoint_locked(const struct ovly_path *path, const struct ovly_ip *previous);
void ovly_notify_path_locked(const struct ovly_path *path, enum ovly_event event);
void ovly_notify_source(const struct ovly_peer *peer, const struct ovly_ip *source);

#endif /* _OVLY_NOTIFY_H */
