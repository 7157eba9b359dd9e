/* SPDX-License-Identifier: GPL-2.0-only */
/* The views, each a subcommand of "show". */
#ifndef OVLY_SHOW_H
#define OVLY_SHOW_H

#include "err.h"

bool show_peers(int argc, char **argv, struct err *e);
bool show_routes(int argc, char **argv, struct err *e);
bool show_drops(int argc, char **argv, struct err *e);
bool show_overlay(int argc, char **argv, struct err *e);
bool show_bgp(int argc, char **argv, struct err *e);

#endif /* OVLY_SHOW_H */
