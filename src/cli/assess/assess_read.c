/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the files of a sample. Every number is checked: one outside the range, or one too few, is a fault with its line. */
#include "assess_read.h"

#include "output.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BUFFER = 1 << 16
};

__attribute__((format(printf, 2, 3))) static int fault(assess_file *f, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(f->fault, sizeof f->fault, format, list);
    va_end(list);
    return -1;
}

static size_t width_of(const assess_shape *shape)
{
    return shape->range <= UINT64_C(1) << 32 ? 4 : 8;
}

static bool check_size(assess_file *f)
{
    struct stat is;
    if (fstat(fileno(f->file), &is) != 0)
        return fault(f, "%.200s: %s", f->path, strerror(errno)) == 0;
    if (!S_ISREG(is.st_mode))
        return fault(f, "%.200s is no file", f->path) == 0;
    f->size = (uint64_t)is.st_size;
    const uint64_t record = f->shape.picks * width_of(&f->shape);
    if (f->binary && f->size % record != 0)
        return fault(f, "%.150s has %" PRIu64 " bytes, which are no whole draws of %" PRIu64, f->path, f->size,
                     record) == 0;
    return true;
}

bool assess_file_open(assess_file *f, const char *path, bool binary, const assess_shape *shape)
{
    *f = (assess_file){.path = path, .shape = *shape, .binary = binary};
    f->file = fopen(path, "rb");
    if (f->file == NULL)
        return fault(f, "%.200s: %s", path, strerror(errno)) == 0;
    setvbuf(f->file, NULL, _IOFBF, BUFFER);
    if (!check_size(f)) {
        assess_file_close(f);
        return false;
    }
    f->sorted = memory_grow(NULL, (size_t)shape->picks * sizeof *f->sorted);
    return true;
}

void assess_file_close(assess_file *f)
{
    if (f->file != NULL)
        fclose(f->file);
    free(f->sorted);
    f->file = NULL;
    f->sorted = NULL;
}

static int read_failed(assess_file *f)
{
    return fault(f, "%.200s: %s", f->path, strerror(errno));
}

static int read_byte(assess_file *f)
{
    const int byte = getc_unlocked(f->file);
    f->read += byte != EOF;
    return byte;
}

/* A number and the byte after it; `first` is its first byte. */
static bool read_number(assess_file *f, int first, uint64_t *out, int *after)
{
    uint64_t value = 0;
    int byte = first;
    for (; byte >= '0' && byte <= '9'; byte = read_byte(f)) {
        const uint64_t digit = (uint64_t)(byte - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    *after = byte;
    return first >= '0' && first <= '9';
}

static int next_text(assess_file *f, uint64_t *numbers)
{
    int byte = read_byte(f);
    if (byte == EOF)
        return ferror(f->file) ? read_failed(f) : 0;
    f->line++;
    for (uint64_t i = 0; i < f->shape.picks; i++) {
        if (!read_number(f, byte, &numbers[i], &byte))
            return fault(f, "%.150s: line %" PRIu64 ": no number at place %" PRIu64 " of %" PRIu64, f->path, f->line,
                         i + 1, f->shape.picks);
        if (i + 1 < f->shape.picks && (byte == ' ' || byte == ',' || byte == '\t'))
            byte = read_byte(f);
    }
    if (byte == '\r')
        byte = read_byte(f);
    if (ferror(f->file))
        return read_failed(f);
    return byte == '\n' || byte == EOF ? 1
                                       : fault(f, "%.150s: line %" PRIu64 " has more than %" PRIu64 " numbers", f->path,
                                               f->line, f->shape.picks);
}

static int next_binary(assess_file *f, uint64_t *numbers)
{
    const size_t width = width_of(&f->shape);
    uint8_t bytes[8];
    for (uint64_t i = 0; i < f->shape.picks; i++) {
        if (fread(bytes, 1, width, f->file) != width) {
            if (ferror(f->file))
                return read_failed(f);
            return i == 0 ? 0 : fault(f, "%.200s ends within a draw", f->path);
        }
        numbers[i] = 0;
        for (size_t k = width; k-- > 0;)
            numbers[i] = numbers[i] << 8 | bytes[k];
    }
    f->read += f->shape.picks * width;
    f->line++;
    return 1;
}

static int compare(const void *one, const void *other)
{
    const uint64_t x = *(const uint64_t *)one, y = *(const uint64_t *)other;
    return (x > y) - (x < y);
}

/* A number that is picked twice, or the range when there is none. */
static uint64_t find_twice(assess_file *f, const uint64_t *numbers)
{
    const size_t n = (size_t)f->shape.picks;
    if (n > 16) {
        memcpy(f->sorted, numbers, n * sizeof *numbers);
        qsort(f->sorted, n, sizeof *f->sorted, compare);
        for (size_t i = 1; i < n; i++)
            if (f->sorted[i] == f->sorted[i - 1])
                return f->sorted[i];
        return f->shape.range;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (numbers[i] == numbers[k])
                return numbers[i];
    return f->shape.range;
}

static int check_draw(assess_file *f, const uint64_t *numbers)
{
    const char *what = f->binary ? "draw" : "line";
    for (uint64_t i = 0; i < f->shape.picks; i++)
        if (numbers[i] >= f->shape.range)
            return fault(f, "%.150s: %s %" PRIu64 ": %" PRIu64 " is not below the range, %" PRIu64, f->path, what,
                         f->line, numbers[i], f->shape.range);
    const uint64_t twice = f->shape.replace ? f->shape.range : find_twice(f, numbers);
    if (twice < f->shape.range)
        return fault(f, "%.150s: %s %" PRIu64 ": %" PRIu64 " is picked twice; --replace allows that", f->path, what,
                     f->line, twice);
    return 1;
}

int assess_file_next(assess_file *f, uint64_t *numbers)
{
    const int got = f->binary ? next_binary(f, numbers) : next_text(f, numbers);
    return got == 1 ? check_draw(f, numbers) : got;
}
