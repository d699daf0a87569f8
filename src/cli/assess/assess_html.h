/* SPDX-License-Identifier: Apache-2.0 */
/* The page of an assessment: one file of HTML with its plots in it, without scripts and without anything from elsewhere. */
#ifndef CLI_ASSESS_HTML_H
#define CLI_ASSESS_HTML_H

#include "assess.h"
#include <stdio.h>

/* What a verdict is called: "pass", "low", "FAIL", "refused". */
const char *assess_verdict_name(assess_verdict verdict);
/* A sentence that says the whole. */
void assess_sentence(const assess_result *r, char out[256]);
/* `source` is where the sample came from. */
void assess_html(const assess_result *r, const assess_counts *c, const char *source, FILE *to);

#endif
