/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OVLYNL_REQUEST_H
#define OVLYNL_REQUEST_H

#include <stddef.h>
#include <stdint.h>

struct command;

/* A netlink message in the making. */
struct request {
	unsigned char *buf;
	size_t len;
	size_t size;
	uint16_t flags;		/* NLM_F_* that the words ask for */
	const struct command *command;
};

/* Bytes of the family's header, between the netlink one and the attributes. */
size_t request_header_len(const struct command *command);
int request_parse(struct request *req, char *words[], int n);
void request_free(struct request *req);

#endif
