/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects as JSON: keys are the names of the fields table. */
#ifndef OVLY_VIEW_H
#define OVLY_VIEW_H

#include <jansson.h>

#include "ctl.h"
#include "fields.h"

/* Adds a key for every field: null, or an empty array, for what the object does
 * not have.
 */
void view_fields(json_t *out, const struct field_set *set, const void *object);
/* The same for the objects that have more or other keys than fields. */
void view_peer_fields(json_t *out, const struct ovly_peer *peer);
void view_path_fields(json_t *out, const struct ovly_path *path);
/* The underlay device's name, NULL where there is none or it is not known. */
const char *view_underlay(const struct ovly_path *path, char buf[IFNAMSIZ]);
/* An object with "dev". */
json_t *view_object(const struct ovly_msg *msg);
/* An object with "dev" and the fields. */
json_t *view_dev(const struct ovly_msg *msg);
json_t *view_peer(const struct ovly_msg *msg);
json_t *view_path(const struct ovly_msg *msg);
/* with "prefix" instead of dst and prefixlen, names instead of numbers */
json_t *view_route(const struct ovly_msg *msg);
json_t *view_addr(const struct ovly_addr *a);
/* in UTF-8, whatever s is in */
json_t *view_str(const char *s);
/* A listing as an array; NULL with the error filled. */
json_t *view_list(struct ovly_nl *nl, int cmd, const struct ovly_req *req,
		  json_t *(*view)(const struct ovly_msg *msg), struct err *e);

#endif /* OVLY_VIEW_H */
