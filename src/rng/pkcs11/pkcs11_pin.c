/* SPDX-License-Identifier: Apache-2.0 */
/* Where the PIN of a token comes from: its URI, a file that nobody else may read, or the host. No sentence holds a PIN or a pin-source. */
#include "pkcs11_pin.h"

#include "error.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a file --- */

static raffle_rc file_fault(raffle_error *err, raffle_rc rc, const char *what)
{
    char text[64];
    const int why = errno;
    return rf_fail(err, rc, "pkcs11: the file of pin-source cannot be %s: %s", what,
                   strerror_r(why, text, sizeof text));
}

static raffle_rc check_file(int fd, raffle_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return file_fault(err, RAFFLE_IO, "looked at");
    if (!S_ISREG(st.st_mode))
        return rf_fail(err, RAFFLE_INVALID, "pkcs11: the pin-source is not a file");
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return rf_fail(err, RAFFLE_INVALID, "pkcs11: the file of pin-source belongs to another user");
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return rf_fail(err, RAFFLE_INVALID,
                       "pkcs11: the file of pin-source can be read or changed by others: chmod go= it");
    return RAFFLE_OK;
}

/* One line, with or without its newline. What is left of a file that was written otherwise would be tried as a PIN, and lock the token. */
static raffle_rc check_line(rf_p11_pin *pin, raffle_error *err)
{
    if (pin->length > 0 && pin->bytes[pin->length - 1] == '\n')
        pin->bytes[--pin->length] = 0;
    if (pin->length == 0 || pin->length > RF_P11_PIN_MAX)
        return rf_fail(err, RAFFLE_INVALID, "pkcs11: the file of pin-source is not a line of 1 to %d bytes",
                       (int)RF_P11_PIN_MAX);
    for (size_t i = 0; i < pin->length; i++) {
        if (pin->bytes[i] < ' ' || pin->bytes[i] == 0x7f)
            return rf_fail(err, RAFFLE_INVALID,
                           "pkcs11: the file of pin-source holds more than one line, or a control character");
    }
    return RAFFLE_OK;
}

static raffle_rc read_file(int fd, rf_p11_pin *pin, raffle_error *err)
{
    while (pin->length < sizeof pin->bytes) {
        ssize_t n = read(fd, pin->bytes + pin->length, sizeof pin->bytes - pin->length);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return file_fault(err, RAFFLE_IO, "read");
        pin->length += n > 0 ? (size_t)n : 0;
    }
    return check_line(pin, err);
}

/* Links are followed: containers mount their secrets behind one. */
static raffle_rc from_file(const char *path, rf_p11_pin *pin, raffle_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return file_fault(err, errno == ENOENT ? RAFFLE_NOT_FOUND : RAFFLE_IO, "opened");
    raffle_rc rc = check_file(fd, err);
    if (rc == RAFFLE_OK)
        rc = read_file(fd, pin, err);
    close(fd);
    return rc;
}

raffle_rc rf_p11_pin_given(rf_p11_uri *uri, rf_p11_pin **out, raffle_error *err)
{
    *out = uri->pin;
    uri->pin = NULL;
    if (*out != NULL || uri->pin_file == NULL)
        return RAFFLE_OK;
    rf_p11_pin *pin = rf_p11_pin_new();
    raffle_rc rc = pin == NULL ? rf_nomem(err) : from_file(uri->pin_file, pin, err);
    if (rc == RAFFLE_OK)
        *out = pin;
    else
        rf_p11_pin_free(pin);
    return rc;
}

/* --- the host --- */

/* The host's sentence is its own, and handed on as such: that it holds no PIN is for the host to see to. */
static raffle_rc host_fault(raffle_error *theirs, raffle_error *err)
{
    theirs->message[sizeof theirs->message - 1] = '\0';
    rf_fail(err, RAFFLE_HOST, "the host's secret \"pin:\" failed: %s", theirs->message);
    if (err != NULL)
        err->token = theirs->token;
    return RAFFLE_HOST;
}

static raffle_rc ask(const char *what, const raffle_host *host, rf_p11_pin *pin, raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    size_t length = SIZE_MAX;
    raffle_rc rc = host->secret(host->ctx, what, pin->bytes, RF_P11_PIN_MAX, &length, &theirs);
    if (rc == RAFFLE_NOT_FOUND)
        return rc;
    if (rc != RAFFLE_OK)
        return host_fault(&theirs, err);
    if (length == 0 || length > RF_P11_PIN_MAX)
        return rf_fail(err, RAFFLE_HOST, "the host's secret \"pin:\" is not 1 to %d bytes", (int)RF_P11_PIN_MAX);
    pin->length = length;
    return RAFFLE_OK;
}

raffle_rc rf_p11_pin_ask(const rf_p11_uri *uri, const raffle_host *host, rf_p11_pin **out, raffle_error *err)
{
    char what[RF_P11_URI_MAX + 8];
    *out = NULL;
    if (host == NULL || host->secret == NULL)
        return RAFFLE_OK;
    rf_p11_pin *pin = rf_p11_pin_new();
    if (pin == NULL)
        return rf_nomem(err);
    snprintf(what, sizeof what, "pin:%s", uri->text);
    raffle_rc rc = ask(what, host, pin, err);
    if (rc == RAFFLE_OK)
        *out = pin;
    else
        rf_p11_pin_free(pin);
    return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rc;
}
