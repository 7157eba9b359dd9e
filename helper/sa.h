/* SPDX-License-Identifier: GPL-2.0-only */
/* The SAs of the kernel one by one, for those who act on them. */
#ifndef OVLY_SA_H
#define OVLY_SA_H

#include "host.h"

typedef void (*ovly_sa_cb)(const struct host_sa *sa, void *arg);
/* "sk" is a socket of NETLINK_XFRM. */
bool ovly_sa_dump(struct nl_sock *sk, ovly_sa_cb cb, void *arg, struct err *e);
/* Of ESP.  One that is gone already is no error. */
bool ovly_sa_del(struct nl_sock *sk, const struct host_sa *sa, struct err *e);

#endif /* OVLY_SA_H */
