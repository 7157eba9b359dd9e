/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_RX_H
#define _OVLY_RX_H

struct ovly_path;
struct sk_buff;

void ovly_rx_parked(struct sk_buff *skb, const struct ovly_path *path);

int ovly_rx_register(void);
void ovly_rx_unregister(void);

#endif /* _OVLY_RX_H */
