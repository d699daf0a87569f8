/* SPDX-License-Identifier: Apache-2.0 */
/* QR codes, on a terminal and in SVG. Without libqrencode in the build there are none, and qr_make() says so. */
#ifndef CLI_QR_H
#define CLI_QR_H

#include <raffle/raffle.h>
#include <stdbool.h>
#include <stdio.h>

enum {
    QR_QUIET = 4 /* light modules on each side (ISO/IEC 18004 6.3.8) */
};

typedef struct qr {
    int width;           /* modules, without the quiet zone */
    unsigned char *dark; /* width * width, 0 or 1 */
} qr;

/* Whether this build makes codes. */
bool qr_available(void);

/* A code of the text, with error correction level M. RAFFLE_UNSUPPORTED, RAFFLE_LIMIT (too long for any code), RAFFLE_NOMEM. Released by qr_free(). */
raffle_rc qr_make(const char *text, qr *code, raffle_error *err);
void qr_free(qr *code);

/* Half blocks of UTF-8, two modules a character. `colour`: black on white, whatever the terminal's colours are; else dark modules are ink. */
void qr_text(const qr *code, bool colour, FILE *to);

/* A path of the dark modules, one unit each, from (0, 0). */
void qr_path(const qr *code, FILE *to);

#endif
