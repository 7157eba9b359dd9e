/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_OUTER_ERROR_H
#define _OVLY_OUTER_ERROR_H

#include <linux/types.h>

struct inet6_skb_parm;
struct sk_buff;

int ovly_outer_error4(struct sk_buff *skb, u32 info);
int ovly_outer_error6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code,
		      int offset, __be32 info);

#endif /* _OVLY_OUTER_ERROR_H */
