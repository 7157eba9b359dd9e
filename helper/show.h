/* SPDX-License-Identifier: GPL-2.0-only */
/* The views, each a subcommand of "show". */
#ifndef OVLY_SHOW_H
#define OVLY_SHOW_H

#include <jansson.h>

#include "err.h"

struct out_column;
struct ovly_msg;

/* A listing with the arguments "dev NAME" and "json". */
bool show_list(int cmd, json_t *(*view)(const struct ovly_msg *msg),
	       const struct out_column *columns, int argc, char **argv,
	       struct err *e);
bool show_peers(int argc, char **argv, struct err *e);
bool show_routes(int argc, char **argv, struct err *e);
bool show_drops(int argc, char **argv, struct err *e);
bool show_overlay(int argc, char **argv, struct err *e);
bool show_bgp(int argc, char **argv, struct err *e);

#endif /* OVLY_SHOW_H */
