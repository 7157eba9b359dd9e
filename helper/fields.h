/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the attributes of the family are: one table per attribute set, which
 * msg.c uses to build and read messages, view.c to name values in JSON and
 * nl.c to name the attribute that the kernel refused.
 */
#ifndef OVLY_FIELDS_H
#define OVLY_FIELDS_H

#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_U32,
	FIELD_U64,
	FIELD_ENUM, /* u32 with names */
	FIELD_IFINDEX, /* u32, shown as the device's name */
	FIELD_FLAG, /* u32, 0 or 1 */
	FIELD_STR,
	FIELD_ADDR,
	FIELD_ADDRS, /* repeated FIELD_ADDR */
	FIELD_STATS, /* nest of u64 */
};

struct field {
	uint16_t attr;
	enum field_kind kind;
	size_t off; /* in the model struct */
	size_t size; /* FIELD_STR: of the buffer */
	const char *name; /* also the JSON key */
	const char *const *words; /* FIELD_ENUM */
};

struct field_set {
	const char *name;
	const struct field *field;
	unsigned int n;
};

extern const struct field_set dev_fields, peer_fields, path_fields,
	route_fields, refused_fields;
extern const char *const mode_words[], *const src_valid_words[],
	*const on_down_words[], *const limit_action_words[],
	*const peer_state_words[],
	*const path_state_words[], *const event_words[];

/* The name of a counter, NULL for UNSPEC and PAD. */
const char *stats_name(unsigned int attr);
/* The name of an enum's value, "?" where it has none. */
const char *word_of(const char *const *words, uint32_t value);
/* The set inside a top-level attribute, NULL where it is no nest. */
const struct field_set *fields_of(unsigned int top_attr);
/* The name of a top-level attribute. */
const char *top_name(unsigned int attr);
const struct field *field_find(const struct field_set *set, unsigned int attr);

#endif /* OVLY_FIELDS_H */
