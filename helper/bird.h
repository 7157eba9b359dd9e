/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BIRD's control socket: a client, and a parser of its replies.
 *
 * A reply is lines "NNNN-text" (more follow), "NNNN text" (the last one) and
 * " text" (more of the code before).  Codes and layout are those of BIRD 2; what
 * 1.6 and 3 do differently is known in the parsers only.
 */
#ifndef OVLY_BIRD_H
#define OVLY_BIRD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define BIRD_SOCKET "/run/bird/bird.ctl"

struct bird {
	int fd;
	char *buf; /* the last reply, NUL-terminated */
	size_t len, size;
};

bool bird_open(struct bird *bird, const char *socket, struct err *e);
void bird_close(struct bird *bird);
/* The reply, valid until the next command; NULL with the error filled. */
const char *bird_ask(struct bird *bird, const char *command, struct err *e);

/* ---- pure from here on ---- */

struct bird_line {
	int code;
	bool first; /* the line carries its code */
	bool last; /* of the reply */
	char text[512]; /* cut, if longer */
};

/* Steps through a reply; false at its end. */
bool bird_next(const char **pos, struct bird_line *line);
/* Is the reply complete? */
bool bird_complete(const char *reply, size_t len);

struct bird_status {
	char version[32];
	char router_id[48];
};

bool bird_parse_status(const char *reply, struct bird_status *out);

#define BIRD_CHANNELS 8

struct bird_channel {
	char name[16]; /* ipv4, ipv6, ... */
	char state[16];
	char table[64];
	uint32_t imported, exported, preferred;
	uint32_t import_limit; /* 0: none */
	char limit_action[16];
};

struct bird_bgp {
	char name[64];
	char state[32]; /* Established, Active, ... */
	char since[32];
	char table[64]; /* 1.6: the protocol's */
	char info[128]; /* last error, if any */
	char neighbor[64];
	char neighbor_id[48];
	char source[64];
	uint32_t neighbor_as, local_as; /* 1.6 does not tell the latter: 0 */
	uint32_t hold, keepalive; /* negotiated seconds, 0: not up */
	unsigned int channels;
	struct bird_channel channel[BIRD_CHANNELS];
};

/* Called for each BGP protocol of "show protocols all". */
typedef void (*bird_bgp_cb)(const struct bird_bgp *bgp, void *arg);
void bird_parse_protocols(const char *reply, bird_bgp_cb cb, void *arg);

struct bird_route {
	char table[64];
	char network[64];
	char protocol[64];
	bool best;
	char next_hop[64];
	bool has_med;
	uint32_t med;
	uint32_t local_pref;
	char as_path[256];
	char origin; /* 'i', 'e' or '?' */
	char since[32];
};

/* Called for each route of "show route all". */
typedef void (*bird_route_cb)(const struct bird_route *route, void *arg);
void bird_parse_routes(const char *reply, bird_route_cb cb, void *arg);

#endif /* OVLY_BIRD_H */
