/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_TX_H
#define _OVLY_TX_H

#include <linux/netdevice.h>

netdev_tx_t ovly_tx(struct sk_buff *skb, struct net_device *dev);

#endif /* _OVLY_TX_H */
