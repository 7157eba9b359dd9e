/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of numbers that the system keeps in files: route protocols. */
#ifndef OVLY_NAMES_H
#define OVLY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Of the routes that the bridge makes from FRR's, see bridge_protocol(); named in
 * dist/rt_protos.d.
 */
#define RTPROT_OVLY_BRIDGE 221

bool proto_parse(const char *s, uint32_t *out, struct err *e);
const char *proto_str(uint32_t protocol, char *buf, size_t size);
/* The name of a device of this namespace; "if<n>" when it is gone. */
const char *ifindex_str(uint32_t ifindex, char *buf, size_t size);

#endif /* OVLY_NAMES_H */
