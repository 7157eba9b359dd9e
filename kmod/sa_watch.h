/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_SA_WATCH_H
#define _OVLY_SA_WATCH_H

struct ovly_net;

void ovly_sa_doubt(struct ovly_net *on);

void ovly_sa_watch_init(struct ovly_net *on);
void ovly_sa_watch_exit(struct ovly_net *on);

int ovly_sa_watch_register(void);
void ovly_sa_watch_unregister(void);

#endif /* _OVLY_SA_WATCH_H */
