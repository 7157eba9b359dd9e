/* SPDX-License-Identifier: GPL-2.0-only */
/* The views, each a subcommand of "show". */
#ifndef OVLY_SHOW_H
#define OVLY_SHOW_H

#include <jansson.h>

#include "err.h"

struct out_column;
struct ovly_msg;

/* Turns a row into what people read. */
typedef void (*show_words)(json_t *row);
/* A listing with the arguments "dev NAME" and "json". */
bool show_list(int cmd, json_t *(*view)(const struct ovly_msg *msg),
	       const struct out_column *columns, int argc, char **argv,
	       struct err *e);
/* The same; "words" is for the table, not for JSON. */
bool show_list_words(int cmd, json_t *(*view)(const struct ovly_msg *msg),
		     const struct out_column *columns, show_words words,
		     int argc, char **argv, struct err *e);
/* --help of "show routes" and "route list" */
#define SHOW_ROUTES_USAGE                                                     \
"  dev DEVICE          only those of this device; of all\n"                   \
"  peer PEER           only those of this peer; of all\n"                     \
"  protocol PROTOCOL   only those of this route protocol; of all\n"           \
"  family 4|6          only IPv4, only IPv6; both\n"                          \
"  json                JSON; a table\n"

bool show_peers(int argc, char **argv, struct err *e);
bool show_route(int argc, char **argv, struct err *e);
bool show_routes(int argc, char **argv, struct err *e);
/* Rows for people: a multipath route and its next hops instead of a row for each
 * owner.  Consumes the list.
 */
json_t *show_routes_nested(json_t *list);
bool show_drops(int argc, char **argv, struct err *e);
bool show_overlay(int argc, char **argv, struct err *e);
bool show_bridge(int argc, char **argv, struct err *e);
bool show_bgp(int argc, char **argv, struct err *e);

#endif /* OVLY_SHOW_H */
