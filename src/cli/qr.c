/* SPDX-License-Identifier: Apache-2.0 */
/* QR codes, on a terminal and in SVG. */
#include "qr.h"

#include <stdlib.h>

#ifdef RAFFLE_CLI_WITH_QR
#include <errno.h>
#include <qrencode.h>

bool qr_available(void)
{
    return true;
}

raffle_rc qr_make(const char *text, qr *code, raffle_error *err)
{
    QRcode *made = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (made == NULL && errno == ENOMEM)
        return raffle_error_set(err, RAFFLE_NOMEM, 0, "out of memory for a QR code");
    if (made == NULL)
        return raffle_error_set(err, RAFFLE_LIMIT, 0, "the text is too long for a QR code");
    const size_t modules = (size_t)made->width * (size_t)made->width;
    *code = (qr){.width = made->width, .dark = malloc(modules)};
    for (size_t i = 0; code->dark != NULL && i < modules; i++)
        code->dark[i] = made->data[i] & 1;
    QRcode_free(made);
    return code->dark != NULL ? RAFFLE_OK : raffle_error_set(err, RAFFLE_NOMEM, 0, "out of memory for a QR code");
}

#else

bool qr_available(void)
{
    return false;
}

raffle_rc qr_make(const char *text, qr *code, raffle_error *err)
{
    (void)text;
    *code = (qr){0};
    return raffle_error_set(err, RAFFLE_UNSUPPORTED, 0,
                            "this build makes no QR codes: it was made without libqrencode");
}

#endif

void qr_free(qr *code)
{
    free(code->dark);
    *code = (qr){0};
}

/* Light outside of the code. */
static bool dark_at(const qr *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width && code->dark[y * code->width + x] != 0;
}

void qr_text(const qr *code, bool colour, FILE *to)
{
    static const char *const blocks[] = {" ", "▀", "▄", "█"};
    const int end = code->width + QR_QUIET;
    for (int y = -QR_QUIET; y < end; y += 2) {
        fputs(colour ? "\033[30;107m" : "", to);
        for (int x = -QR_QUIET; x < end; x++)
            fputs(blocks[dark_at(code, x, y) + 2 * dark_at(code, x, y + 1)], to);
        fputs(colour ? "\033[0m\n" : "\n", to);
    }
}

/* One rectangle a run, so that neighbours have no seam. */
void qr_path(const qr *code, FILE *to)
{
    fputs("<path fill=\"#000\" shape-rendering=\"crispEdges\" d=\"", to);
    for (int y = 0; y < code->width; y++) {
        for (int x = 0, run; x < code->width; x += run) {
            const bool dark = dark_at(code, x, y);
            for (run = 1; x + run < code->width && dark_at(code, x + run, y) == dark; run++)
                ;
            if (dark)
                fprintf(to, "M%d %dh%dv1h-%dz", x, y, run, run);
        }
    }
    fputs("\"/>", to);
}
