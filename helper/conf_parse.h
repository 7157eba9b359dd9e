/* SPDX-License-Identifier: GPL-2.0-only */
/* ovly.conf to a model, see ovly.conf(5).  Pure. */
#ifndef OVLY_CONF_PARSE_H
#define OVLY_CONF_PARSE_H

#include "conf_lex.h"
#include "conf_model.h"

/* Reads the text and validates it as a whole.  false: diags has errors; what
 * could be read is in the model all the same.  Free the model in any case.
 */
bool conf_read(const char *text, size_t len, struct conf *conf,
	       struct conf_diags *diags);
void conf_free(struct conf *conf);

/* ---- between the parts of the parser ---- */

/* The word a line has to have at this place, NULL with an error without it. */
const char *conf_want(const struct conf_line *line, unsigned int i,
		      const char *what, struct conf_diags *diags);
/* Nothing may follow. */
bool conf_want_end(const struct conf_line *line, unsigned int n,
		   struct conf_diags *diags);
/* A secret: copied, checked, and never shown. */
bool conf_take_secret(const struct conf_line *line, unsigned int i, char *out,
		      struct conf_diags *diags);
bool conf_parse_overlay_line(struct conf_overlay *o,
			     const struct conf_line *line,
			     struct conf_diags *diags);
bool conf_parse_bgp_line(struct conf_bgp *bgp, const struct conf_line *line,
			 struct conf_diags *diags);
/* The validation of the whole. */
void conf_check(struct conf *conf, struct conf_diags *diags);
void conf_check_bgp(struct conf *conf, struct conf_diags *diags);

#endif /* OVLY_CONF_PARSE_H */
