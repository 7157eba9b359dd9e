/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_COEXIST_H
#define _OVLY_COEXIST_H

#include <linux/types.h>

struct netlink_ext_ack;
struct ovly_net;

void ovly_coexist_warn(const struct ovly_net *on, u32 if_id, struct netlink_ext_ack *extack);

int ovly_coexist_register(void);
void ovly_coexist_unregister(void);

#endif /* _OVLY_COEXIST_H */
