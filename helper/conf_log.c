// SPDX-License-Identifier: GPL-2.0-only
#include "conf_log.h"

#include <stdio.h>
#include <string.h>

/* Messages of charon 5.9 and 6, by a part that stays the same. */
static const struct {
	const char *part;
	enum conf_stage stage; /* reached; START: unchanged */
	bool stopped;
	const char *hint;
} known[] = {
	{ "initiating IKE_SA", STAGE_IKE, false, NULL },
	{ "parsed IKE_SA_INIT response", STAGE_AUTH, false, NULL },
	{ "authentication of '", STAGE_AUTH, false, NULL },
	/* the head-end's first word of a branch */
	{ "selected peer config '", STAGE_AUTH, false, NULL },
	{ "no shared key found", STAGE_START, true,
	  "the psk of this overlay is for another identity: see local-id and remote-id" },
	{ "AUTHENTICATION_FAILED notify", STAGE_START, true,
	  "the other end does not accept our psk or eap, or our local-id" },
	{ "MAC mismatched", STAGE_START, true,
	  "remote-psk is not what the other end proves itself with" },
	{ "constraint check failed", STAGE_START, true,
	  "the other end has another identity than remote-id, or another kind of proof" },
	{ "EAP_FAILURE", STAGE_START, true, "user name or password is wrong" },
	{ "no trusted", STAGE_START, true,
	  "the certificate of the head-end is not signed by cacert" },
	{ "NO_PROPOSAL_CHOSEN notify", STAGE_START, true,
	  "the other end has no cipher in common: see ike-cipher, and esp-cipher" },
	{ "no acceptable proposal", STAGE_START, true,
	  "the other end has no cipher in common: see ike-cipher, and esp-cipher" },
	{ "received proposals unacceptable", STAGE_START, true,
	  "the other end has no cipher in common: see ike-cipher, and esp-cipher" },
	{ "TS_UNACCEPTABLE notify", STAGE_START, true,
	  "the other end does not take these subnets: see local-system-ip-subnet" },
	{ "no acceptable traffic selectors", STAGE_START, true,
	  "the ends do not agree on subnets: see local-system-ip-subnet" },
	{ "INTERNAL_ADDRESS_FAILURE notify", STAGE_START, true,
	  "the head-end has no overlay address to give: set local-system-ip-addr" },
	{ "no virtual IP found", STAGE_START, true,
	  "the head-end gave no overlay address: set local-system-ip-addr" },
	{ "unable to resolve", STAGE_START, true,
	  "the name in remote-interface-ip-addr is not known" },
	{ "error writing to socket", STAGE_START, false,
	  "there is no way to remote-interface-ip-addr: see 'ip route get'" },
	{ "peer not responding", STAGE_START, false, NULL },
	{ "updown: ", STAGE_START, false, NULL },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* "key=value" up to the next ", " or " key=", as vici is dumped. */
static bool field(const char *line, const char *key, const char *end, char *out,
		  size_t size)
{
	const char *from = strstr(line, key), *to;

	if (!from)
		return false;
	from += strlen(key);
	to = end ? strstr(from, end) : strrchr(from, '}');
	if (!to)
		to = from + strlen(from);
	snprintf(out, size, "%.*s", (int)(to - from), from);
	return true;
}

bool conf_log_split(const char *line, char *connection, size_t size,
		    char *message, size_t message_size)
{
	return field(line, "ikesa-name=", " ", connection, size) &&
	       field(line, " msg=", NULL, message, message_size);
}

void conf_log_follow(struct conf_progress *p, const char *message)
{
	unsigned int i;

	if (!strncmp(message, "retransmit ", 11)) {
		p->retransmits++;
		return;
	}
	if (strncmp(message, "IKE_SA ", 7) == 0 &&
	    strstr(message, " established between"))
		p->stage = STAGE_CHILD;
	if (strncmp(message, "CHILD_SA ", 9) == 0 &&
	    strstr(message, " established with"))
		p->stage = STAGE_UPDOWN;
	for (i = 0; i < KNOWN; i++) {
		if (!strstr(message, known[i].part))
			continue;
		if (known[i].stage) {
			p->stage = known[i].stage;
			/* a new attempt, or an answer: what was before is over */
			p->retransmits = 0;
			if (known[i].stage == STAGE_IKE) {
				p->stopped = false;
				p->hint = NULL;
			}
		}
		if (known[i].hint || strstr(message, "updown: ")) {
			snprintf(p->why, sizeof(p->why), "%s", message);
			p->hint = known[i].hint;
			p->stopped = known[i].stopped;
		}
		return;
	}
}

const char *conf_log_stage(const struct conf_progress *p)
{
	switch (p->stage) {
	case STAGE_START:
		return "waiting for strongSwan to connect";
	case STAGE_IKE:
		return p->retransmits ? "the other end does not answer" :
					"waiting for the other end to answer";
	case STAGE_AUTH:
		return p->retransmits ? "the other end answers no more" :
					"authenticating";
	case STAGE_CHILD:
		return "negotiating the tunnel";
	case STAGE_UPDOWN:
		return "telling the module (updown)";
	}
	return "";
}
