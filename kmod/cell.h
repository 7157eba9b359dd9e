/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_CELL_H
#define _OVLY_CELL_H

#include <linux/percpu.h>
#include <linux/types.h>

struct net_device;
struct ovly_cell;
struct ovly_dev;
struct sk_buff;

struct ovly_cell __percpu *ovly_cell_alloc(struct net_device *dev);
void ovly_cell_free(struct ovly_cell __percpu *cells);
bool ovly_cell_receive(struct ovly_dev *ovly, struct sk_buff *skb);

#endif /* _OVLY_CELL_H */
