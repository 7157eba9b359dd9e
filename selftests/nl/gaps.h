/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OVLYNL_GAPS_H
#define OVLYNL_GAPS_H

int gaps_watch(const char *address);

#endif
