/* SPDX-License-Identifier: GPL-2.0-only */
/* The model to attributes and back.  No I/O. */
#ifndef OVLY_MSG_H
#define OVLY_MSG_H

#include <stdbool.h>

#include "fields.h"
#include "model.h"

struct nl_msg;
struct nlattr;
struct nlmsghdr;

/* Appends the object as a nest, the fields with a bit in its "has"; false when
 * the message is full.
 */
bool ovly_msg_put(struct nl_msg *msg, unsigned int top_attr, const void *object);
/* The same without a nest of its own (IFLA_INFO_DATA). */
bool ovly_msg_put_fields(struct nl_msg *msg, const struct field_set *set,
			 const void *object);
/* Reads a nest; false when an attribute is malformed.  Unknown ones are
 * skipped: a newer module may have more.
 */
bool ovly_msg_get(const struct nlattr *nest, const struct field_set *set,
		  void *object);
/* Reads a whole message of the family. */
bool ovly_msg_parse(struct nlmsghdr *hdr, struct ovly_msg *out);
/* Reads APPLIED and REFUSED. */
bool ovly_msg_parse_report(struct nlmsghdr *hdr, struct ovly_report *out);
/* Names the attribute at a byte offset of a request, for example
 * "peer.addr"; an empty string where there is none.
 */
void ovly_msg_name_at(const struct nlmsghdr *hdr, unsigned int off, char *out,
		      size_t size);
/* The same for a missing attribute: its number and the offset of its nest, 0
 * for the top level.
 */
void ovly_msg_name_missing(const struct nlmsghdr *hdr, unsigned int nest_off,
			   unsigned int attr, char *out, size_t size);

#endif /* OVLY_MSG_H */
