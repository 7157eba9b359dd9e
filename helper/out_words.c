// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "out.h"

#define WIDTH 80

void out_words(const char *text, int at)
{
	int col = at;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (col > at && col + 1 + len > WIDTH) {
			printf("\n%*s", at, "");
			col = at;
		} else if (col > at) {
			putchar(' ');
			col++;
		}
		printf("%.*s", len, text);
		col += len;
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}
